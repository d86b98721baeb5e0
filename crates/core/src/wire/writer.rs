//! Writes values one token at a time, the same for both encodings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Encoding, json, msgpack};
use crate::fault::Fault;

/// Who reads what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A service of this framework.
    #[default]
    Any,
    /// The Python original, which takes less than the wire can carry: map keys are text, nulls are left out, arrays are one
    /// dimension of floats. Decimals that it has no room for, and members of sets that it cannot hash, are mistakes.
    Python,
}

/// The deepest nesting written, as the reader's default limit.
const MAX_DEPTH: usize = 64;

/// Writes a message from front to back.
///
/// Mistakes are kept and told at the end by [`finish`](Self::finish), so that models write without asking after each step.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    encoding: Encoding,
    peer: Peer,
    depth: usize,
    /// In JSON, whether the next element is the first of its container.
    first: bool,
    /// Whether what is written is a member of a set.
    in_set: bool,
    /// Whether mistakes are written all the same.
    for_people: bool,
    fault: Option<Fault>,
}

impl Writer {
    /// A writer with nothing written.
    pub fn new(encoding: Encoding, peer: Peer) -> Self {
        // Most messages are small; growing to this size from nothing would cost several allocations.
        Self::append(Vec::with_capacity(128), encoding, peer)
    }

    /// A writer that appends to `out`.
    pub fn append(out: Vec<u8>, encoding: Encoding, peer: Peer) -> Self {
        Self { out, encoding, peer, depth: 0, first: true, in_set: false, for_people: false, fault: None }
    }

    /// A writer of JSON to be looked at, in which nothing is a mistake.
    pub(crate) fn for_people() -> Self {
        Self { for_people: true, ..Self::new(Encoding::Json, Peer::Any) }
    }

    /// What was written.
    ///
    /// # Errors
    ///
    /// The first mistake, if there was one.
    pub fn finish(self) -> Result<Vec<u8>, Fault> {
        match self.fault {
            None => Ok(self.out),
            Some(fault) => Err(fault),
        }
    }

    /// How it writes.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Who reads it.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Keeps a mistake, unless there was one before.
    pub fn fail(&mut self, fault: Fault) {
        if !self.for_people {
            self.fault.get_or_insert(fault);
        }
    }

    /// Whether a mistake was made, so that nothing more needs to be written.
    pub fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    /// Whether keys must be text for the reader's sake.
    pub fn wants_text_keys(&self) -> bool {
        self.encoding == Encoding::Json || self.peer == Peer::Python
    }

    /// How much is written.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written since that much was.
    pub(crate) fn since(&self, start: usize) -> &[u8] {
        &self.out[start..]
    }

    /// Writes nothing.
    pub fn null(&mut self) {
        match self.encoding {
            Encoding::MessagePack => self.out.push(0xc0),
            Encoding::Json => self.out.extend_from_slice(b"null"),
        }
    }

    /// Writes a boolean.
    pub fn bool(&mut self, flag: bool) {
        match self.encoding {
            Encoding::MessagePack => self.out.push(0xc2 + u8::from(flag)),
            Encoding::Json => self.out.extend_from_slice(if flag { b"true" } else { b"false" }),
        }
    }

    /// Writes an integer; one outside -2^63..2^64 is a mistake.
    pub fn int(&mut self, int: i128) {
        let fits = match self.encoding {
            Encoding::MessagePack => msgpack::write_int(&mut self.out, int),
            Encoding::Json => {
                json::write_int(&mut self.out, int);
                (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&int)
            }
        };
        if !fits {
            self.fail(Fault::mismatch("an integer from -2^63 to 2^64-1", int.to_string()));
        }
    }

    /// Writes a float; JSON has a tag for those that are not finite.
    pub fn float(&mut self, float: f64) {
        match self.encoding {
            Encoding::MessagePack => msgpack::write_float(&mut self.out, float),
            Encoding::Json if float.is_finite() => json::write_float(&mut self.out, float),
            Encoding::Json => {
                let name =
                    if float.is_nan() { "NaN" } else { ["Infinity", "-Infinity"][usize::from(float < 0.0)] };
                self.map(1);
                self.key("__float__");
                self.text(name);
                self.end_map();
            }
        }
    }

