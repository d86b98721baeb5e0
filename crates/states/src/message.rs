//! The messages of states: updates, requests for a snapshot, and the replies to those.
//!
//! Those of delta states are written in MessagePack. Those of others may be JSON, which is turned into MessagePack before it is read.

mod fields;
mod full;
mod given;
mod reply;
mod request;
mod update;

pub use full::{Content, FullUpdate, Origin};
pub use given::Given;
pub(crate) use reply::Head;
pub use reply::{Part, SnapshotReply};
pub use request::{Since, SnapshotRequest, WantedPart};
pub use update::Update;

use std::borrow::Cow;

use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Fault, Value};

/// A message in MessagePack, whatever it is written in.
fn message_pack<'a>(payload: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Fault> {
    if payload.len() > limits.max_message_bytes {
        let text = format!("{} bytes, the limit is {}", payload.len(), limits.max_message_bytes);
        return Err(Fault::malformed(text));
    }
    match Encoding::of(payload) {
        Encoding::MessagePack => Ok(payload.into()),
        Encoding::Json => {
            let value: Value = wire::decode(payload, Encoding::Json, limits)?;
            wire::encode(&value, Encoding::MessagePack).map(Cow::Owned)
        }
    }
}
