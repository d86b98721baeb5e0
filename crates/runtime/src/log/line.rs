//! Writes one record as one line.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::time::SystemTime;

use tracing::Event;
use tracing::field::{Field, Visit};

use super::clock::utc;
use super::escape::{Escaped, Spaces};
use super::level::Level;

/// What a line may be long, in bytes; the rest of a message is cut, and how much of it is said.
const LINE: usize = 64 * 1024;
/// What each column before the message may be long, in bytes.
const COLUMN: usize = 1024;

/// The text of a record behind its columns.
pub(super) trait Message {
    /// Writes it.
    fn write(&self, text: &mut Escaped<'_>) -> fmt::Result;
}

impl Message for str {
    fn write(&self, text: &mut Escaped<'_>) -> fmt::Result {
        text.write_str(self)
    }
}

/// Begins a line: the time, the name and the workflow id.
///
/// The name is `target`, with the service in front unless `target` is a module of the service.
pub(super) fn columns(
    line: &mut String,
    at: SystemTime,
    service: &str,
    target: &str,
    workflow_id: Option<&str>,
) {
    let utc = utc(at);
    put(
        line,
        format_args!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} - ",
            utc.year(),
            u8::from(utc.month()),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second(),
            utc.millisecond()
        ),
    );
    match target.strip_prefix(service) {
        Some(inside) if inside.is_empty() || inside.starts_with("::") || service.is_empty() => {
            column(line, target);
        }
        _ => {
            column(line, service);
            line.push(':');
            column(line, target);
        }
    }
    line.push_str(" - ");
    column(line, workflow_id.filter(|id| !id.is_empty()).unwrap_or("-"));
    line.push_str(" - ");
}

/// Ends a line: the level and the message. Gives the place of the level, for its colour.
pub(super) fn message(line: &mut String, level: Level, message: &(impl Message + ?Sized)) -> Range<usize> {
    let begin = line.len();
    line.push_str(level.name());
    let level = begin..line.len();
    line.push_str(" - ");
    let mut text = Escaped::new(line, Spaces::Kept, LINE);
    let written = message.write(&mut text);
    let cut = text.cut;
    if written.is_err() {
        line.push_str(" [a value of this record could not be written]");
    }
    if cut > 0 {
        put(line, format_args!(" [{cut} bytes more]"));
    }
    line.push('\n');
    level
}

/// `line` with its level coloured for a terminal.
pub(super) fn coloured(line: &str, level: Level, place: Range<usize>) -> String {
    let colour = match level {
        Level::Error => "\u{1b}[31m",
        Level::Warn => "\u{1b}[33m",
        Level::Info => "\u{1b}[32m",
        Level::Off | Level::Debug | Level::Trace => "\u{1b}[2m",
    };
    [&line[..place.start], colour, &line[place.clone()], "\u{1b}[0m", &line[place.end..]].concat()
}

fn column(line: &mut String, text: &str) {
    let limit = line.len() + COLUMN;
    let mut column = Escaped::new(line, Spaces::Escaped, limit);
    column.write_str(text).expect("escaped text takes any text");
    if column.cut > 0 {
        line.push('…');
    }
}

fn put(line: &mut String, text: fmt::Arguments<'_>) {
    line.write_fmt(text).expect("numbers can be written to a text");
}

/// A tracing event: its message first, then its fields as `key=value`.
impl Message for Event<'_> {
    fn write(&self, text: &mut Escaped<'_>) -> fmt::Result {
        let mut fields = Fields { text, wanted: Wanted::Message, separator: "", written: Ok(()) };
        self.record(&mut fields);
        fields.wanted = Wanted::Others;
        self.record(&mut fields);
        fields.written
    }
}

struct Fields<'a, 'line> {
    text: &'a mut Escaped<'line>,
    wanted: Wanted,
    separator: &'static str,
    written: fmt::Result,
}

#[derive(PartialEq, Eq)]
enum Wanted {
    Message,
    Others,
}

impl Fields<'_, '_> {
    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let kind = if field.name() == "message" { Wanted::Message } else { Wanted::Others };
        if kind != self.wanted {
            return;
        }
        let written = match kind {
            Wanted::Message => self.text.write_fmt(value),
            Wanted::Others => {
                write!(self.text, "{}{}=", self.separator, field.name()).and(self.text.write_fmt(value))
            }
        };
        self.written = self.written.and(written);
        self.separator = " ";
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.put(field, format_args!("{value}")),
            _ => self.put(field, format_args!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, format_args!("{}", Chain(value)));
    }
}

/// An error and its causes, as one text.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn line(service: &str, target: &str, id: Option<&str>, text: &str) -> String {
        let mut line = String::new();
        columns(&mut line, UNIX_EPOCH + Duration::from_millis(1_784_887_384_007), service, target, id);
        message(&mut line, Level::Warn, text);
        line
    }

    #[test]
    fn a_line_has_the_columns_of_the_original() {
        let expected = "2026-07-24 10:03:04,007 - board::rows - 7f - WARNING - late by 3 s\n";
        assert_eq!(line("board", "board::rows", Some("7f"), "late by 3 s"), expected);
    }

    #[test]
    fn the_name_says_the_service_once() {
        assert!(line("board", "board", None, "x").contains(" - board - - - WARNING"));
        assert!(line("board", "boarding", None, "x").contains(" - board:boarding - "));
        assert!(line("", "other::place", None, "x").contains(" - other::place - "));
    }

    #[test]
    fn a_huge_record_is_cut_and_says_so() {
        let written = line("s", "t", Some(&"i".repeat(1 << 20)), &"m".repeat(1 << 20));
        assert!(written.len() < LINE + 100, "{}", written.len());
        assert!(written.ends_with(" bytes more]\n"));
    }

    #[test]
    fn colour_is_around_the_level_alone() {
        let mut plain = String::new();
        let place = message(&mut plain, Level::Error, "no");
        assert_eq!(coloured(&plain, Level::Error, place), "\u{1b}[31mERROR\u{1b}[0m - no\n");
    }
}
