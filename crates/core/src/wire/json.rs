//! JSON by RFC 8259, token by token, both ways.

use std::borrow::Cow;
use std::io::Write as _;

use super::{Entries, Items, Token};
use crate::fault::Fault;

/// Where the next thing that is no blank stands.
pub(super) fn skip_blanks(input: &[u8], at: usize) -> usize {
    let blanks = input[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    at + blanks.count()
}

/// Reads the token after blanks at `at`, and moves there where it ends.
pub(super) fn token<'a>(input: &'a [u8], at: &mut usize) -> Result<Token<'a>, Fault> {
    let start = skip_blanks(input, *at);
    let (token, end) = match input.get(start) {
        None => return Err(Fault::malformed("truncated: a value is due").at_offset(start)),
        Some(b'{') => (Token::Map(Entries::unknown()), start + 1),
        Some(b'[') => (Token::List(Items::unknown()), start + 1),
        Some(b'"') => {
            let (text, end) = text(input, start)?;
            (Token::Text(text), end)
        }
        Some(b'-' | b'0'..=b'9') => number(input, start)?,
        Some(b't') => word(input, start, "true", Token::Bool(true))?,
        Some(b'f') => word(input, start, "false", Token::Bool(false))?,
        Some(b'n') => word(input, start, "null", Token::Null)?,
        Some(b'/' | b'#') => return Err(Fault::malformed("JSON has no comments").at_offset(start)),
        Some(b'\'') => return Err(Fault::malformed("JSON puts text into double quotes").at_offset(start)),
        Some(b']' | b'}') => {
            return Err(Fault::malformed("a value is due here, not a closing bracket").at_offset(start));
        }
        Some(_) => return Err(unexpected(input, start, "a value")),
    };
    *at = end;
    Ok(token)
}

/// Whether another element follows in a list or map that ends with `close`, and where to read on.
pub(super) fn more(input: &[u8], at: usize, close: u8, first: bool) -> Result<(bool, usize), Fault> {
    let at = skip_blanks(input, at);
    match input.get(at) {
        Some(byte) if *byte == close => Ok((false, at + 1)),
        Some(_) if first => Ok((true, at)),
        Some(b',') => {
            let next = skip_blanks(input, at + 1);
            if input.get(next) == Some(&close) {
                return Err(Fault::malformed("a comma with nothing after it").at_offset(at));
            }
            Ok((true, next))
        }
        Some(_) => Err(unexpected(input, at, &format!("`,` or `{}`", char::from(close)))),
        None => Err(Fault::malformed(format!("truncated: `{}` is due", char::from(close))).at_offset(at)),
    }
}

/// Reads the colon between key and value, and the blanks around it.
pub(super) fn colon(input: &[u8], at: usize) -> Result<usize, Fault> {
    let at = skip_blanks(input, at);
    match input.get(at) {
        Some(b':') => Ok(skip_blanks(input, at + 1)),
        Some(_) => Err(unexpected(input, at, "`:`")),
        None => Err(Fault::malformed("truncated: `:` is due").at_offset(at)),
    }
}

fn unexpected(input: &[u8], at: usize, expected: &str) -> Fault {
    let rest = String::from_utf8_lossy(&input[at..input.len().min(at + 4)]);
    let found = rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
    Fault::mismatch(expected, format!("the character {found:?}")).at_offset(at)
}

fn word<'a>(input: &[u8], at: usize, word: &str, token: Token<'a>) -> Result<(Token<'a>, usize), Fault> {
    if input[at..].starts_with(word.as_bytes()) {
        Ok((token, at + word.len()))
    } else {
        Err(unexpected(input, at, "a value"))
    }
}

