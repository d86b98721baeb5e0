//! States that one service owns and others hold copies of: how copies stay equal over a network that loses and repeats.
//!
//! There is no socket here and no clock: what is to be sent comes out, what arrives and the time go in. So a
//! network may be as bad as one likes, and hours pass in a moment:
//!
//! ```
//! use std::time::Instant;
//!
//! use service_framework_core::wire::{self, Encoding, Limits};
//! use service_framework_core::{Value, value};
//! use service_framework_states::delta::reader::{Output, Settings, Status};
//! use service_framework_states::delta::{Owner, Reader};
//! use service_framework_states::{Change, SnapshotReply, Update};
//!
//! # fn main() -> Result<(), service_framework_core::Failure> {
//! fn change(value: &Value) -> Result<Change, service_framework_core::Fault> {
//!     Change::read(&wire::encode(value, Encoding::MessagePack)?, &Limits::default())
//! }
//!
//! let (now, limits) = (Instant::now(), Limits::default());
//! let epoch = "3b241101-e2bb-4255-8caf-4136c566a962".parse()?;
//! let mut owner = Owner::new(epoch, 1_000, None, now);
//! owner.update(change(&value!({"apples": 3, "pears": 1}))?, now)?;
//!
//! // A reader that comes later asks for what it has missed.
//! let mut reader = Reader::new(Settings::default(), now);
//! reader.connected(now);
//! let Some(Output::Ask(_)) = reader.poll() else { panic!("it asks at once") };
//! let reply = SnapshotReply::read(&owner.snapshot().encode_whole(), &limits)?;
//! reader.reply(&reply, now, &mut |_| Ok(()));
//!
//! // From then on, changes are enough.
//! let mut frame = Vec::new();
//! owner.update(change(&value!({"pears": null, "plums": 7}))?, now)?.write(&mut frame);
//! let update = Update::read(&frame, &limits, 256)?;
//! reader.update(update, now, &mut |_| Ok(()));
//! assert_eq!((reader.number(), reader.copy()), (Some(1_002), Some(owner.copy())));
//! assert_eq!(reader.status(), Status::Live);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod copy;
pub mod message;
pub mod delta;
pub mod news;
pub mod owner;
mod alarm;
mod aside;
mod asking;
mod hearing;
mod outbox;
mod delta_update_in;
mod delta_update_out;
mod full_update_in;
mod full_update_out;

pub use copy::{Change, Copy};
pub use delta_update_in::{DeltaUpdateIn, ReaderOptions};
pub use delta_update_out::DeltaUpdateOut;
pub use full_update_in::{FullOptions, FullUpdateIn};
pub use full_update_out::{FullOwner, FullUpdateOut};
pub use message::{FullUpdate, SnapshotReply, SnapshotRequest, Update};
pub use owner::{DeltaOwner, OwnerOptions};
