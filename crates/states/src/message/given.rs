//! What a service publishes of a delta state, before it has a number.

use service_framework_core::Fault;
use service_framework_core::model::Model as _;
use service_framework_core::wire::{Encoding, Limits, Reader};

use super::fields::{self, Known, once, required};
use crate::copy::{Change, Decimals};

/// What a service publishes of a delta state, as it comes from the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The change, or the whole state.
    pub state: Change,
    /// Whether it is the whole state.
    pub is_snapshot: bool,
    /// Its number, if the service numbers by itself.
    pub number: Option<i64>,
}

impl Given {
    /// Reads the arguments of an update, in whichever encoding: `state`, `is_snapshot`, and perhaps `current_num`.
    ///
    /// # Errors
    ///
    /// If they are no such map.
    pub fn read(args: &[u8], limits: &Limits) -> Result<Self, Fault> {
        let args = super::message_pack(args, limits)?;
        let mut reader = Reader::new(&args, Encoding::MessagePack, limits);
        let (mut number, mut is_snapshot, mut state) = (None, None, None);
        let read = |key: &str, reader: &mut Reader<'_>| match key {
            "current_num" => once(&mut number, || Option::<i64>::decode(reader)),
            "is_snapshot" => once(&mut is_snapshot, || bool::decode(reader)),
            "state" => once(&mut state, || Change::read_from(reader, Decimals::Shortened)),
            _ => Ok(Known::No),
        };
        fields::closed_map(&mut reader, read, &["current_num", "is_snapshot", "state"])?;
        reader.end()?;
        Ok(Self {
            state: required(state, "state")?,
            is_snapshot: required(is_snapshot, "is_snapshot")?,
            number: number.flatten(),
        })
    }
}
