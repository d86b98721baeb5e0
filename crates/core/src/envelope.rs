//! The map around the arguments of every message.

use std::time::Duration;

use crate::failure::{Failure, code};
use crate::fault::Fault;
use crate::model::{Model, derive};
use crate::wire::{self, Encoding, Limits, Peer, Reader, Writer};
use crate::workflow::{self, WorkflowId, pass_usual_uuid};

/// A request or a publication, read as far as its envelope goes: the arguments stay bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// How it is written, and the reply to it will be.
    pub encoding: Encoding,
    /// The map of arguments, not yet checked.
    pub args: &'a [u8],
    /// The id of its workflow, if it has one.
    pub workflow_id: Option<WorkflowId<'a>>,
    /// The id as it was written, which the reply repeats; null where there was none.
    pub workflow_bytes: &'a [u8],
    /// The time that was left for the answer when it was sent.
    pub deadline: Option<Duration>,
}

/// Why a message was not read, and what its answer repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal<'a> {
    /// What to answer.
    pub failure: Failure,
    /// How to answer.
    pub encoding: Encoding,
    /// The workflow id as it was written, if it was read before the fault.
    pub workflow_bytes: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the envelope. Keys that it does not know are skipped: extensions live there.
    ///
    /// # Errors
    ///
    /// If the message is over the limit or no envelope, or its workflow id is longer than `max_workflow_id_bytes`.
    pub fn read(
        payload: &'a [u8],
        limits: &Limits,
        max_workflow_id_bytes: usize,
    ) -> Result<Self, Refusal<'a>> {
        let encoding = Encoding::of(payload);
        let mut workflow_bytes = workflow::null(encoding);
        let refusal = |failure, workflow_bytes| Refusal { failure, encoding, workflow_bytes };
        if payload.len() > limits.max_message_bytes {
            let text = format!("{} bytes, the limit is {}", payload.len(), limits.max_message_bytes);
            return Err(refusal(Failure::new(code::TOO_LARGE, text), workflow_bytes));
        }
        if let Some(request) = Self::read_usual(payload, limits, max_workflow_id_bytes) {
            return Ok(request);
        }
        Self::read_map(payload, encoding, limits, max_workflow_id_bytes, &mut workflow_bytes)
            .map_err(|fault| refusal(Failure::new(code::BAD_MESSAGE, fault.to_string()), workflow_bytes))
    }

    /// Reads a request that is laid out as ours and those of Python are. Any other is read the long way, which also names every fault.
    fn read_usual(payload: &'a [u8], limits: &Limits, max_workflow_id_bytes: usize) -> Option<Self> {
        let encoding = Encoding::MessagePack;
        let mut reader = Reader::new(payload, encoding, limits);
        let has_deadline = reader.pass_into(b"\x83\xa4args", 2);
        if !has_deadline && !reader.pass_into(b"\x82\xa4args", 2) {
            return None;
        }
        let args = reader.slice().ok().filter(|args| is_map(args, encoding))?;
        if !reader.pass(b"\xabworkflow_id", 1) {
            return None;
        }
        let read = |reader: &mut Reader<'a>| WorkflowId::read(reader, max_workflow_id_bytes);
        let (workflow_id, workflow_bytes) = reader.slice_of(read).ok()?;
        let deadline = if has_deadline {
            let is_there = reader.pass(b"\xabdeadline_ms", 1);
            Some(Duration::from_millis(u64::decode(&mut reader).ok().filter(|_| is_there)?))
        } else {
            None
        };
        reader.end().ok()?;
        Some(Self { encoding, args, workflow_id, workflow_bytes, deadline })
    }

    fn read_map(
        payload: &'a [u8],
        encoding: Encoding,
        limits: &Limits,
        max_workflow_id_bytes: usize,
        workflow_bytes: &mut &'a [u8],
    ) -> Result<Self, Fault> {
        let mut reader = start(payload, encoding, limits)?;
        let mut entries = crate::model::map(&mut reader)?;
        let (mut args, mut workflow_id, mut deadline) = (None, None, None);
        while let Some((at, key)) = derive::key(&mut entries, &mut reader)? {
            let step = |fault: Fault| fault.within(&String::from_utf8_lossy(&key));
            match &*key {
                b"args" if args.is_none() => args = Some(reader.slice().map_err(step)?),
                b"workflow_id" if workflow_id.is_none() => {
                    let read = |reader: &mut Reader<'a>| WorkflowId::read(reader, max_workflow_id_bytes);
                    let (id, bytes) = reader.slice_of(read).map_err(step)?;
                    *workflow_bytes = bytes;
                    workflow_id = Some(id);
                }
                b"deadline_ms" if deadline.is_none() => {
                    deadline = Some(Duration::from_millis(u64::decode(&mut reader).map_err(step)?));
                }
                b"args" | b"workflow_id" | b"deadline_ms" => return Err(step(twice())),
                _ => derive::utf8(&key, at).and_then(|_| reader.skip().map_err(step))?,
            }
        }
        reader.end()?;
        let args = args.ok_or_else(|| Fault::missing().within("args"))?;
        if !is_map(args, encoding) {
            return Err(Fault::mismatch("a map", "something else").within("args"));
        }
        Ok(Self { encoding, args, workflow_id: workflow_id.flatten(), workflow_bytes, deadline })
    }

    /// Writes a request or publication around arguments that are encoded already.
    pub fn write(
        encoding: Encoding,
        args: &[u8],
        workflow_id: Option<&WorkflowId<'_>>,
        deadline: Option<Duration>,
    ) -> Vec<u8> {
        Self::append(Vec::with_capacity(args.len() + AROUND), encoding, args, workflow_id, deadline)
    }

    /// Writes the same behind what is in `out` already, such as a topic.
    pub fn append(
        mut out: Vec<u8>,
        encoding: Encoding,
        args: &[u8],
        workflow_id: Option<&WorkflowId<'_>>,
        deadline: Option<Duration>,
    ) -> Vec<u8> {
        out.reserve(args.len() + AROUND);
        if encoding == Encoding::MessagePack {
            return Self::append_message_pack(out, args, workflow_id, deadline);
        }
        let mut writer = Writer::append(out, encoding, Peer::Any);
        writer.map(2 + usize::from(deadline.is_some()));
        writer.key("args");
        writer.raw(args);
        writer.key("workflow_id");
        workflow::write(workflow_id, &mut writer);
        if let Some(deadline) = deadline {
            writer.key("deadline_ms");
            writer.int(deadline.as_millis().min(u64::MAX.into()) as i128);
        }
        writer.end_map();
        writer.finish().expect("a flat map of a few keys has no mistake in it")
    }

    /// The same in the encoding of most messages, put together from what never changes.
    fn append_message_pack(
        mut out: Vec<u8>,
        args: &[u8],
        workflow_id: Option<&WorkflowId<'_>>,
        deadline: Option<Duration>,
    ) -> Vec<u8> {
        out.extend_from_slice(if deadline.is_some() { b"\x83\xa4args" } else { b"\x82\xa4args" });
        out.extend_from_slice(args);
        out.extend_from_slice(b"\xabworkflow_id");
        workflow::append_message_pack(&mut out, workflow_id);
        if let Some(deadline) = deadline {
            out.extend_from_slice(b"\xabdeadline_ms");
            wire::append_int(&mut out, u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX));
        }
        out
    }

    /// Writes a request of ours anew that says how long its caller waits, and has waited to be sent meanwhile.
    /// `None` for one that does not say so.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use service_framework_core::envelope::Request;
    /// use service_framework_core::wire::Encoding;
    /// let at_first = Request::write(Encoding::Json, b"{}", None, Some(Duration::from_secs(5)));
    /// let later = Request::with_time_left(&at_first, Duration::from_secs(4)).expect("it has a deadline");
    /// assert_eq!(at_first, br#"{"args":{},"workflow_id":null,"deadline_ms":5000}"#);
    /// assert_eq!(later, br#"{"args":{},"workflow_id":null,"deadline_ms":4000}"#);
    ///
    /// let without = Request::write(Encoding::Json, b"{}", None, None);
    /// assert_eq!(Request::with_time_left(&without, Duration::ZERO), None);
    /// ```
    pub fn with_time_left(payload: &'a [u8], left: Duration) -> Option<Vec<u8>> {
        // What its author was allowed to write is read again, whatever others may send.
        let limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
        let request = Self::read(payload, &limits, usize::MAX).ok()?;
        request.deadline?;
        let Self { encoding, args, workflow_id, .. } = request;
        Some(Self::write(encoding, args, workflow_id.as_ref(), Some(left)))
    }
}

