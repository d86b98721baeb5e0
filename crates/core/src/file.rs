//! Reads the JSON files of the person who runs a service, and says where in them something stands.

mod find;
mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fault::Step;
use crate::problem::{Place, Problem, Problems};
use crate::value::Value;

/// The largest file that is read, in bytes: 16 MiB.
pub const MAX_BYTES: u64 = 16 << 20;

/// The text of a JSON file, without its byte order mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFile {
    path: PathBuf,
    text: String,
}

impl JsonFile {
    /// Reads the file. Its text may be anything; [`value`](Self::value) reads it as JSON.
    ///
    /// # Errors
    ///
    /// If it is missing, no file, unreadable, larger than [`MAX_BYTES`], empty, or not UTF-8.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        Ok(Self { path: path.to_owned(), text: read::text(path)? })
    }

    /// Takes a text for that of a file.
    pub fn from_text(path: impl Into<PathBuf>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { path: path.into(), text: text.to_owned() }
    }

    /// Where the file lies, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its text as a value.
    ///
    /// # Errors
    ///
    /// The first mistake if it is no JSON, else every key that stands in its map a second time.
    pub fn value(&self) -> Result<Value, Problems> {
        read::value(self)
    }

    /// Where the key stands that leads to the value at `path`; where a list or the whole file is meant, the value.
    ///
    /// A path of which only the beginning is there leads to what is there.
    pub fn key_place(&self, path: &[Step]) -> Place {
        self.place_of_offset(find::find(&self.text, path).key)
    }

    /// Where the value at `path` begins; as far as the path is there.
    pub fn value_place(&self, path: &[Step]) -> Place {
        self.place_of_offset(find::find(&self.text, path).value)
    }

    /// Where a byte of the text stands, or what follows it after blanks; the end of the last line if nothing does.
    pub fn place_of_offset(&self, offset: usize) -> Place {
        let (line, column) = self.line_and_column(offset);
        Place::File { file: self.path.clone(), line, column }
    }

    /// Where a byte of the text stands, blank or not.
    fn place_of_byte(&self, offset: usize) -> Place {
        let (line, column) = line_and_column(&self.text[..self.text.floor_char_boundary(offset)]);
        Place::File { file: self.path.clone(), line, column }
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
        let offset = self.text.floor_char_boundary(offset);
        let rest = self.text[offset..].trim_start_matches(BLANKS).len();
        match rest {
            0 => line_and_column(self.text.trim_end_matches(BLANKS)),
            _ => line_and_column(&self.text[..self.text.len() - rest]),
        }
    }
}

/// The line and the column of what follows `before`, both counted from 1.
fn line_and_column(before: &str) -> (usize, usize) {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// A value to start a service with, and where it came from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Document {
    /// `None` if it could not be read.
    value: Option<Arc<Value>>,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    File(Arc<JsonFile>),
    Code(Arc<str>),
}

impl Document {
    /// Reads a JSON file. A file that cannot be read, or is no JSON, is reported and gives a document that is
    /// [broken](Self::is_broken).
    pub fn open(path: &Path, problems: &mut Problems) -> Self {
        match JsonFile::open(path) {
            Ok(file) => Self::read(file, problems),
            Err(problem) => {
                problems.add(problem);
                Self { value: None, source: Source::File(Arc::new(JsonFile::from_text(path, ""))) }
            }
        }
    }

    /// Reads what a JSON file holds, likewise.
    pub fn read(file: JsonFile, problems: &mut Problems) -> Self {
        let value = file.value().map_err(|found| problems.extend(found)).ok();
        Self { value: value.map(Arc::new), source: Source::File(Arc::new(file)) }
    }

    /// Takes a value that code gave; `by` names what gave it, such as `setup_addresses`.
    pub fn given(value: Value, by: &str) -> Self {
        Self { value: Some(Arc::new(value)), source: Source::Code(by.into()) }
    }

    /// Whether it could not be read, so that nobody knows what is missing from it.
    pub fn is_broken(&self) -> bool {
        self.value.is_none()
    }

    /// The value, unless the document is broken.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_deref()
    }

    /// What it is called: the path of the file, or what gave it.
    pub fn name(&self) -> String {
        match &self.source {
            Source::File(file) => file.path.display().to_string(),
            Source::Code(by) => by.to_string(),
        }
    }

    /// Where the key stands that leads to the value at `path`, as far as the path is there.
    pub fn key_place(&self, path: &[Step]) -> Place {
        match &self.source {
            Source::File(file) => file.key_place(path),
            Source::Code(by) => Place::Code(by.to_string()),
        }
    }

    /// Where the value at `path` begins, as far as the path is there.
    pub fn value_place(&self, path: &[Step]) -> Place {
        match &self.source {
            Source::File(file) => file.value_place(path),
            Source::Code(by) => Place::Code(by.to_string()),
        }
    }
}
