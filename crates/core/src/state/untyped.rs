//! The change of a value whose shape is known only at run time.

use super::State;
use crate::fault::Fault;
use crate::model::{Model, Shape, Shapes};
use crate::value::{Map, Value};
use crate::wire::{Reader, Writer, write_with_nulls};

/// A change of a [`Map`] or a [`Value`]: a map of the keys that have new values, with null for those that are removed.
///
/// ```
/// use service_framework_core::state::UntypedChange;
/// use service_framework_core::{State, value};
///
/// let mut book = value!({"99.5": 3, "99.0": 1});
/// book.apply(UntypedChange::new().set("99.5", 4).remove("99.0"));
/// assert_eq!(book, value!({"99.5": 4}));
/// ```
///
/// Keys are found one after the other. A state with more than some hundred of them is faster as a `BTreeMap` or a `HashMap`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UntypedChange(Map);

impl UntypedChange {
    /// A change of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key a new value; null removes it.
    #[must_use]
    pub fn set(mut self, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        self.0.insert(key, value);
        self
    }

    /// Removes a key; one that is not there stays away.
    #[must_use]
    pub fn remove(self, key: impl Into<Value>) -> Self {
        self.set(key, Value::Null)
    }

    /// The keys with their new values, or with null.
    pub fn as_map(&self) -> &Map {
        &self.0
    }
}

impl From<Map> for UntypedChange {
    fn from(map: Map) -> Self {
        Self(map)
    }
}

impl From<UntypedChange> for Map {
    fn from(change: UntypedChange) -> Self {
        change.0
    }
}

impl Model for UntypedChange {
    fn shape(shapes: &mut Shapes) -> Shape {
        Map::shape(shapes)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Map::decode(reader).map(Self)
    }

    fn encode(&self, writer: &mut Writer) {
        // These nulls are no values that are left out for Python, but say something.
        write_with_nulls(writer, &self.0);
    }
}

impl State for Map {
    type Change = UntypedChange;

    fn apply(&mut self, change: UntypedChange) {
        for (key, value) in change.0 {
            match value {
                Value::Null => _ = self.remove_key(&key),
                value => _ = self.insert(key, value),
            }
        }
    }
}

/// What is no map becomes one, as RFC 7396 has it.
impl State for Value {
    type Change = UntypedChange;

    fn apply(&mut self, change: UntypedChange) {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Map::new());
        }
        if let Self::Map(map) = self {
            map.apply(change);
        }
    }
}
