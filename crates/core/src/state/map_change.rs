//! The change of a map: keys with new values, and keys that are removed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::State;
use super::derive::write_new;
use crate::fault::Fault;
use crate::model::{Key, Model, Shape, Shapes, read_entries, write_key};
use crate::wire::{Reader, Writer};

/// A change of a map: keys with new values, and keys that are removed.
///
/// ```
/// use std::collections::BTreeMap;
/// use service_framework_core::State;
/// use service_framework_core::state::MapChange;
///
/// let mut book = BTreeMap::from([("99.5".to_owned(), 3), ("99.0".to_owned(), 1)]);
/// book.apply(MapChange::new().set("99.5", 4).remove("99.0"));
/// assert_eq!(book, BTreeMap::from([("99.5".to_owned(), 4)]));
/// ```
///
/// A value that is null on the wire, such as `None`, removes its key, too. What is set or removed later goes before what was earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapChange<K, V>(Vec<(K, Option<V>)>);

impl<K, V> MapChange<K, V> {
    /// A change of nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Gives a key a new value.
    #[must_use]
    pub fn set(mut self, key: impl Into<K>, value: impl Into<V>) -> Self {
        self.0.push((key.into(), Some(value.into())));
        self
    }

    /// Removes a key; one that is not there stays away.
    #[must_use]
    pub fn remove(mut self, key: impl Into<K>) -> Self {
        self.0.push((key.into(), None));
        self
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys in the order in which they were given, each with its new value or with `None` if it is removed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, Option<&V>)> {
        self.0.iter().map(|(key, value)| (key, value.as_ref()))
    }
}

impl<K, V> Default for MapChange<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> FromIterator<(K, Option<V>)> for MapChange<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, Option<V>)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K, V> Extend<(K, Option<V>)> for MapChange<K, V> {
    fn extend<I: IntoIterator<Item = (K, Option<V>)>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl<K, V> IntoIterator for MapChange<K, V> {
    type Item = (K, Option<V>);
    type IntoIter = std::vec::IntoIter<(K, Option<V>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Key, V: Model> MapChange<K, V> {
    /// The entry of each key that counts: the last one.
    fn last_of_each(&self) -> Vec<&(K, Option<V>)> {
        let mut seen = HashSet::with_capacity(self.0.len());
        let mut last: Vec<_> = self.0.iter().rev().filter(|(key, _)| seen.insert(key.to_text())).collect();
        last.reverse();
        last
    }
}

impl<K: Key, V: Model> Model for MapChange<K, V> {
    fn shape(shapes: &mut Shapes) -> Shape {
        Shape::Map(Box::new(K::shape(shapes)), Box::new(Shape::Nullable(Box::new(V::shape(shapes)))))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut entries = Vec::new();
        read_entries(reader, |key: K, value: Option<V>| {
            entries.push((key, value));
            true
        })?;
        let mut seen = HashSet::with_capacity(entries.len());
        match entries.iter().map(|(key, _)| key.to_text()).find(|key| !seen.insert(key.clone())) {
            Some(key) => Err(Fault::malformed("the key stands twice").within(&key)),
            None => Ok(Self(entries)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        let entries = self.last_of_each();
        writer.map(entries.len());
        for (key, value) in entries {
            write_key(writer, key);
            match value {
                Some(value) => write_new(writer, value, || key.to_text()),
                // For any peer: this null is no value that is left out, but says something.
                None => writer.null(),
            }
        }
        writer.end_map();
    }
}

/// What a new value is in a map: nothing, if that is how it is written.
fn kept<V: Model>(value: Option<V>) -> Option<V> {
    value.filter(|value| !value.is_absent())
}

impl<K, V> State for BTreeMap<K, V>
where
    K: Key + Ord + Clone + Send + Sync + 'static,
    V: Model + Clone + Send + Sync + 'static,
{
    type Change = MapChange<K, V>;

    fn apply(&mut self, change: Self::Change) {
        for (key, value) in change {
            match kept(value) {
                Some(value) => _ = self.insert(key, value),
                None => _ = self.remove(&key),
            }
        }
    }
}

impl<K, V, S> State for HashMap<K, V, S>
where
    K: Key + Eq + Hash + Clone + Send + Sync + 'static,
    V: Model + Clone + Send + Sync + 'static,
    S: BuildHasher + Default + Clone + Send + Sync + 'static,
{
    type Change = MapChange<K, V>;

    fn apply(&mut self, change: Self::Change) {
        for (key, value) in change {
            match kept(value) {
                Some(value) => _ = self.insert(key, value),
                None => _ = self.remove(&key),
            }
        }
    }
}
