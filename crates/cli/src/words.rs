//! Splits the words of the command line into flags, for clap, and pairs of unknown arguments, for the config.
//!
//! 1. A word that is a flag's name, or begins with one and a `=`, is that flag wherever it stands, and is handed to clap
//!    under its long name. `-wt` is one name, not `-w` and `-t`. The next word is its value, unless that is a flag too.
//! 2. Any other word that begins with a dash is a key of the config. Its value stands behind a `=` in the same word, or
//!    else is the next word, which may begin with dashes, as `-5` does, unless it is a flag.
//! 3. Nothing else may stand anywhere.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// A flag as it may be written.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    /// All its names, with their dashes.
    pub(crate) names: Vec<String>,
    /// The name that clap is given.
    pub(crate) long: String,
    /// Whether a value follows it.
    pub(crate) takes_value: bool,
}

/// The words of a command line, split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// The flags, each with its value in one word: `--service_path=PATH`.
    pub(crate) flags: Vec<OsString>,
    /// The unknown arguments, each a key without its dashes and a text, as they were written.
    pub(crate) arguments: Vec<(String, String)>,
    /// The words in which these keys stand, dashes included.
    pub(crate) keys: Vec<String>,
}

/// A word that can be neither a flag nor a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Odd {
    /// What is wrong with it.
    pub(crate) text: String,
    /// The word.
    pub(crate) word: OsString,
    /// The keys of the pairs before it, and its own if it is a key.
    pub(crate) keys: Vec<String>,
}

/// Splits words, those behind the name of the command.
pub(crate) fn split(words: &[OsString], flags: &[Flag]) -> Result<Words, Odd> {
    let mut split = Words::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, value) = cut(word);
        if let Some(flag) = flag(flags, name) {
            let value = value.or_else(|| flag.takes_value.then(|| take_value(&mut rest, flags)).flatten());
            split.flags.push(joined(&flag.long, value));
            continue;
        }
        let odd = |text, split: &Words| Odd { text, word: word.clone(), keys: split.keys.clone() };
        if !name.as_bytes().starts_with(b"-") || is_number(name) {
            let text = format!("{PAIRS}: `{}` stands behind no key", shown(word));
            return Err(odd(text, &split));
        }
        let Some(name) = name.to_str() else {
            return Err(odd(
                format!("`{}` is no UTF-8, as a key of the config must be", shown(word)),
                &split,
            ));
        };
        // As the original strips them: two, then one more.
        let key = name.strip_prefix("--").unwrap_or(name);
        let key = key.strip_prefix('-').unwrap_or(key);
        if key.is_empty() {
            return Err(odd(format!("{PAIRS}: `{}` is no key", shown(word)), &split));
        }
        split.keys.push(name.to_owned());
        let Some(value) = value.or_else(|| take_value(&mut rest, flags)) else {
            let hint = rest.clone().next().map(|flag| {
                let flag = shown(flag);
                format!(" before the flag `{flag}`; if that is its value, write `{name}={flag}`")
            });
            return Err(odd(format!("{PAIRS}: `{name}` has no value{}", hint.unwrap_or_default()), &split));
        };
        let Some(value) = value.to_str() else {
            let value = shown(value);
            return Err(odd(
                format!("the value `{value}` of `{name}` is no UTF-8, as config must be"),
                &split,
            ));
        };
        split.arguments.push((key.to_owned(), value.to_owned()));
    }
    Ok(split)
}

const PAIRS: &str = "unknown arguments must come in pairs, `--key value`";

fn flag<'f>(flags: &'f [Flag], name: &OsStr) -> Option<&'f Flag> {
    flags.iter().find(|flag| flag.names.iter().any(|known| OsStr::new(known) == name))
}

/// The next word, unless it is a flag.
fn take_value<'w>(rest: &mut std::slice::Iter<'w, OsString>, flags: &[Flag]) -> Option<&'w OsStr> {
    let value = rest.clone().next()?;
    if flag(flags, cut(value).0).is_some() {
        return None;
    }
    rest.next();
    Some(value)
}

/// A word that begins with a dash, as its name and the value behind its first `=`.
fn cut(word: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let bytes = word.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(equals) if bytes.starts_with(b"-") => {
            (OsStr::from_bytes(&bytes[..equals]), Some(OsStr::from_bytes(&bytes[equals + 1..])))
        }
        _ => (word, None),
    }
}

fn joined(long: &str, value: Option<&OsStr>) -> OsString {
    let mut word = OsString::from(long);
    if let Some(value) = value {
        word.push("=");
        word.push(value);
    }
    word
}

/// A word for people, on one line.
fn shown(word: &OsStr) -> String {
    word.to_string_lossy().escape_debug().to_string()
}

/// Whether a word with one dash is a negative number, which is nobody's key.
fn is_number(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| !word.starts_with("--") && word.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests;
