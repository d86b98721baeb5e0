//! Makes text of strangers safe to stand in one line of a log.

use std::fmt;

use service_framework_core::shown::must_be_escaped;

/// Appends text to a line, escaping what could end it, drive a terminal, or show it in another order.
///
/// A backslash stays as it is, so that paths and JSON stay readable: the promise is a safe line, not that the
/// text can be recovered from it.
pub(super) struct Escaped<'a> {
    line: &'a mut String,
    spaces: Spaces,
    /// The length that the line may reach, in bytes.
    limit: usize,
    /// How many bytes of text did not fit.
    pub(super) cut: usize,
}

/// Whether a space may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// In a message.
    Kept,
    /// In a column before the message, where ` - ERROR - ` would forge the columns that follow.
    Escaped,
}

impl<'a> Escaped<'a> {
    pub(super) fn new(line: &'a mut String, spaces: Spaces, limit: usize) -> Self {
        Self { line, spaces, limit, cut: 0 }
    }

    fn is_safe(&self, c: char) -> bool {
        !must_be_escaped(c) && (c != ' ' || self.spaces == Spaces::Kept)
    }

    fn push(&mut self, text: &str) {
        // Once cut, nothing follows: a shorter word behind the gap would read as if it belonged there.
        if self.cut > 0 || self.line.len() + text.len() > self.limit {
            self.cut += text.len();
        } else {
            self.line.push_str(text);
        }
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while !rest.is_empty() {
            if self.cut > 0 {
                self.cut += rest.len();
                return Ok(());
            }
            let room = self.limit.saturating_sub(self.line.len());
            let safe = rest.find(|c| !self.is_safe(c)).unwrap_or(rest.len());
            let (plain, after) = rest.split_at(safe);
            let (fits, over) = plain.split_at(plain.floor_char_boundary(room));
            self.push(fits);
            self.cut += over.len();
            let mut after = after.chars();
            if let Some(c) = after.next() {
                let mut escape = String::new();
                match c {
                    ' ' => escape.push_str("\\u{20}"),
                    c => escape.extend(c.escape_default()),
                }
                self.push(&escape);
            }
            rest = after.as_str();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[track_caller]
    fn check(spaces: Spaces, text: &str, expected: &str) {
        let mut line = String::new();
        Escaped::new(&mut line, spaces, 1 << 10).write_str(text).expect("text takes text");
        assert_eq!(line, expected);
    }

    #[test]
    fn what_drives_a_terminal_or_ends_a_line_is_escaped() {
        check(Spaces::Kept, "one\ntwo\r\tthree", "one\\ntwo\\r\\tthree");
        check(Spaces::Kept, "\u{1b}[2J\u{9b}2J\0\u{7f}", "\\u{1b}[2J\\u{9b}2J\\u{0}\\u{7f}");
        check(Spaces::Kept, "a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d");
        check(Spaces::Kept, "x\u{202e}y\u{2066}z\u{feff}", "x\\u{202e}y\\u{2066}z\\u{feff}");
    }

    #[test]
    fn what_is_harmless_stays() {
        check(Spaces::Kept, "C:\\n \"größer\" 日本 👩‍🚀 {}", "C:\\n \"größer\" 日本 👩‍🚀 {}");
    }

    #[test]
    fn a_column_cannot_forge_the_next() {
        check(Spaces::Escaped, "id - ERROR - x", "id\\u{20}-\\u{20}ERROR\\u{20}-\\u{20}x");
    }

    #[test]
    fn text_beyond_the_limit_is_cut_and_counted() {
        let mut line = "12".to_owned();
        let mut text = Escaped::new(&mut line, Spaces::Kept, 6);
        text.write_str("345é6").expect("text takes text");
        text.write_str("\n7").expect("text takes text");
        assert!(text.cut >= 4, "{}", text.cut);
        assert_eq!(line, "12345");
    }
}
