//! A service that is not running: what it says of itself, and how instances of it are made.
#![expect(unsafe_code, reason = "calls the functions of a plugin")]

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use super::instance::{Instance, outcome};
use super::{Host, table};
use crate::declaration::{Declaration, Hook};
use crate::failure::Failure;
use crate::plugin::abi;
use crate::plugin::lend::{sink, slice};
use crate::plugin::numbers::write_hook;
use crate::value::Value;
use crate::wire::{self, Encoding, Limits};

/// Why a table is not taken for a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Another version of the boundary.
    #[error("speaks version {found} of the plugin boundary, this runtime speaks version {}", abi::VERSION)]
    Version {
        /// The version that it speaks.
        found: u32,
    },
    /// A table too small to be one.
    #[error("has a table of {found} bytes, at least {} are due", abi::Plugin::FIRST_SIZE)]
    Size {
        /// Its size in bytes.
        found: u32,
    },
    /// A function that is not there.
    #[error("has a null pointer for a function in its table")]
    Null,
}

/// A service in this program, by its type: `service_framework::export!` says that it is one.
pub trait Linked {
    /// The table of C functions that it is driven by.
    const TABLE: &'static abi::Plugin;
}

/// A service that is not running: what it is, and how to make instances.
#[derive(Clone, Copy, Debug)]
pub struct Plugin(&'static abi::Plugin);

impl Plugin {
    /// The plugin of a service in this program. Its table can only have come from [`guest::table`](crate::plugin::guest::table).
    pub fn of<S: Linked>() -> Self {
        Self(S::TABLE)
    }

    /// The plugin of a table in a loaded library.
    ///
    /// # Errors
    ///
    /// If the table is for another version of the boundary, or smaller than the first of this one; a larger one is fine.
    ///
    /// # Safety
    ///
    /// `table` points to a table by the rules of [`abi`], in a library that is never unloaded. Instances of it are made with the declaration that it gives.
    pub unsafe fn from_raw(table: *const abi::Plugin) -> Result<Self, TableError> {
        // SAFETY: the version and the size come first in the tables of every version.
        let (version, size) = unsafe { ((*table).version, (*table).size) };
        if version != abi::VERSION {
            return Err(TableError::Version { found: version });
        }
        if (size as usize) < abi::Plugin::FIRST_SIZE {
            return Err(TableError::Size { found: size });
        }
        // SAFETY: the table is large enough, and from `describe` to there it has nothing but pointers.
        let functions = unsafe {
            let first = table.byte_add(offset_of!(abi::Plugin, describe)).cast::<*const c_void>();
            let count =
                (abi::Plugin::FIRST_SIZE - offset_of!(abi::Plugin, describe)) / size_of::<*const c_void>();
            std::slice::from_raw_parts(first, count)
        };
        if functions.iter().any(|function| function.is_null()) {
            return Err(TableError::Null);
        }
        // SAFETY: the caller says that it is one, version and size agree, and no function is null.
        Ok(Self(unsafe { &*table }))
    }

    /// What the service says of itself.
    ///
    /// # Errors
    ///
    /// If it panics, or what it says is no declaration.
    pub fn describe(self) -> Result<Declaration, Failure> {
        let mut out = Vec::new();
        // SAFETY: the table is valid, and the sink is lent for the call.
        let status = unsafe { (self.0.describe)(sink(&mut out)) };
        let json = outcome(status, out)?;
        wire::decode(&json, Encoding::Json, &Limits::default())
            .map_err(|fault| Failure::msg(format!("it describes itself wrongly: {fault}")))
    }

    /// Runs a hook that needs no instance.
    ///
    /// # Errors
    ///
    /// What the hook says.
    pub fn setup(self, hook: Hook, input: &Value) -> Result<Value, Failure> {
        let input = wire::encode(input, Encoding::MessagePack)?;
        let mut out = Vec::new();
        // SAFETY: the table is valid; input and sink are lent for the call.
        let status = unsafe { (self.0.setup)(write_hook(hook), slice(&input), sink(&mut out)) };
        Ok(wire::decode(&outcome(status, out)?, Encoding::MessagePack, &Limits::default())?)
    }

    /// Makes an instance of what was described, on this thread, which becomes the service's, from its config in MessagePack.
    ///
    /// # Errors
    ///
    /// What its constructor says, a panic included.
    pub fn create(
        self,
        declaration: &Declaration,
        host: Arc<dyn Host>,
        config: &[u8],
    ) -> Result<Instance, Failure> {
        let mut out = Vec::new();
        let mut pointer = std::ptr::null_mut();
        // One reference is this function's; the guest retains its own.
        let table = table::of(host);
        // SAFETY: the table is valid; the host's table, config, place and sink are lent for the call.
        let status =
            unsafe { (self.0.create)(&raw const table, slice(config), &raw mut pointer, sink(&mut out)) };
        // SAFETY: the reference came with the table and is given up once.
        unsafe { (table.release)(table.context) };
        outcome(status, out)?;
        // SAFETY: the plugin has made the instance, and gives it to nobody else.
        Ok(unsafe { Instance::from_raw(pointer, self.0, declaration) })
    }
}