fn number(input: &[u8], at: usize) -> Result<(Token<'_>, usize), Fault> {
    let digits = |from: usize| input[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let bad = |text: &str| Fault::malformed(text).at_offset(at);
    let mut end = at + usize::from(input[at] == b'-');
    let whole = digits(end);
    match whole {
        0 => return Err(bad("a number without digits")),
        2.. if input[end] == b'0' => return Err(bad("a number with a leading zero")),
        _ => end += whole,
    }
    let mut is_float = false;
    if input.get(end) == Some(&b'.') {
        is_float = true;
        match digits(end + 1) {
            0 => return Err(bad("a number with no digit after its point")),
            count => end += 1 + count,
        }
    }
    if let Some(b'e' | b'E') = input.get(end) {
        is_float = true;
        let sign = usize::from(matches!(input.get(end + 1), Some(b'+' | b'-')));
        match digits((end + 1 + sign).min(input.len())) {
            0 => return Err(bad("a number with no digit in its exponent")),
            count => end += 1 + sign + count,
        }
    }
    let text = std::str::from_utf8(&input[at..end]).expect("digits, signs and points are ASCII");
    let token = if is_float {
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Token::Float(float),
            _ => return Err(bad("a number beyond 64-bit floats")),
        }
    } else {
        let int: Option<i128> = text.parse().ok();
        let int = int.filter(|int| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(int));
        // Minus zero is a float: the integer would lose the sign.
        if text == "-0" {
            Token::Float(-0.0)
        } else {
            Token::Int(int.ok_or_else(|| bad("an integer outside -2^63 to 2^64-1"))?)
        }
    };
    Ok((token, end))
}

/// Reads a text that starts with its quote at `at`.
fn text(input: &[u8], at: usize) -> Result<(Cow<'_, str>, usize), Fault> {
    let start = at + 1;
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let unended = || Fault::malformed("a text without its closing quote").at_offset(at);
    let utf8 = |from: usize, to: usize| {
        let not_utf8 = |_| Fault::malformed("a text that is not UTF-8").at_offset(from);
        std::str::from_utf8(&input[from..to]).map_err(not_utf8)
    };
    let mut end = start + input[start..].iter().position(special).ok_or_else(unended)?;
    if input[end] == b'"' {
        return Ok((Cow::Borrowed(utf8(start, end)?), end + 1));
    }
    let mut text = String::from(utf8(start, end)?);
    loop {
        match input[end] {
            b'"' => return Ok((Cow::Owned(text), end + 1)),
            b'\\' => {
                let (character, after) = escape(input, end)?;
                text.push(character);
                end = after;
            }
            _ => return Err(Fault::malformed("a control character that is not escaped").at_offset(end)),
        }
        let next = end + input[end..].iter().position(special).ok_or_else(unended)?;
        text.push_str(utf8(end, next)?);
        end = next;
    }
}

fn escape(input: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let bad = || Fault::malformed("an escape that JSON does not have").at_offset(at);
    let simple = match input.get(at + 1).ok_or_else(bad)? {
        quoted @ (b'"' | b'\\' | b'/') => char::from(*quoted),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = hex(input, at + 2).ok_or_else(bad)?;
            if let Some(character) = char::from_u32(high) {
                return Ok((character, at + 6));
            }
            // Half of a character beyond 16 bits; the other half must follow.
            let low =
                input.get(at + 6..at + 8).filter(|start| *start == b"\\u").and_then(|_| hex(input, at + 8));
            let low = low.filter(|low| (0xdc00..0xe000).contains(low) && high < 0xdc00).ok_or_else(bad)?;
            let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok((char::from_u32(code).ok_or_else(bad)?, at + 12));
        }
        _ => return Err(bad()),
    };
    Ok((simple, at + 2))
}

fn hex(input: &[u8], at: usize) -> Option<u32> {
    let digits = input.get(at..at + 4)?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends a text in quotes.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f | 0x7f => &format!("\\u{byte:04x}").into_bytes(),
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

/// Appends a finite float so that it reads back as the same float, never as an integer.
pub(super) fn write_float(out: &mut Vec<u8>, float: f64) {
    write!(out, "{float:?}").expect("a vector takes everything");
}

/// Appends an integer.
pub(super) fn write_int(out: &mut Vec<u8>, int: i128) {
    match i64::try_from(int) {
        // The common size is also the faster one to print.
        Ok(int) => write!(out, "{int}"),
        Err(_) => write!(out, "{int}"),
    }
    .expect("a vector takes everything");
}
