//! Delta states, without sockets: the owner numbers what it changes, and a reader notices what it has missed.

pub mod owner;
pub mod reader;
pub mod snapshot;

pub use owner::Owner;
pub use reader::Reader;
pub use snapshot::{Largest, Snapshot};
