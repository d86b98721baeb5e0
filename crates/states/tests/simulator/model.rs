//! States as simple as can be, to hold copies against.

use std::collections::BTreeMap;

use service_framework_core::wire::Limits;
use service_framework_states::{Change, Copy};

/// Letters with numbers.
pub(crate) type Model = BTreeMap<u8, u32>;

/// A change of one: a number to put, or none to remove.
pub(crate) type Edit = BTreeMap<u8, Option<u32>>;

/// What the top level of RFC 7396 says.
pub(crate) fn edit(model: &mut Model, edit: &Edit) {
    for (key, value) in edit {
        match value {
            Some(value) => _ = model.insert(*key, *value),
            None => _ = model.remove(key),
        }
    }
}

pub(crate) fn change_of(edit: &Edit) -> Change {
    let mut map = vec![0xde, 0, edit.len() as u8];
    for (key, value) in edit {
        map.extend([0xa1, *key]);
        match value {
            Some(value) => {
                map.push(0xce);
                map.extend(value.to_be_bytes());
            }
            None => map.push(0xc0),
        }
    }
    Change::read(&map, &Limits::default()).unwrap()
}

pub(crate) fn whole(model: &Model) -> Edit {
    model.iter().map(|(key, value)| (*key, Some(*value))).collect()
}

pub(crate) fn edit_of(change: &Change) -> Edit {
    change.iter().map(|(key, value)| (key[1], value.map(number))).collect()
}

pub(crate) fn model_of(copy: &Copy) -> Model {
    copy.iter().map(|(key, value)| (key[1], number(value))).collect()
}

pub(crate) fn equals(copy: &Copy, model: &Model) -> bool {
    copy.len() == model.len() && copy.iter().all(|(key, value)| model.get(&key[1]) == Some(&number(value)))
}

fn number(value: &[u8]) -> u32 {
    u32::from_be_bytes(value[1..5].try_into().unwrap())
}
