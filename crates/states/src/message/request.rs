//! A reader's request for a snapshot.

use service_framework_core::Fault;
use service_framework_core::model::Model as _;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{Encoding, Limits, Peer, Reader, Writer};

use super::fields::{self, Known, once, required};

/// A request for a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// How it is written, and the reply to it will be.
    pub encoding: Encoding,
    /// What the asker holds, if it is one of ours. Any other gets the whole state in one reply, and never an error.
    pub since: Option<Since>,
    /// The part that it wants, if not the first or all.
    pub part: Option<WantedPart>,
}

/// What a reader of ours holds, and how much it takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The start of the owner that its copy belongs to.
    pub epoch: Option<Uuid>,
    /// The number of its copy.
    pub number: Option<i64>,
    /// The longest reply that it takes.
    pub max_bytes: u64,
}

/// A part of a snapshot other than its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedPart {
    /// Counted from 0.
    pub index: u32,
    /// The number of the snapshot that the parts before were of.
    pub number: i64,
}

impl SnapshotRequest {
    /// Reads a request, in whichever encoding.
    ///
    /// # Errors
    ///
    /// If it is over a limit, or none.
    pub fn read(payload: &[u8], limits: &Limits) -> Result<Self, Fault> {
        let encoding = Encoding::of(payload);
        let payload = super::message_pack(payload, limits)?;
        let mut reader = Reader::new(&payload, Encoding::MessagePack, limits);
        let (mut args, mut since, mut part) = (None, None, None);
        fields::open_map(&mut reader, |key, reader| match key {
            "args" => once(&mut args, || fields::closed_map(reader, |_, _| Ok(Known::No), &["none"])),
            "since" => {
                once(&mut since, || if reader.null()? { Ok(None) } else { Since::read(reader).map(Some) })
            }
            "part" => {
                once(&mut part, || if reader.null()? { Ok(None) } else { WantedPart::read(reader).map(Some) })
            }
            _ => Ok(Known::No),
        })?;
        reader.end()?;
        required(args, "args")?;
        Ok(Self { encoding, since: since.flatten(), part: part.flatten() })
    }

    /// Writes the request in MessagePack.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
        writer.map(1 + usize::from(self.since.is_some()) + usize::from(self.part.is_some()));
        writer.key("args");
        writer.map(0);
        writer.end_map();
        if let Some(Since { epoch, number, max_bytes }) = self.since {
            writer.key("since");
            writer.map(1 + usize::from(epoch.is_some()) + usize::from(number.is_some()));
            if let Some(epoch) = epoch {
                writer.key("epoch");
                writer.text(&epoch.to_string());
            }
            if let Some(number) = number {
                writer.key("current_num");
                writer.int(number.into());
            }
            writer.key("max_bytes");
            writer.int(max_bytes.into());
            writer.end_map();
        }
        if let Some(WantedPart { index, number }) = self.part {
            writer.key("part");
            writer.map(2);
            writer.key("index");
            writer.int(index.into());
            writer.key("current_num");
            writer.int(number.into());
            writer.end_map();
        }
        writer.end_map();
        writer.finish().expect("flat maps of a few keys have no mistake in them")
    }
}

impl Since {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let (mut epoch, mut number, mut max_bytes) = (None, None, None);
        fields::open_map(reader, |key, reader| match key {
            "epoch" => once(&mut epoch, || fields::epoch(reader)),
            "current_num" => once(&mut number, || Option::<i64>::decode(reader)),
            "max_bytes" => once(&mut max_bytes, || u64::decode(reader)),
            _ => Ok(Known::No),
        })?;
        let max_bytes = required(max_bytes, "max_bytes")?;
        Ok(Self { epoch: epoch.flatten(), number: number.flatten(), max_bytes })
    }
}

impl WantedPart {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let (mut index, mut number) = (None, None);
        fields::open_map(reader, |key, reader| match key {
            "index" => once(&mut index, || u32::decode(reader)),
            "current_num" => once(&mut number, || i64::decode(reader)),
            _ => Ok(Known::No),
        })?;
        Ok(Self { index: required(index, "index")?, number: required(number, "current_num")? })
    }
}
