//! Why a request was not answered with a result: the error that replies carry.

use std::borrow::Cow;
use std::fmt;

use crate::fault::Fault;
use crate::model::{Model, Shape, Shapes};
use crate::value::Value;
use crate::wire::{Reader, Writer};

/// The longest message that is sent, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// The codes of the framework. An author's own are `<service>.<name>`.
pub mod code {
    /// The bytes are not an envelope.
    pub const BAD_MESSAGE: &str = "bad_message";
    /// The arguments are not what the model allows.
    pub const BAD_ARGS: &str = "bad_args";
    /// The handler returned what its model does not allow.
    pub const BAD_RETURN: &str = "bad_return";
    /// The message is over the limit.
    pub const TOO_LARGE: &str = "too_large";
    /// Too much is in work already.
    pub const BUSY: &str = "busy";
    /// The time for the answer is over.
    pub const DEADLINE: &str = "deadline";
    /// The handler said so.
    pub const FAILED: &str = "failed";
    /// The handler panicked.
    pub const PANICKED: &str = "panicked";
    /// The service is stopping.
    pub const STOPPING: &str = "stopping";
    /// The service has no such command.
    pub const UNKNOWN_COMMAND: &str = "unknown_command";
    /// The peer has failed again and again, and is not asked now. Never sent; what a requester is told.
    pub const UNAVAILABLE: &str = "unavailable";
    /// The peer went away while the answer was due. Never sent; what a requester is told.
    pub const DISCONNECTED: &str = "disconnected";
}

/// Why there is no result: a code for programs, a message for people, and data if the author gave some.
///
/// Any error turns into one with `?`, its causes included, under the code [`failed`](code::FAILED). A name of the author's own
/// becomes `<service>.<name>` on the wire:
///
/// ```
/// use service_framework_core::Failure;
///
/// fn parse(text: &str) -> Result<u32, Failure> {
///     if text.is_empty() {
///         return Err(Failure::named("no_size", "a size is needed"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("x").unwrap_err().to_string(), "failed: invalid digit found in string");
/// assert_eq!(parse("").unwrap_err().code(), "no_size");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: Cow<'static, str>,
    message: String,
    data: Option<Value>,
}

impl Failure {
    /// A failure with one of the framework's codes.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code: code.into(), message: message.into(), data: None }))
    }

    /// A failure with a code of the author's own. It is sent as `<service>.<name>`.
    pub fn named(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code: Cow::Owned(name.into()), message: message.into(), data: None }))
    }

    /// A failure of a handler that has no more to say than this.
    pub fn msg(message: impl Into<String>) -> Self {
        Self::new(code::FAILED, message)
    }

    /// The same failure with data for the caller's program.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.0.data = Some(data.into());
        self
    }

    /// The same failure without its data.
    #[must_use]
    pub fn without_data(&self) -> Self {
        Self(Box::new(Inner { code: self.0.code.clone(), message: self.0.message.clone(), data: None }))
    }

    /// The same failure, said to have happened while `doing`.
    #[must_use]
    pub fn while_doing(mut self, doing: &str) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// The code, for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The message, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The data, if there is any.
    pub fn data(&self) -> Option<&Value> {
        self.0.data.as_ref()
    }

    /// Whether the code is one of an author's own.
    pub fn is_named(&self) -> bool {
        !is_of_framework(self.code())
    }

    /// What a handler of `service` that ends with this failure answers.
    ///
    /// A name of the author's own gets the service's in front of it. A code of the framework that came out of a call to somebody else says nothing
    /// about this service, and becomes `failed`.
    #[must_use]
    pub fn of_handler(mut self, service: &str) -> Self {
        if !self.is_named() {
            if self.code() != code::FAILED {
                self.0.message = format!("{}: {}", self.0.code, self.0.message);
                self.0.code = code::FAILED.into();
            }
        } else if !self.code().contains('.') {
            self.0.code = format!("{service}.{}", self.code()).into();
        }
        self
    }
}

fn is_of_framework(code: &str) -> bool {
    use code::*;
    [
        BAD_MESSAGE,
        BAD_ARGS,
        BAD_RETURN,
        TOO_LARGE,
        BUSY,
        DEADLINE,
        FAILED,
        PANICKED,
        STOPPING,
        UNKNOWN_COMMAND,
        DISCONNECTED,
        UNAVAILABLE,
    ]
    .contains(&code)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

// `Failure` is no `std::error::Error` itself, so that every type which is one can turn into it.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::msg(message)
    }
}

/// The map under `error` in a reply.
impl Model for Failure {
    fn shape(shapes: &mut Shapes) -> Shape {
        let doc = "Why there is no result.";
        shapes.record::<Self>("Failure", doc, true, |shapes| {
            vec![
                shapes.field::<String>("code", "For programs."),
                shapes.field::<String>("message", "For people, at most 1 KiB."),
                shapes.field::<Option<Value>>("data", "What the author gave."),
            ]
        })
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut entries = crate::model::map(reader)?;
        let (mut code, mut message, mut data) = (None, None, None);
        while let Some(key) = entries.text_key(reader)? {
            let read = match key.as_ref() {
                "code" => String::decode(reader).map(|text| code = Some(text)),
                "message" => String::decode(reader).map(|text| message = Some(text)),
                "data" => Option::<Value>::decode(reader).map(|value| data = value),
                _ => reader.skip(),
            };
            read.map_err(|fault| fault.within(&key))?;
        }
        let code = code.ok_or_else(|| Fault::missing().within("code"))?.into();
        Ok(Self(Box::new(Inner { code, message: message.unwrap_or_default(), data })))
    }

    fn encode(&self, writer: &mut Writer) {
        let message = &self.0.message;
        let cut = message.floor_char_boundary(MAX_MESSAGE_BYTES);
        writer.map(2 + usize::from(self.0.data.is_some()));
        writer.key("code");
        writer.text(&self.0.code);
        writer.key("message");
        writer.text(&message[..cut]);
        if let Some(data) = &self.0.data {
            writer.key("data");
            data.encode(writer);
        }
        writer.end_map();
    }
}
