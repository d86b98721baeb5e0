//! One update of a state: the whole or a change, with its number.

use std::fmt;

use super::State;
use crate::fault::Fault;
use crate::model::{Model, Shape, Shapes};
use crate::value::Value;
use crate::wire::{self, Encoding, Limits, Reader, Writer};

/// One update of a state that changes key by key. On the wire it is the map `{"current_num": .., "is_snapshot": .., "state": ..}`.
///
/// ```
/// use std::collections::BTreeMap;
/// use service_framework_core::state::{Content, MapChange, Update};
///
/// let update: Update<BTreeMap<String, u32>> = Update::change(7, MapChange::new().remove("99.5"));
/// assert!(matches!(update.content, Content::Change(_)));
/// ```
pub struct Update<S: State> {
    /// The owner's number of it, one above that of the update before.
    pub current_num: i64,
    /// What is new.
    pub content: Content<S>,
}

/// What is new by an update.
pub enum Content<S: State> {
    /// This is the value, whatever it was.
    Snapshot(S),
    /// The value has changed by this.
    Change(S::Change),
}

impl<S: State> Update<S> {
    /// The update that says the whole value.
    pub fn snapshot(current_num: i64, state: S) -> Self {
        Self { current_num, content: Content::Snapshot(state) }
    }

    /// The update that says what has changed.
    pub fn change(current_num: i64, change: S::Change) -> Self {
        Self { current_num, content: Content::Change(change) }
    }
}

impl<S: State> Content<S> {
    /// Whether it is the whole value.
    pub fn is_snapshot(&self) -> bool {
        matches!(self, Self::Snapshot(_))
    }

    /// Reads the value of `state`.
    ///
    /// # Errors
    ///
    /// If it is none.
    #[doc(hidden)]
    pub fn read(reader: &mut Reader<'_>, is_snapshot: bool) -> Result<Self, Fault> {
        match is_snapshot {
            true => S::decode(reader).map(Self::Snapshot),
            false => S::Change::decode(reader).map(Self::Change),
        }
    }
}

impl<S: State> Model for Update<S> {
    fn shape(shapes: &mut Shapes) -> Shape {
        shapes.record::<Self>("Update", "", true, |shapes| {
            let fields =
                [("current_num", i64::shape(shapes)), ("is_snapshot", Shape::Bool), ("state", Shape::Any)];
            let field = |(name, shape): (&str, Shape)| crate::model::Field {
                name: name.to_owned(),
                doc: String::new(),
                required: true,
                shape,
            };
            fields.map(field).into()
        })
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        let read = Parts::read(reader, Content::read)?;
        let missing = |name: &str| Fault::missing().within(name).at_offset(start);
        Ok(Self {
            current_num: read.current_num.ok_or_else(|| missing("current_num"))?,
            content: read.state.ok_or_else(|| missing("state"))?,
        })
    }

    fn encode(&self, writer: &mut Writer) {
        self.content.encode_numbered(writer, Some(self.current_num));
    }
}

impl<S: State> Content<S> {
    /// Writes the map that stands for it on the wire.
    #[doc(hidden)]
    pub fn encode_numbered(&self, writer: &mut Writer, current_num: Option<i64>) {
        match self {
            Self::Snapshot(state) => write_update(writer, current_num, true, state),
            Self::Change(change) => write_update(writer, current_num, false, change),
        }
    }
}

/// Writes an update of any kind; without a number if the host gives it one.
#[doc(hidden)]
pub fn write_update(writer: &mut Writer, current_num: Option<i64>, is_snapshot: bool, state: &impl Model) {
    writer.map(2 + usize::from(current_num.is_some()));
    if let Some(number) = current_num {
        writer.key("current_num");
        writer.int(number.into());
    }
    writer.key("is_snapshot");
    writer.bool(is_snapshot);
    writer.key("state");
    write_state(writer, state);
    writer.end_map();
}