/// Room for what stands around the arguments, unless the workflow id is long.
const AROUND: usize = 128;

/// Starts reading a message, which is never empty.
fn start<'a>(payload: &'a [u8], encoding: Encoding, limits: &Limits) -> Result<Reader<'a>, Fault> {
    if payload.is_empty() {
        return Err(Fault::malformed("an empty message"));
    }
    if encoding == Encoding::MessagePack && is_json_behind_something(payload) {
        let text = "a JSON message begins with `{`, without blanks or a byte order mark before it";
        return Err(Fault::malformed(text));
    }
    Ok(Reader::new(payload, encoding, limits))
}

/// Whether a message that does not begin with a map, and so is none, was meant to be JSON.
fn is_json_behind_something(payload: &[u8]) -> bool {
    let behind_mark = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    let rest = behind_mark.trim_ascii_start();
    rest.len() < payload.len() && rest.starts_with(b"{")
}

fn twice() -> Fault {
    Fault::malformed("the key stands twice")
}

fn is_map(value: &[u8], encoding: Encoding) -> bool {
    let first = value.first();
    match encoding {
        Encoding::Json => first == Some(&b'{'),
        Encoding::MessagePack => matches!(first, Some(0x80..=0x8f | 0xde | 0xdf)),
    }
}

/// The reply to a request, read as far as its envelope goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<'a> {
    /// How it is written.
    pub encoding: Encoding,
    /// The map of return arguments, not yet checked; or why there is none.
    pub outcome: Result<&'a [u8], Failure>,
}

