//! An update of a delta state: a change, or a snapshot, with its number.

use service_framework_core::Fault;
use service_framework_core::model::Model as _;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{Encoding, Limits, Peer, Reader, Writer};
use service_framework_core::workflow::WorkflowId;

use super::fields::{self, Known, once, required};
use crate::copy::{Change, Decimals};

/// An update of a delta state, without the topic that may stand before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its number: each change is one above the last.
    pub number: i64,
    /// Whether it is the whole state.
    pub is_snapshot: bool,
    /// The change, or the whole state.
    pub state: Change,
    /// The start of its owner that it belongs to; an owner in Python has none.
    pub epoch: Option<Uuid>,
    /// The digest of the owner's state after it, if the owner says.
    pub digest: Option<u64>,
    /// The work that it is part of.
    pub workflow_id: Option<WorkflowId<'static>>,
}

impl Update {
    /// Reads an update, in whichever encoding.
    ///
    /// # Errors
    ///
    /// If it is over a limit, none, or its workflow id is longer than `max_workflow_id_bytes`.
    pub fn read(payload: &[u8], limits: &Limits, max_workflow_id_bytes: usize) -> Result<Self, Fault> {
        let payload = super::message_pack(payload, limits)?;
        let mut reader = Reader::new(&payload, Encoding::MessagePack, limits);
        let (mut args, mut epoch, mut digest, mut workflow_id) = (None, None, None, None);
        fields::open_map(&mut reader, |key, reader| match key {
            "args" => once(&mut args, || Args::read(reader)),
            "epoch" => once(&mut epoch, || fields::epoch(reader)),
            "digest" => once(&mut digest, || Option::<u64>::decode(reader)),
            "workflow_id" => once(&mut workflow_id, || {
                Ok(WorkflowId::read(reader, max_workflow_id_bytes)?.map(WorkflowId::into_owned))
            }),
            _ => Ok(Known::No),
        })?;
        reader.end()?;
        let Args { number, is_snapshot, mut state } = required(args, "args")?;
        if is_snapshot {
            // What is long is read away from a service's thread.
            state.make_whole();
        }
        let (epoch, digest) = (epoch.flatten(), digest.flatten());
        Ok(Self { number, is_snapshot, state, epoch, digest, workflow_id: workflow_id.flatten() })
    }

    /// Appends the update in MessagePack to `out`, where its topic may stand already.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.state.size_bytes() + AROUND);
        let mut writer = Writer::append(std::mem::take(out), Encoding::MessagePack, Peer::Any);
        writer.map(2 + usize::from(self.epoch.is_some()) + usize::from(self.digest.is_some()));
        writer.key("args");
        writer.map(3);
        writer.key("current_num");
        writer.int(self.number.into());
        writer.key("is_snapshot");
        writer.bool(self.is_snapshot);
        writer.key("state");
        *out = writer.finish().expect(PLAIN);
        self.state.write(out);
        let mut writer = Writer::append(std::mem::take(out), Encoding::MessagePack, Peer::Any);
        writer.key("workflow_id");
        match &self.workflow_id {
            Some(id) => id.write(&mut writer),
            None => writer.null(),
        }
        if let Some(epoch) = self.epoch {
            writer.key("epoch");
            writer.text(&epoch.to_string());
        }
        if let Some(digest) = self.digest {
            writer.key("digest");
            writer.int(digest.into());
        }
        *out = writer.finish().expect(PLAIN);
    }
}

/// Room for what stands around the state.
const AROUND: usize = 192;

const PLAIN: &str = "flat maps of a few keys have no mistake in them";

struct Args {
    number: i64,
    is_snapshot: bool,
    state: Change,
}

impl Args {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let (mut number, mut is_snapshot, mut state) = (None, None, None);
        let read = |key: &str, reader: &mut Reader<'_>| match key {
            "current_num" => once(&mut number, || i64::decode(reader)),
            "is_snapshot" => once(&mut is_snapshot, || bool::decode(reader)),
            "state" => once(&mut state, || Change::read_from(reader, Decimals::Refused)),
            _ => Ok(Known::No),
        };
        fields::closed_map(reader, read, &["current_num", "is_snapshot", "state"])?;
        Ok(Self {
            number: required(number, "current_num")?,
            is_snapshot: required(is_snapshot, "is_snapshot")?,
            state: required(state, "state")?,
        })
    }
}
