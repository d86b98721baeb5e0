//! Reads a file as text, and the text as JSON without keys that stand twice.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::{JsonFile, MAX_BYTES};
use crate::fault::{self, Fault};
use crate::problem::{Place, Problem, Problems};
use crate::value::Value;
use crate::wire::{self, Encoding, Limits, Reader, Token};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn text(path: &Path) -> Result<String, Problem> {
    let shown = path.display();
    let wrong = |text: String| Problem::nowhere(format!("{shown} {text}"));
    let metadata = fs::metadata(path).map_err(|error| wrong(cannot_read(path, &error)))?;
    if metadata.is_dir() {
        return Err(wrong("is a folder: name a JSON file in it".into()));
    }
    let too_large = || wrong(format!("is larger than {} MiB, which no such file should be", MAX_BYTES >> 20));
    if metadata.len() > MAX_BYTES {
        return Err(too_large());
    }
    let file = File::open(path).map_err(|error| wrong(cannot_read(path, &error)))?;
    let mut bytes = Vec::new();
    // A pipe has no length to be asked for, so what is read is bounded too.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(cannot_read(path, &error)))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(wrong("is UTF-16: save it as UTF-8".into()));
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        let text = format!("the byte 0x{:02x} is not UTF-8: save the file as UTF-8", bytes[valid]);
        Problem::at(Place::File { file: path.to_owned(), line, column }, text)
    })?;
    if text.trim().is_empty() {
        return Err(wrong("is empty: write at least {}".into()));
    }
    Ok(text)
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    let link = fs::read_link(path).ok();
    match (error.kind(), link) {
        (io::ErrorKind::NotFound, Some(target)) => {
            format!("is a link to {}, which is not there", target.display())
        }
        (io::ErrorKind::NotFound, None) => {
            "is not there: check the path, which starts from the working folder".into()
        }
        (io::ErrorKind::PermissionDenied, _) => "cannot be read: give this user the permission".into(),
        // The only thing wrong with a link that is there and may be read.
        (_, Some(target)) if error.kind() != io::ErrorKind::InvalidInput => {
            format!("is a link to {}, which cannot be followed: {}", target.display(), plain(error))
        }
        _ => format!("cannot be read: {}", plain(error)),
    }
}

/// What the system says, without the number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

pub(super) fn value(file: &JsonFile) -> Result<Value, Problems> {
    // The file was bounded in bytes when it was read.
    let limits = Limits { max_message_bytes: usize::MAX, ..Limits::default() };
    let mut problems = Problems::new();
    let mut reader = Reader::new(file.text.as_bytes(), Encoding::Json, &limits);
    let scan = find_repeated(&mut reader, file, &mut problems).and_then(|()| reader.end());
    if let Err(fault) = scan {
        return Err(syntax_problem(file, &fault).into());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    wire::decode(file.text.as_bytes(), Encoding::Json, &limits)
        .map_err(|fault| syntax_problem(file, &fault).into())
}

fn syntax_problem(file: &JsonFile, fault: &Fault) -> Problem {
    let offset = fault.offset().unwrap_or_default().min(file.text.len());
    let rest = file.text.get(offset..).unwrap_or_default().trim_start();
    let text = match () {
        () if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') => {
            "JSON has no comments: take this one out".to_owned()
        }
        () if ["NaN", "Infinity", "-Infinity"].iter().any(|word| rest.starts_with(word)) => {
            r#"JSON has no such number: write {"__float__": "NaN"}, "Infinity" or "-Infinity""#.to_owned()
        }
        () => fault.to_string(),
    };
    Problem::at(file.place_of_offset(offset), text)
}

/// Reads a value and reports every key that an earlier one in the same map equals.
fn find_repeated(reader: &mut Reader<'_>, file: &JsonFile, problems: &mut Problems) -> Result<(), Fault> {
    match reader.token()? {
        Token::List(mut items) => {
            while items.next(reader)? {
                find_repeated(reader, file, problems)?;
            }
        }
        Token::Map(mut entries) => {
            let mut seen = HashMap::new();
            loop {
                let start = reader.offset();
                let Some(key) = entries.text_key(reader)? else { break };
                let start = start + separator(&file.text[start..]);
                if let Some(first) = seen.get(&key) {
                    problems.add_with(|| {
                        let (line, _) = file.line_and_column(*first);
                        let key = fault::quoted(&key);
                        let text =
                            format!("the key {key} stands here a second time: it is in line {line} too");
                        Problem::at(file.place_of_offset(start), text)
                    });
                } else {
                    seen.insert(key, start);
                }
                find_repeated(reader, file, problems)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The length of the comma and the blanks between two entries.
fn separator(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace()).len()
}