impl<'a> Reply<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    ///
    /// If the message is over the limit or no envelope of a reply.
    pub fn read(payload: &'a [u8], limits: &Limits) -> Result<Self, Failure> {
        if payload.len() > limits.max_message_bytes {
            let text =
                format!("a reply of {} bytes, the limit is {}", payload.len(), limits.max_message_bytes);
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        if let Some(reply) = Self::read_usual(payload, limits) {
            return Ok(reply);
        }
        Self::read_map(payload, limits)
            .map_err(|fault| Failure::new(code::BAD_MESSAGE, format!("the reply is broken: {fault}")))
    }

    /// Reads a reply with a result that is laid out as ours and those of Python are; any other is read the long way.
    fn read_usual(payload: &'a [u8], limits: &Limits) -> Option<Self> {
        let encoding = Encoding::MessagePack;
        let mut reader = Reader::new(payload, encoding, limits);
        if !reader.pass_into(b"\x82\xabreturn_args", 2) {
            return None;
        }
        let returned = reader.slice().ok().filter(|returned| is_map(returned, encoding))?;
        if !reader.pass(b"\xabworkflow_id", 1) {
            return None;
        }
        // Whose reply it is, the connection knows.
        if pass_usual_uuid(&mut reader).is_none() {
            reader.skip().ok()?;
        }
        reader.end().ok()?;
        Some(Self { encoding, outcome: Ok(returned) })
    }

    fn read_map(payload: &'a [u8], limits: &Limits) -> Result<Self, Fault> {
        let encoding = Encoding::of(payload);
        let mut reader = start(payload, encoding, limits)?;
        let mut entries = crate::model::map(&mut reader)?;
        let (mut return_args, mut failure) = (None, None);
        while let Some((at, key)) = derive::key(&mut entries, &mut reader)? {
            let step = |fault: Fault| fault.within(&String::from_utf8_lossy(&key));
            match &*key {
                b"return_args" if return_args.is_none() => return_args = Some(reader.slice().map_err(step)?),
                b"error" if failure.is_none() => {
                    failure = Some(Option::<Failure>::decode(&mut reader).map_err(step)?);
                }
                b"return_args" | b"error" => return Err(step(twice())),
                _ => derive::utf8(&key, at).and_then(|_| reader.skip().map_err(step))?,
            }
        }
        reader.end()?;
        let outcome = match (failure.flatten(), return_args) {
            (Some(failure), _) => Err(failure),
            (None, Some(args)) if is_map(args, encoding) => Ok(args),
            (None, Some(_)) => return Err(Fault::mismatch("a map", "something else").within("return_args")),
            (None, None) => return Err(Fault::missing().within("return_args")),
        };
        Ok(Self { encoding, outcome })
    }

    /// Starts a reply: what stands before the return arguments.
    pub fn head(encoding: Encoding) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match encoding {
            Encoding::MessagePack => out.extend_from_slice(b"\x82\xabreturn_args"),
            Encoding::Json => out.extend_from_slice(b"{\"return_args\":"),
        }
        out
    }

    /// Ends a reply: what stands after the return arguments, with the request's workflow id as it was written.
    pub fn tail(out: &mut Vec<u8>, encoding: Encoding, workflow_bytes: &[u8]) {
        match encoding {
            Encoding::MessagePack => {
                out.extend_from_slice(b"\xabworkflow_id");
                out.extend_from_slice(workflow_bytes);
            }
            Encoding::Json => {
                out.extend_from_slice(b",\"workflow_id\":");
                out.extend_from_slice(workflow_bytes);
                out.push(b'}');
            }
        }
    }

    /// Writes a reply that says why there is no result.
    pub fn failure(encoding: Encoding, workflow_bytes: &[u8], failure: &Failure) -> Vec<u8> {
        let mut writer = Writer::append(Vec::with_capacity(256), encoding, Peer::Any);
        writer.map(3);
        writer.key("return_args");
        writer.null();
        writer.key("workflow_id");
        writer.raw(workflow_bytes);
        writer.key("error");
        failure.encode(&mut writer);
        writer.end_map();
        writer.finish().unwrap_or_else(|_| {
            // Only the author's data can be beyond the wire; the code and the message always fit.
            Self::failure(encoding, workflow_bytes, &failure.without_data())
        })
    }
}

#[cfg(test)]
mod tests;
