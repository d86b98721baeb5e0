//! Models, validation, envelope, codecs, address book, settings, and the plugin boundary.
//!
//! Everything here decides; nothing here waits. The crate opens no socket and starts no thread, so all of it
//! can be tested without a network, and the author of a service compiles it in seconds.
//!
//! ```
//! use service_framework_core::wire::{Encoding, Limits};
//! use service_framework_core::{Value, wire};
//!
//! let bytes = b"{\"price\": {\"__decimal__\": true, \"as_str\": \"100.5\"}}";
//! let value: Value = wire::decode(bytes, Encoding::Json, &Limits::default())?;
//! assert_eq!(value.get("price").unwrap().to_string(), "100.5");
//!
//! let packed = wire::encode(&value, Encoding::MessagePack)?;
//! assert_eq!(wire::decode::<Value>(&packed, Encoding::MessagePack, &Limits::default())?, value);
//! # Ok::<(), service_framework_core::Fault>(())
//! ```

// Lets the derive macro name this crate from within it.
extern crate self as service_framework_core;

pub mod declaration;
pub mod address;
pub mod problem;
pub mod file;
pub mod config;
pub mod address_book;
pub mod settings;
pub mod wiring;
pub mod envelope;
pub mod failure;
pub mod fault;
pub mod shown;
pub mod model;
pub mod state;
pub mod near;
pub mod plugin;
pub mod gate;
pub mod topic;
pub mod value;
pub mod wire;
pub mod workflow;

pub use failure::Failure;
pub use fault::Fault;
pub use model::Model;
pub use state::State;
pub use value::Value;
