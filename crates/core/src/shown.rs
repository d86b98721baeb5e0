//! Shows text of strangers to people: on one line, as it stands, and with nothing in it that drives their terminal.

use std::borrow::Cow;

use crate::fault::quoted;

/// The text on one line: what must be escaped is, such as a line feed as `\\n`. A backslash stays as it is.
///
/// ```
/// use service_framework_core::shown::on_one_line;
/// assert_eq!(on_one_line("größer than 2"), "größer than 2");
/// assert_eq!(on_one_line("two\nlines\u{1b}[2J"), r"two\nlines\u{1b}[2J");
/// ```
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(must_be_escaped) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match must_be_escaped(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown.into()
}

/// A name that somebody wrote, in backticks; one that would not stand for itself there is [quoted].
///
/// ```
/// use service_framework_core::shown::named;
/// assert_eq!(named("orders"), "`orders`");
/// assert_eq!(named("or`ders\n"), r#""or`ders\n""#);
/// ```
pub fn named(name: &str) -> String {
    const LONGEST: usize = 64;
    let stands = name.len() <= LONGEST && !name.contains(|c| c == '`' || must_be_escaped(c));
    if stands { format!("`{name}`") } else { quoted(name) }
}

/// Whether `c` ends lines, drives terminals or changes the order in which text is shown.
pub fn must_be_escaped(c: char) -> bool {
    matches!(c,
        // C0, delete, C1: line ends and escape sequences in all their spellings.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Line and paragraph separators.
        | '\u{2028}' | '\u{2029}'
        // Marks, embeddings, overrides and isolates of direction ("Trojan Source", CVE-2021-42574).
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // Text that is not shown: byte order mark, annotations, tags.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
