//! Models that can be keys of maps and members of sets.

use std::borrow::Cow;

use super::Model;
use super::derive::not_a_map;
use crate::fault::Fault;
use crate::value::{DateTime, Decimal, Uuid};
use crate::wire::{self, Reader, Token, Writer};

/// A model that can be the key of a map or the member of a set.
///
/// JSON and the Python original have only texts as keys of maps, so a key has a form as text.
///
/// `#[derive(Model)]` writes it for enums; for a struct of one unnamed field it does with `#[model(key)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a map, or the member of a set, in a message",
    note = "these are bool, i8 to i64, u8 to u64, String, Decimal, Uuid, DateTime, enums that are models, \
            and structs of one such field with `#[model(key)]`"
)]
pub trait Key: Model {
    /// The key as text.
    fn to_text(&self) -> Cow<'_, str>;

    /// The key that a text stands for; `None` if it stands for none.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! keys {
    ($($type:ty: |$text:ident| $from_text:expr;)*) => {$(
        impl Key for $type {
            fn to_text(&self) -> Cow<'_, str> {
                self.to_string().into()
            }

            fn from_text($text: &str) -> Option<Self> {
                $from_text
            }
        }
    )*};
    ($($int:ident)*) => {
        // By way of the widest, so that all of them take the same texts.
        keys! { $($int: |text| text.parse::<i128>().ok()?.try_into().ok();)* }
    };
}

keys! { i8 i16 i32 i64 u8 u16 u32 u64 }
keys! {
    bool: |text| text.parse().ok();
    Decimal: |text| text.parse().ok();
    Uuid: |text| text.parse().ok();
    DateTime: |text| text.parse().ok();
}

impl Key for String {
    fn to_text(&self) -> Cow<'_, str> {
        self.into()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// Reads a key of the map at `map_start`: as itself, or as the text that stands for it.
pub(super) fn read_key<K: Key>(reader: &mut Reader<'_>, map_start: usize) -> Result<K, Fault> {
    let before = reader.clone();
    let start = before.offset();
    let Token::Text(text) = reader.token()? else {
        *reader = before.clone();
        return K::decode(reader).map_err(|fault| fault.within(&named_key(before)));
    };
    if let Some(tagged) = wire::tagged_as(&text) {
        return Err(not_a_map(reader, map_start, tagged));
    }
    match K::from_text(&text) {
        Some(key) => Ok(key),
        // Reading it as itself says what was expected.
        None => {
            *reader = before;
            K::decode(reader).map_err(|fault| fault.within(&text).at_offset(start))
        }
    }
}

/// What comes next, for the path of a fault.
fn named_key(mut reader: Reader<'_>) -> String {
    match wire::read_value(&mut reader) {
        Ok(key) => key.key_text().map_or_else(|| key.named(), Cow::into_owned),
        Err(_) => "a broken key".into(),
    }
}

/// Writes the key of an entry; its value comes next.
pub(crate) fn write_key<K: Key>(writer: &mut Writer, key: &K) {
    if writer.wants_text_keys() {
        let key = key.to_text();
        writer.refuse_tag(&key);
        writer.key(&key);
    } else {
        writer.item();
        writer.checked_key(|writer| key.encode(writer));
        writer.colon();
    }
}
