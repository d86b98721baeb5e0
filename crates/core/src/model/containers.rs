//! Models of values inside others: optional ones, lists, tuples, sets, maps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::Model;
use super::derive::not_a_map;
use super::shape::{Shape, Shapes};
use crate::fault::Fault;
use crate::value::{DateTime, Decimal, Uuid};
use crate::wire::{self, Entries, Items, Peer, Reader, Token, Writer};

/// As a field: may be missing, and is left out when it is `None`. Elsewhere: null, or the value.
impl<T: Model> Model for Option<T> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Nullable(Box::new(T::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        if reader.null()? { Ok(None) } else { T::decode(reader).map(Some) }
    }

    fn encode(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.encode(writer),
            None => writer.null(),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Model> Model for Box<T> {
    fn shape(shapes: &mut Shapes) -> Shape {
        T::shape(shapes)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        T::decode(reader).map(Self::new)
    }

    fn encode(&self, writer: &mut Writer) {
        T::encode(self, writer);
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }

    fn is_absent(&self) -> bool {
        T::is_absent(self)
    }
}

fn list(reader: &mut Reader<'_>, expected: &str) -> Result<Items, Fault> {
    let start = reader.offset();
    match reader.token()? {
        Token::List(items) => Ok(items),
        other => Err(reader.mismatch(expected, &other, start)),
    }
}

/// Reads the start of a map, for models that are one.
pub fn map(reader: &mut Reader<'_>) -> Result<Entries, Fault> {
    let start = reader.offset();
    match reader.token()? {
        Token::Map(entries) => Ok(entries),
        other => Err(reader.mismatch("a map", &other, start)),
    }
}

fn write_list<'a, T: Model + 'a>(writer: &mut Writer, items: impl ExactSizeIterator<Item = &'a T>) {
    writer.list(items.len());
    for item in items {
        writer.item();
        item.encode(writer);
    }
    writer.end_list();
}

impl<T: Model> Model for Vec<T> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::List(Box::new(T::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut items = list(reader, "a list")?;
        let mut vec = Self::with_capacity(reader.capacity::<T>(items.declared()));
        while items.next(reader)? {
            vec.push(T::decode(reader).map_err(|fault| fault.at(vec.len()))?);
        }
        Ok(vec)
    }

    fn encode(&self, writer: &mut Writer) {
        write_list(writer, self.iter());
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident $index:tt),+;)*) => {$(
        impl<$($type: Model),+> Model for ($($type,)+) {
            fn shape(shapes: &mut Shapes) -> Shape {
                Shape::Tuple(vec![$($type::shape(shapes)),+])
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let start = reader.offset();
                let expected = concat!("a list of ", $count);
                let mut items = list(reader, expected)?;
                let tuple = ($({
                    if !items.next(reader)? {
                        return Err(Fault::mismatch(expected, format!("a list of {}", $index)).at_offset(start));
                    }
                    $type::decode(reader).map_err(|fault| fault.at($index))?
                },)+);
                if items.next(reader)? {
                    let found = reader.found(start).unwrap_or_else(|| "a longer list".to_owned());
                    return Err(Fault::mismatch(expected, found).at_offset(start));
                }
                Ok(tuple)
            }

            fn encode(&self, writer: &mut Writer) {
                writer.list($count);
                $(
                    writer.item();
                    self.$index.encode(writer);
                )+
                writer.end_list();
            }
        }
    )*};
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

/// Reads the tagged map of a set; `add` says whether the member is new.
fn read_set<T: Model>(reader: &mut Reader<'_>, mut add: impl FnMut(T) -> bool) -> Result<(), Fault> {
    let start = reader.offset();
    let token = reader.token()?;
    let not_a_set = |reader: &Reader<'_>| reader.mismatch("a set", &token, start);
    let Token::Map(mut entries) = token.clone() else {
        return Err(not_a_set(reader));
    };
    let (mut tagged, mut filled) = (false, false);
    while entries.next(reader)? {
        let Token::Text(key) = reader.token()? else {
            return Err(not_a_set(reader));
        };
        entries.colon(reader)?;
        match key.as_ref() {
            "__set__" if !tagged => tagged = bool::decode(reader).map_err(|fault| fault.within("__set__"))?,
            "value" if !filled => {
                filled = true;
                let mut items = list(reader, "a list").map_err(|fault| fault.within("value"))?;
                let mut index = 0;
                while items.next(reader)? {
                    let at = reader.offset();
                    let member = T::decode(reader).map_err(|fault| fault.at(index))?;
                    if !add(member) {
                        return Err(Fault::malformed("a member of the set stands twice")
                            .at(index)
                            .at_offset(at));
                    }
                    index += 1;
                }
            }
            _ => return Err(not_a_set(reader)),
        }
    }
    if tagged && filled { Ok(()) } else { Err(Fault::mismatch("a set", "a map").at_offset(start)) }
}

fn write_set<'a, T: Model + 'a>(writer: &mut Writer, members: impl ExactSizeIterator<Item = &'a T>) {
    writer.map(2);
    writer.key("__set__");
    writer.bool(true);
    writer.key("value");
    writer.members(|writer| write_list(writer, members));
    writer.end_map();
}

impl<T: Key + Ord> Model for BTreeSet<T> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Set(Box::new(T::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut set = Self::new();
        read_set(reader, |member| set.insert(member))?;
        Ok(set)
    }

    fn encode(&self, writer: &mut Writer) {
        write_set(writer, self.iter());
    }
}

impl<T: Key + Eq + Hash, S: BuildHasher + Default> Model for HashSet<T, S> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Set(Box::new(T::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut set = Self::default();
        read_set(reader, |member| set.insert(member))?;
        Ok(set)
    }

    fn encode(&self, writer: &mut Writer) {
        write_set(writer, self.iter());
    }
}

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
fn read_key<K: Key>(reader: &mut Reader<'_>, map_start: usize) -> Result<K, Fault> {
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

fn read_entries<K: Key, V: Model>(
    reader: &mut Reader<'_>,
    mut add: impl FnMut(K, V) -> Result<(), K>,
) -> Result<(), Fault> {
    let map_start = reader.offset();
    let mut entries = map(reader)?;
    while entries.next(reader)? {
        let start = reader.offset();
        let key: K = read_key(reader, map_start)?;
        entries.colon(reader)?;
        let value = V::decode(reader).map_err(|fault| fault.within(&key.to_text()))?;
        if let Err(key) = add(key, value) {
            return Err(Fault::malformed("the key stands twice").within(&key.to_text()).at_offset(start));
        }
    }
    Ok(())
}

fn write_entries<'a, K: Key + 'a, V: Model + 'a>(
    writer: &mut Writer,
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)> + Clone,
) {
    // Python refuses null for any value, so an absent entry is what it is meant to see.
    let is_for_python = writer.peer() == Peer::Python;
    let is_written = |(_, value): &(&K, &V)| !is_for_python || !value.is_absent();
    let count = if is_for_python { entries.clone().filter(is_written).count() } else { entries.len() };
    writer.map(count);
    for (key, value) in entries.filter(is_written) {
        if writer.wants_text_keys() {
            let key = key.to_text();
            writer.refuse_tag(&key);
            writer.key(&key);
        } else {
            writer.item();
            writer.checked_key(|writer| key.encode(writer));
            writer.colon();
        }
        value.encode(writer);
    }
    writer.end_map();
}

impl<K: Key + Ord, V: Model> Model for BTreeMap<K, V> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Map(Box::new(K::shape(shapes)), Box::new(V::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut map = Self::new();
        read_entries(reader, |key, value| {
            if map.contains_key(&key) {
                return Err(key);
            }
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    fn encode(&self, writer: &mut Writer) {
        write_entries(writer, self.iter());
    }
}

impl<K: Key + Eq + Hash, V: Model, S: BuildHasher + Default> Model for HashMap<K, V, S> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Map(Box::new(K::shape(shapes)), Box::new(V::shape(shapes)))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut map = Self::default();
        read_entries(reader, |key, value| {
            if map.contains_key(&key) {
                return Err(key);
            }
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    fn encode(&self, writer: &mut Writer) {
        write_entries(writer, self.iter());
    }
}
