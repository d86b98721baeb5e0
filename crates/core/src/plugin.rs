//! The boundary between the runtime and a service: a table of C functions, and nothing of Rust.
//!
//! A plugin is a shared library that exports one symbol, [`symbol_name`], naming an [`abi::Plugin`]. Only bytes, lengths, numbers and C
//! functions cross, in both directions; no allocator and no panic does. The C header of the same is `include/service_framework.h` in this crate.
//!
//! [`guest`] is the half inside the plugin, [`host`] the half inside whoever runs it: the runtime, and the test harness of authors. Both are
//! safe to use; `unsafe` stands in the folders of these two and in what they lend each other alone.

pub mod abi;
pub mod guest;
pub mod host;
#[cfg(test)]
mod header;
mod lend;
mod numbers;
mod this_thread;

/// The name of the symbol that the plugin of a crate exports.
///
/// The version of the boundary is in it, so that a library for another one is told apart without being opened, and the name of the crate, so that several
/// services link into one program.
pub fn symbol_name(crate_name: &str) -> String {
    format!("{SYMBOL_PREFIX}{}_{}", abi::VERSION, crate_name.replace('-', "_"))
}

/// What the symbol of every version begins with; the version follows, then `_` and the crate.
pub const SYMBOL_PREFIX: &str = "service_framework_plugin_v";

/// One call of a handler.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Which handler.
    pub target: Target,
    /// How the arguments are written, and the return arguments are to be.
    pub encoding: crate::wire::Encoding,
    /// Who reads the return arguments.
    pub peer: crate::wire::Peer,
    /// The map of arguments. Valid until the call returns.
    pub args: &'a [u8],
    /// The workflow that the call belongs to; `None` for `main`, `init` and hooks, each of whose messages starts one.
    pub workflow_id: Option<crate::workflow::WorkflowId<'a>>,
    /// The topic that the message came with.
    pub topic: Option<&'a str>,
    /// When whoever called stops waiting for the answer, by the host's clock.
    pub until: Option<std::time::Duration>,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The handler of a connection, by the connection's number in the declaration; or of a state's updates, whose numbers follow.
    Connection(u32),
    /// The copy of a state that the service holds, by the state's position among the states: to take what is new of it.
    State(u32),
    /// An optional method.
    Hook(crate::declaration::Hook),
}

/// One message that a service sends, or one call of an external target.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The number of the connection in the declaration, or of the state, which follows those of the connections.
    pub connection: u32,
    /// How the arguments are written.
    pub encoding: crate::wire::Encoding,
    /// The map of arguments.
    pub args: &'a [u8],
    /// The topic to publish under, instead of the connection's own.
    pub topic: Option<&'a str>,
    /// The workflow id of the message; `None` starts a workflow.
    pub workflow_id: Option<crate::workflow::WorkflowId<'a>>,
    /// The time to wait for the answer, instead of the connection's own.
    pub deadline: Option<std::time::Duration>,
    /// When the call is over that this one is made in, by the host's clock; an answer is never waited for longer.
    pub until: Option<std::time::Duration>,
}

/// A log record.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// How urgent it is.
    pub level: Level,
    /// The module that it comes from.
    pub target: &'a str,
    /// Its text, fields included.
    pub message: &'a str,
    /// The workflow during which it was written.
    pub workflow_id: Option<&'a str>,
}

/// How urgent a log record is; the numbers are those of the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is odd.
    Warn = 2,
    /// Something happened.
    Info = 3,
    /// For finding faults.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

impl Level {
    /// The level of a number of the boundary.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace]
            .into_iter()
            .find(|level| *level as u32 == number)
    }
}