    /// Writes a text.
    #[inline]
    pub fn text(&mut self, text: &str) {
        match self.encoding {
            Encoding::MessagePack => msgpack::write_text(&mut self.out, text),
            Encoding::Json => json::write_text(&mut self.out, text),
        }
    }

    /// Writes bytes; JSON has a tag for them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match self.encoding {
            Encoding::MessagePack => msgpack::write_bytes(&mut self.out, bytes),
            Encoding::Json => {
                self.map(2);
                self.key("__bytes__");
                self.bool(true);
                self.key("as_base64");
                self.text(&BASE64.encode(bytes));
                self.end_map();
            }
        }
    }

    /// Writes a value that is already encoded the way this writer writes.
    pub fn raw(&mut self, encoded: &[u8]) {
        self.out.extend_from_slice(encoded);
    }

    /// Opens a map of exactly `length` entries.
    pub fn map(&mut self, length: usize) {
        self.enter();
        match self.encoding {
            Encoding::MessagePack => msgpack::write_map(&mut self.out, length),
            Encoding::Json => self.out.push(b'{'),
        }
    }

    /// Writes a text key; the value comes next.
    #[inline]
    pub fn key(&mut self, key: &str) {
        self.item();
        self.text(key);
        self.colon();
    }

    /// Refuses a key that would turn the map into something else for whoever reads it.
    pub(crate) fn refuse_tag(&mut self, key: &str) {
        if let Some(fault) = tag_fault(key) {
            self.fail(fault);
        }
    }

    /// Writes a key of any kind in MessagePack, unless it would turn the map into something else.
    pub(crate) fn checked_key(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        write(self);
        // The tags are short: as texts they have one byte before them.
        if let [0xa0..=0xbf, text @ ..] = &self.out[start..]
            && text.starts_with(b"__")
            && let Some(fault) = std::str::from_utf8(text).ok().and_then(tag_fault)
        {
            self.fail(fault);
        }
    }

    /// Stands between a key written otherwise (after [`item`](Self::item)) and its value.
    #[inline]
    pub fn colon(&mut self) {
        if self.encoding == Encoding::Json {
            self.out.push(b':');
        }
    }

    /// Closes the map.
    pub fn end_map(&mut self) {
        self.leave(b'}');
    }

    /// Opens a list of exactly `length` items.
    pub fn list(&mut self, length: usize) {
        self.enter();
        match self.encoding {
            Encoding::MessagePack => msgpack::write_list(&mut self.out, length),
            Encoding::Json => self.out.push(b'['),
        }
    }

    /// Writes the members of a set, each of which the reader must be able to hash.
    pub(crate) fn members(&mut self, write: impl FnOnce(&mut Self)) {
        self.in_set = true;
        write(self);
        self.in_set = false;
    }

    /// Whether what is written is a member of a set.
    pub(crate) fn is_in_set(&self) -> bool {
        self.in_set
    }

    /// Stands before each item of a list.
    #[inline]
    pub fn item(&mut self) {
        if self.encoding == Encoding::Json && !std::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
    }

    /// Closes the list.
    pub fn end_list(&mut self) {
        self.leave(b']');
    }

    fn enter(&mut self) {
        self.depth += 1;
        self.first = true;
        if self.depth > MAX_DEPTH {
            self.fail(Fault::malformed(format!("nested deeper than {MAX_DEPTH} levels")));
        }
    }

    fn leave(&mut self, close: u8) {
        self.depth -= 1;
        // The container was an element of what is around it.
        self.first = false;
        if self.encoding == Encoding::Json {
            self.out.push(close);
        }
    }
}

fn tag_fault(key: &str) -> Option<Fault> {
    let tagged = super::tagged_as(key)?;
    Some(Fault::malformed(format!("the key `{key}` marks {tagged} on the wire")))
}
