//! An owner's reply to a request for a snapshot.

use std::time::Duration;

use service_framework_core::Fault;
use service_framework_core::failure::{Failure, code};
use service_framework_core::model::Model as _;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{Encoding, Limits, Peer, Reader, Writer};

use super::fields::{self, Known, once, required};
use crate::copy::{Change, Copy, Decimals, Entry};

/// A snapshot, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotReply {
    /// The whole state, or the entries of this part of it.
    pub state: Copy,
    /// The number of the last update that is in it. An owner in Python says 0, which means nothing.
    pub number: i64,
    /// The start of the owner; an owner in Python has none.
    pub epoch: Option<Uuid>,
    /// The digest of the whole state, if the owner says.
    pub digest: Option<u64>,
    /// How often the owner publishes at least; `None` if it may be silent for ever, or does not say.
    pub heartbeat: Option<Duration>,
    /// Which part it is; none if it is the whole.
    pub part: Option<Part>,
}

/// Which part of a snapshot a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Counted from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

/// What stands around the state of a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) number: i64,
    pub(crate) epoch: Option<Uuid>,
    pub(crate) digest: Option<u64>,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) part: Option<Part>,
}

impl SnapshotReply {
    /// Reads a reply, in whichever encoding.
    ///
    /// # Errors
    ///
    /// If the owner says why there is no snapshot; or if the message is over a limit, or no reply.
    pub fn read(payload: &[u8], limits: &Limits) -> Result<Self, Failure> {
        if payload.len() > limits.max_message_bytes {
            let text =
                format!("a reply of {} bytes, the limit is {}", payload.len(), limits.max_message_bytes);
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        let broken = |fault| Failure::new(code::BAD_MESSAGE, format!("the reply is broken: {fault}"));
        Self::read_map(payload, limits).map_err(broken)?
    }

    fn read_map(payload: &[u8], limits: &Limits) -> Result<Result<Self, Failure>, Fault> {
        let payload = super::message_pack(payload, limits)?;
        let mut reader = Reader::new(&payload, Encoding::MessagePack, limits);
        let (mut returned, mut failure, mut epoch) = (None, None, None);
        let (mut digest, mut heartbeat, mut part) = (None, None, None);
        fields::open_map(&mut reader, |key, reader| match key {
            "return_args" => {
                once(
                    &mut returned,
                    || if reader.null()? { Ok(None) } else { read_returned(reader).map(Some) },
                )
            }
            "error" => once(&mut failure, || Option::<Failure>::decode(reader)),
            "epoch" => once(&mut epoch, || fields::epoch(reader)),
            "digest" => once(&mut digest, || Option::<u64>::decode(reader)),
            "heartbeat_ms" => once(&mut heartbeat, || Option::<u64>::decode(reader)),
            "part" => {
                once(&mut part, || if reader.null()? { Ok(None) } else { Part::read(reader).map(Some) })
            }
            _ => Ok(Known::No),
        })?;
        reader.end()?;
        if let Some(failure) = failure.flatten() {
            return Ok(Err(failure));
        }
        let (number, state) = required(returned.flatten(), "return_args")?;
        let (epoch, digest, part) = (epoch.flatten(), digest.flatten(), part.flatten());
        // None at all, as with the updates of full states: a copy would be stale at once, again and again.
        let heartbeat = heartbeat.flatten().filter(|ms| *ms > 0).map(Duration::from_millis);
        Ok(Ok(Self { state, number, epoch, digest, heartbeat, part }))
    }

    /// Writes the reply in MessagePack.
    pub fn write(&self) -> Vec<u8> {
        let Self { number, epoch, digest, heartbeat, part, ref state } = *self;
        let head = Head { number, epoch, digest, heartbeat, part };
        head.write(state.len(), state.entries(), state.size_bytes())
    }
}

impl Head {
    /// Writes a reply around so many entries, which have about so many bytes.
    pub(crate) fn write<'a>(
        &self,
        length: usize,
        entries: impl Iterator<Item = &'a Entry>,
        size_bytes: usize,
    ) -> Vec<u8> {
        let out = Vec::with_capacity(size_bytes + Self::MAX_BYTES);
        let mut writer = Writer::append(out, Encoding::MessagePack, Peer::Any);
        let extensions =
            [self.epoch.is_some(), self.digest.is_some(), self.heartbeat.is_some(), self.part.is_some()];
        writer.map(2 + extensions.into_iter().map(usize::from).sum::<usize>());
        writer.key("return_args");
        writer.map(2);
        writer.key("state");
        writer.map(length);
        entries.for_each(|entry| writer.raw(entry.bytes()));
        writer.end_map();
        writer.key("current_num");
        writer.int(self.number.into());
        writer.end_map();
        writer.key("workflow_id");
        writer.null();
        if let Some(epoch) = self.epoch {
            writer.key("epoch");
            writer.text(&epoch.to_string());
        }
        if let Some(digest) = self.digest {
            writer.key("digest");
            writer.int(digest.into());
        }
        if let Some(heartbeat) = self.heartbeat {
            writer.key("heartbeat_ms");
            // Less than a millisecond is not none.
            writer.int(heartbeat.as_millis().max(1) as i128);
        }
        if let Some(Part { index, count }) = self.part {
            writer.key("part");
            writer.map(2);
            writer.key("index");
            writer.int(index.into());
            writer.key("count");
            writer.int(count.into());
            writer.end_map();
        }
        writer.end_map();
        writer.finish().expect("flat maps of a few keys have no mistake in them")
    }

    /// What stands around the entries has no more bytes than this.
    pub(crate) const MAX_BYTES: usize = 224;
}

/// What is long is read away from a service's thread, so that the copy is made of it here, too.
fn read_returned(reader: &mut Reader<'_>) -> Result<(i64, Copy), Fault> {
    let (mut number, mut state) = (None, None);
    let read = |key: &str, reader: &mut Reader<'_>| match key {
        "current_num" => once(&mut number, || i64::decode(reader)),
        "state" => once(&mut state, || Ok(Copy::of(&Change::read_from(reader, Decimals::Refused)?))),
        _ => Ok(Known::No),
    };
    fields::closed_map(reader, read, &["state", "current_num"])?;
    Ok((required(number, "current_num")?, required(state, "state")?))
}

impl Part {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let (mut index, mut count) = (None, None);
        fields::open_map(reader, |key, reader| match key {
            "index" => once(&mut index, || u32::decode(reader)),
            "count" => once(&mut count, || u32::decode(reader)),
            _ => Ok(Known::No),
        })?;
        let part = Self { index: required(index, "index")?, count: required(count, "count")? };
        match part.index < part.count {
            true => Ok(part),
            false => {
                let found = format!("{} of {}", part.index, part.count);
                Err(Fault::mismatch("an index below the count", found))
            }
        }
    }
}
