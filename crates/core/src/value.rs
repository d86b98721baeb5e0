//! A value of unknown shape: everything that the wire can carry.

mod array;
mod date_time;
mod decimal;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};

pub use array::{AnyArray, Array, Element, ElementType};
pub use bytes::Bytes;
pub use date_time::DateTime;
pub use decimal::{Decimal, NotADecimal};
pub use uuid::Uuid;

/// Everything that the wire can carry, with the order of maps kept.
///
/// A date-time is text here, as it is on the wire. Two values are equal when they stand for the same thing and are of
/// the same kind: `Int(2)` is not `Float(2.0)`, and a NaN equals itself, so that a value can be a key.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing. A model never takes it for a required field.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer from -2^63 to 2^64-1.
    Int(i128),
    /// A 64-bit float.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list; a tuple arrives as one.
    List(Vec<Value>),
    /// A map, in the order it was written.
    Map(Map),
    /// A set; no member stands in it twice.
    Set(Vec<Value>),
    /// A decimal number of any precision.
    Decimal(Decimal),
    /// A UUID.
    Uuid(Uuid),
    /// An n-dimensional array of numbers.
    Array(Box<AnyArray>),
}

impl Value {
    /// The entry of a map under a text key; `None` for a missing key and for anything but a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The number as a float, if it is an integer or a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "an integer beyond 2^53 is asked for as a float")]
            Self::Int(int) => Some(*int as f64),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The kind of value as a noun with its article, and the value itself where that is short.
    pub fn named(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(flag) => format!("the boolean {flag}"),
            Self::Int(int) => format!("the integer {int}"),
            Self::Float(float) => format!("the float {float:?}"),
            Self::Text(text) => format!("the text {}", crate::fault::quoted(text)),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Map(_) => "a map".into(),
            Self::Set(members) => format!("a set of {}", members.len()),
            Self::Decimal(decimal) => format!("the decimal {}", short(decimal.as_str())),
            Self::Uuid(uuid) => format!("the UUID {uuid}"),
            Self::Array(array) => format!("an array of {}", array.element_type()),
        }
    }

    /// The value as the text of a map key, where it has one: scalars do, containers and bytes do not.
    pub fn key_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Int(int) => Cow::Owned(int.to_string()),
            Self::Float(float) => Cow::Owned(format!("{float:?}")),
            Self::Decimal(decimal) => Cow::Borrowed(decimal.as_str()),
            Self::Uuid(uuid) => Cow::Owned(uuid.to_string()),
            _ => return None,
        })
    }

    /// Whether Python could put it into a set: maps, sets and arrays cannot be hashed there.
    pub fn is_hashable(&self) -> bool {
        match self {
            Self::Map(_) | Self::Set(_) | Self::Array(_) => false,
            Self::List(items) => items.iter().all(Self::is_hashable),
            _ => true,
        }
    }
}

fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((cut, _)) => Cow::Owned(format!("{}…", &text[..cut])),
        None => Cow::Borrowed(text),
    }
}

/// Scalars print bare, containers as JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key_text() {
            Some(text) => f.write_str(&text),
            None => f.write_str(&crate::wire::show(self)),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => float_key(*a) == float_key(*b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a.len() == b.len() && a.iter().all(|member| b.contains(member)),
            (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(flag) => flag.hash(state),
            Self::Int(int) => int.hash(state),
            Self::Float(float) => float_key(*float).hash(state),
            Self::Text(text) => text.hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
            Self::List(items) => items.hash(state),
            // Order does not count for these two, so only the size may.
            Self::Map(map) => map.len().hash(state),
            Self::Set(members) => members.len().hash(state),
            Self::Decimal(decimal) => decimal.hash(state),
            Self::Uuid(uuid) => uuid.hash(state),
            Self::Array(array) => array.hash(state),
        }
    }
}

