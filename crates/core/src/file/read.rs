//! Reads a file as text, and the text as JSON without keys that stand twice.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::{JsonFile, MAX_BYTES};
use crate::fault::{self, Fault, Problem as Kind};
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
    let too_large = || wrong(format!("is larger than {} MiB, the most that is read", MAX_BYTES >> 20));
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
        let (line, column) = super::line_and_column(&before);
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
            let from = if path.is_relative() { ", which starts from the working folder" } else { "" };
            format!("is not there: check the path{from}")
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
    if let Err(fault) = find_repeated(&mut reader, file, &mut problems).and_then(|()| reader.end()) {
        // What is no JSON at all is told at its very byte.
        let offset = fault.offset().unwrap_or_default();
        let rest = file.text.get(offset..).unwrap_or_default();
        let place = if rest.is_empty() { file.place_of_offset(offset) } else { file.place_of_byte(offset) };
        return Err(Problem::at(place, syntax_hint(rest, &fault)).into());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    wire::decode(file.text.as_bytes(), Encoding::Json, &limits).map_err(|fault| {
        Problem::at(file.place_of_offset(fault.offset().unwrap_or_default()), fault.to_string()).into()
    })
}

/// What is wrong where `rest` follows, in words for those who write JSON by hand and seldom.
fn syntax_hint(rest: &str, fault: &Fault) -> String {
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
    let is_value_due = matches!(fault.problem(), Kind::Mismatch { expected, .. } if expected == "a value");
    match word.as_str() {
        "" if ["//", "/*", "#"].iter().any(|start| rest.starts_with(start)) => {
            "JSON has no comments: take this one out".into()
        }
        _ if !is_value_due && !rest.starts_with("-I") => fault.to_string(),
        "NaN" | "Infinity" | "-Infinity" => format!(r#"JSON has no {word}: write {{"__float__": "{word}"}}"#),
        "True" | "False" => format!("JSON has no {word}: write {}", word.to_lowercase()),
        "None" | "nil" | "undefined" => format!("JSON has no {word}: write null"),
        "" => fault.to_string(),
        _ => format!("JSON puts keys and texts into double quotes: write {}", fault::quoted(&word)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    // The superuser may read everything, so that only the message is looked at here.
    #[test]
    fn a_file_that_may_not_be_read_says_so() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        expect_test::expect!["cannot be read: give this user the permission"]
            .assert_eq(&cannot_read(Path::new("configs/gateway.json"), &error));
    }

    #[test]
    fn where_a_relative_path_starts_is_said() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        expect_test::expect!["is not there: check the path, which starts from the working folder"]
            .assert_eq(&cannot_read(Path::new("no/such/gateway.json"), &error));
    }
}
