//! Models of values inside others: optional ones, lists, tuples, sets, maps.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::keys::{read_key, write_key};
use super::shape::{Shape, Shapes};
use super::{Key, Model};
use crate::fault::Fault;
use crate::wire::{Entries, Items, Peer, Reader, Token, Writer};

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

/// Reads the entries of a map, and gives each to `add`, which says whether its key is new.
pub(crate) fn read_entries<K: Key, V: Model>(
    reader: &mut Reader<'_>,
    mut add: impl FnMut(K, V) -> bool,
) -> Result<(), Fault> {
    let map_start = reader.offset();
    let mut entries = map(reader)?;
    while entries.next(reader)? {
        let mut before = reader.clone();
        let key: K = read_key(reader, map_start)?;
        entries.colon(reader)?;
        let value = V::decode(reader).map_err(|fault| fault.within(&key.to_text()))?;
        if !add(key, value) {
            // It is named as it is written here, which the key that it is equal to need not be.
            let start = before.offset();
            let key: K = read_key(&mut before, map_start)?;
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
        write_key(writer, key);
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
        read_entries(reader, |key, value| map.insert(key, value).is_none())?;
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
        read_entries(reader, |key, value| map.insert(key, value).is_none())?;
        Ok(map)
    }

    fn encode(&self, writer: &mut Writer) {
        write_entries(writer, self.iter());
    }
}