/// All NaNs are one value, and the two zeros are two.
fn float_key(float: f64) -> u64 {
    if float.is_nan() { f64::NAN.to_bits() } else { float.to_bits() }
}

/// A map that keeps the order in which it was written; no key stands in it twice.
#[derive(Clone, Debug, Default, Eq)]
pub struct Map(Vec<(Value, Value)>);

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes entries whose keys the caller has found to be different.
    pub(crate) fn from_distinct(entries: Vec<(Value, Value)>) -> Self {
        Self(entries)
    }

    /// The entry under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// The entry under any key.
    pub fn get_key(&self, key: &Value) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Sets an entry, in its old place if the key is there, and gives back what it replaced.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some((_, held)) => Some(std::mem::replace(held, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes the entry under a text key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let position = self.0.iter().position(|(k, _)| k.as_text() == Some(key))?;
        Some(self.0.remove(position).1)
    }

    /// Takes the entry under any key out.
    pub fn remove_key(&mut self, key: &Value) -> Option<Value> {
        let position = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(position).1)
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The text keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(key, _)| key.as_text())
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.0.iter().zip(&other.0).all(|(a, b)| a == b)
            // The order does not count, but is nearly always the same.
            || self.len() == other.len() && self.0.iter().all(|(k, v)| other.get_key(k) == Some(v))
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    /// As if inserted one by one: of two entries with one key the later one's value stands, in the earlier one's place.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries: Vec<_> = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        if first_repeated(entries.iter().map(|(key, _)| key)).is_none() {
            return Self::from_distinct(entries);
        }
        let mut map = Self::new();
        entries.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
        map
    }
}

/// The first value that an earlier one equals.
pub(crate) fn first_repeated<'a>(
    mut values: impl ExactSizeIterator<Item = &'a Value> + Clone,
) -> Option<&'a Value> {
    // Below this, comparing all pairs is faster than hashing.
    const FEW: usize = 8;
    if values.len() <= FEW {
        let all = values.clone();
        return values
            .enumerate()
            .find(|(i, value)| all.clone().take(*i).any(|v| v == *value))
            .map(|(_, v)| v);
    }
    let mut seen = HashSet::with_capacity(values.len());
    values.find(|value| !seen.insert(*value))
}

macro_rules! from {
    ($($type:ty => $value:expr,)*) => {$(
        impl From<$type> for Value {
            fn from(from: $type) -> Self {
                let make: fn($type) -> Value = $value;
                make(from)
            }
        }
    )*};
}

from! {
    bool => Value::Bool,
    i64 => |int| Value::Int(int.into()),
    i32 => |int| Value::Int(int.into()),
    u64 => |int| Value::Int(int.into()),
    u32 => |int| Value::Int(int.into()),
    u16 => |int| Value::Int(int.into()),
    f64 => Value::Float,
    String => Value::Text,
    &str => |text| Value::Text(text.to_owned()),
    Vec<u8> => Value::Bytes,
    Vec<Value> => Value::List,
    Map => Value::Map,
    Decimal => Value::Decimal,
    Uuid => Value::Uuid,
    AnyArray => |array| Value::Array(Box::new(array)),
    DateTime => |time| Value::Text(time.to_string()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(from: Option<T>) -> Self {
        from.map_or(Value::Null, Into::into)
    }
}

/// Writes a [`Value`] as JSON would be written: `value!({"a": [1, 2.5, null], "b": x})`.
///
/// A bare name or an expression in parentheses is anything that turns [`Into`] a value.
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ({ $($key:tt : $value:tt),* $(,)? }) => {
        $crate::Value::Map({
            let entries: Vec<($crate::Value, $crate::Value)> =
                vec![$(($crate::Value::from($key), $crate::value!($value))),*];
            entries.into_iter().collect::<$crate::value::Map>()
        })
    };
    ([ $($item:tt),* $(,)? ]) => { $crate::Value::List(vec![$($crate::value!($item)),*]) };
    ($other:expr) => { $crate::Value::from($other) };
}