/// Writes a value or a change, which must be a map.
#[doc(hidden)]
pub fn write_state(writer: &mut Writer, state: &impl Model) {
    let start = writer.len();
    state.encode(writer);
    let written = writer.since(start);
    // Nothing was written if something was wrong before.
    let is_map = match (writer.encoding(), written.first()) {
        (_, None) => true,
        (Encoding::MessagePack, Some(first)) => matches!(first, 0x80..=0x8f | 0xde | 0xdf),
        (Encoding::Json, Some(first)) => *first == b'{',
    };
    if !is_map {
        let found = wire::decode::<Value>(written, writer.encoding(), &Limits::default());
        let found = found.map_or_else(|fault| fault.to_string(), |value| value.named());
        writer.fail(Fault::mismatch("a map, as the value of a state is one", found));
    }
}

/// What stands in a message about a state. Keys that are not known are passed by, so that later hosts may say more.
#[doc(hidden)]
#[derive(Debug)]
pub struct Parts<T> {
    /// `syncing`, `live` or `stale`.
    pub status: Option<String>,
    /// By the host's clock.
    pub since_us: Option<u64>,
    /// The number of the value.
    pub current_num: Option<i64>,
    /// What is new.
    pub state: Option<T>,
}

impl<T> Parts<T> {
    /// Reads them; `read` is told whether the state is whole, which must stand beside it.
    ///
    /// # Errors
    ///
    /// What `read` says; and if something has another type than it should.
    pub fn read(
        reader: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>, bool) -> Result<T, Fault>,
    ) -> Result<Self, Fault> {
        let start = reader.offset();
        let mut entries = crate::model::map(reader)?;
        let mut parts = Self { status: None, since_us: None, current_num: None, state: None };
        let (mut is_snapshot, mut before) = (None, None);
        while let Some(key) = entries.text_key(reader)? {
            match &*key {
                "status" => parts.status = Option::decode(reader).map_err(|fault| fault.within("status"))?,
                "since_us" => {
                    parts.since_us = Option::decode(reader).map_err(|fault| fault.within("since_us"))?;
                }
                "current_num" => {
                    parts.current_num =
                        Option::decode(reader).map_err(|fault| fault.within("current_num"))?;
                }
                "is_snapshot" => {
                    is_snapshot = Option::decode(reader).map_err(|fault| fault.within("is_snapshot"))?;
                }
                // How to read it may only be said behind it.
                "state" => {
                    before = Some(reader.clone());
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        if let Some(mut at) = before {
            let missing = || Fault::missing().within("is_snapshot").at_offset(start);
            let is_snapshot = is_snapshot.ok_or_else(missing)?;
            parts.state = Some(read(&mut at, is_snapshot).map_err(|fault| fault.within("state"))?);
        }
        Ok(parts)
    }
}

impl<S: State> Clone for Update<S> {
    fn clone(&self) -> Self {
        Self { current_num: self.current_num, content: self.content.clone() }
    }
}

impl<S: State> Clone for Content<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Snapshot(state) => Self::Snapshot(state.clone()),
            Self::Change(change) => Self::Change(change.clone()),
        }
    }
}

impl<S: State + PartialEq> PartialEq for Update<S>
where
    S::Change: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        self.current_num == other.current_num && self.content == other.content
    }
}

impl<S: State + PartialEq> PartialEq for Content<S>
where
    S::Change: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Snapshot(state), Self::Snapshot(other)) => state == other,
            (Self::Change(change), Self::Change(other)) => change == other,
            _ => false,
        }
    }
}

/// The value itself where it can be shown, and always the number and the kind.
impl<S: State + fmt::Debug> fmt::Debug for Update<S>
where
    S::Change: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("current_num", &self.current_num)
            .field("content", &self.content)
            .finish()
    }
}

impl<S: State + fmt::Debug> fmt::Debug for Content<S>
where
    S::Change: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(state) => f.debug_tuple("Snapshot").field(state).finish(),
            Self::Change(change) => f.debug_tuple("Change").field(change).finish(),
        }
    }
}
