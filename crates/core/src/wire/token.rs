//! The next thing in a message, the same for both encodings.

use std::borrow::Cow;

use super::{Entries, Items};

/// The next thing in a message. A list or map is followed by its contents, which [`Items`] and [`Entries`] walk.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer from -2^63 to 2^64-1.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text; borrowed unless JSON escaped something in it.
    Text(Cow<'a, str>),
    /// Bytes, in MessagePack only.
    Bytes(&'a [u8]),
    /// The start of a list.
    List(Items),
    /// The start of a map.
    Map(Entries),
}

impl Token<'_> {
    /// The kind of token as a noun with its article, and its value where that is short.
    pub fn named(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(flag) => format!("the boolean {flag}"),
            Self::Int(int) => format!("the integer {int}"),
            Self::Float(float) => format!("the float {float:?}"),
            Self::Text(text) => format!("the text {}", crate::fault::quoted(text)),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a map".into(),
        }
    }
}
