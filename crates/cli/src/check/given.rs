//! Finds what each key of a config was given, and by whom.

use serde_json::Value as Json;
use service_framework_core::Value;
use service_framework_core::config::Config;
use service_framework_core::problem::Place;
use service_framework_core::wire::{self, Encoding};

/// A key of a config that somebody gave.
pub(super) struct Key {
    /// Its path, such as `a.b`.
    pub(super) name: String,
    /// What it was given, as JSON, if it can be told by its path.
    pub(super) value: Option<Json>,
    /// Who gave it, or where.
    pub(super) origin: String,
}

/// The keys that were given, in the order of the config.
pub(super) fn keys(config: &Config) -> Vec<Key> {
    let key = |(name, origin): (String, Place)| Key {
        value: find(config.value(), &name).and_then(to_json),
        origin: origin.to_string(),
        name,
    };
    config.origins().into_iter().map(key).collect()
}

/// A place as text, if there is one.
pub(super) fn place(place: Option<&Place>) -> Option<String> {
    place.map(Place::to_string)
}

fn to_json(value: &Value) -> Option<Json> {
    serde_json::from_slice(&wire::encode(value, Encoding::Json).ok()?).ok()
}

/// What a path leads to. A key with a dot in it is found before a path through it.
fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| find(value.get(&path[..dot])?, &path[dot + 1..]))
    })
}
