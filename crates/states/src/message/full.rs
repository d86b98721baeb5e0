//! A publication of a full state: the whole of it, or a sign of life of its owner.

use std::time::Duration;

use service_framework_core::failure::code;
use service_framework_core::model::Model as _;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{Encoding, Limits, Peer, Reader, Token, Writer};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Fault};

use super::fields::{self, Known, once, required};

/// A publication of a full state, without the topic that may stand before it.
#[derive(Clone, Debug, PartialEq)]
pub struct FullUpdate<'a> {
    /// How it is written.
    pub encoding: Encoding,
    /// The value, a map; of a sign of life, an empty one.
    pub args: &'a [u8],
    /// The work that it is part of.
    pub workflow_id: Option<WorkflowId<'a>>,
    /// Which of its owner's values it is; an owner in Python does not say.
    pub origin: Option<Origin>,
    /// How often its owner says something at least, if it does.
    pub heartbeat: Option<Duration>,
    /// Whether there is a value in it.
    pub content: Content,
}

/// What a publication of a full state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The value.
    Value,
    /// A sign of life of an owner whose last value has the same origin.
    Heartbeat,
}

/// Which value of a full state it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The start of the owner.
    pub epoch: Uuid,
    /// How often the owner has set the state until then.
    pub number: u64,
}

impl<'a> FullUpdate<'a> {
    /// Reads a publication, in whichever encoding. Keys that are not known are passed over. What does not say which value it is, is a value.
    ///
    /// # Errors
    ///
    /// If it is over a limit, none, or its workflow id is longer than `max_workflow_id_bytes`.
    pub fn read(payload: &'a [u8], limits: &Limits, max_workflow_id_bytes: usize) -> Result<Self, Failure> {
        if payload.len() > limits.max_message_bytes {
            let text = format!("{} bytes, the limit is {}", payload.len(), limits.max_message_bytes);
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        Self::read_map(payload, limits, max_workflow_id_bytes)
            .map_err(|fault| Failure::new(code::BAD_MESSAGE, fault.to_string()))
    }

    fn read_map(payload: &'a [u8], limits: &Limits, max_workflow_id_bytes: usize) -> Result<Self, Fault> {
        if payload.is_empty() {
            return Err(Fault::malformed("an empty message"));
        }
        let encoding = Encoding::of(payload);
        let mut reader = Reader::new(payload, encoding, limits);
        let (mut args, mut workflow_id) = (None, None);
        let (mut epoch, mut number, mut heartbeat_ms, mut is_heartbeat) = (None, None, None, None);
        fields::open_map(&mut reader, |key, reader| match key {
            "args" => once(&mut args, || map(reader)),
            "workflow_id" => once(&mut workflow_id, || WorkflowId::read(reader, max_workflow_id_bytes)),
            "epoch" => once(&mut epoch, || fields::epoch(reader)),
            "current_num" => once(&mut number, || Option::<u64>::decode(reader)),
            "heartbeat_ms" => once(&mut heartbeat_ms, || Option::<u64>::decode(reader)),
            "heartbeat" => once(&mut is_heartbeat, || Option::<bool>::decode(reader)),
            _ => Ok(Known::No),
        })?;
        reader.end()?;
        let origin = epoch.flatten().zip(number.flatten()).map(|(epoch, number)| Origin { epoch, number });
        let heartbeat_ms = heartbeat_ms.flatten().filter(|ms| *ms > 0 && origin.is_some());
        Ok(Self {
            encoding,
            args: required(args, "args")?,
            workflow_id: workflow_id.flatten(),
            origin,
            heartbeat: heartbeat_ms.map(Duration::from_millis),
            content: match is_heartbeat.flatten() {
                Some(true) if origin.is_some() => Content::Heartbeat,
                _ => Content::Value,
            },
        })
    }

    /// Appends it to `out`, where its topic may stand already.
    pub fn append(&self, out: Vec<u8>) -> Vec<u8> {
        let Self { encoding, args, workflow_id, origin, heartbeat, content } = self;
        let is_heartbeat = *content == Content::Heartbeat;
        let mut out = out;
        out.reserve(args.len() + AROUND);
        let mut writer = Writer::append(out, *encoding, Peer::Any);
        let origin_keys = 2 * usize::from(origin.is_some());
        writer.map(2 + origin_keys + usize::from(heartbeat.is_some()) + usize::from(is_heartbeat));
        writer.key("args");
        writer.raw(args);
        writer.key("workflow_id");
        match workflow_id {
            Some(id) => id.write(&mut writer),
            None => writer.null(),
        }
        if let Some(Origin { epoch, number }) = origin {
            writer.key("epoch");
            writer.text(&epoch.to_string());
            writer.key("current_num");
            writer.int((*number).into());
        }
        if let Some(heartbeat) = heartbeat {
            writer.key("heartbeat_ms");
            writer.int(heartbeat.as_millis().clamp(1, u64::MAX.into()) as i128);
        }
        if is_heartbeat {
            writer.key("heartbeat");
            writer.bool(true);
        }
        writer.end_map();
        writer.finish().expect("a flat map of a few keys has no mistake in it")
    }
}

/// Room for what stands around the value, unless the workflow id is long.
const AROUND: usize = 256;

fn map<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    let start = reader.offset();
    match reader.clone().token()? {
        Token::Map(_) => reader.slice(),
        other => Err(reader.mismatch("a map", &other, start)),
    }
}
