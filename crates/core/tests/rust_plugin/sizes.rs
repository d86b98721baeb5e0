//! Tables of another size than today's: smaller than the first of this version they are refused, larger they are taken.

use std::ffi::c_void;
use std::sync::Arc;

use service_framework_core::Failure;
use service_framework_core::plugin::abi;
use service_framework_core::plugin::host::{Instance, Linked, Plugin, TableError};

use crate::homebody::{Homebody, Listener};

const PLUGIN_WORDS: usize = size_of::<abi::Plugin>() / size_of::<usize>();
const HOST_WORDS: usize = size_of::<abi::Host>() / size_of::<usize>();

/// Where functions stand in a plugin's table.
const DESCRIBE: usize = 8 / size_of::<usize>();
const CREATE: usize = DESCRIBE + 2;

type Create = unsafe extern "C" fn(*const abi::Host, abi::Slice, *mut *mut c_void, abi::Sink) -> u32;

/// The table of the service with words behind it that today's host knows nothing of, and which say how large it is.
fn table(size: usize) -> *mut usize {
    let words: &mut [usize; PLUGIN_WORDS + 2] = Box::leak(Box::new([0; PLUGIN_WORDS + 2]));
    let words = words.as_mut_ptr();
    // SAFETY: the table has that many words, of which the second half of the first 8 bytes says the size.
    unsafe {
        words.copy_from(std::ptr::from_ref(Homebody::TABLE).cast(), PLUGIN_WORDS);
        words.cast::<u32>().add(1).write(size as u32);
    }
    words
}

fn load(table: *const usize) -> Result<Plugin, TableError> {
    // SAFETY: it is a copy of a table that is never freed, and no larger than it says.
    unsafe { Plugin::from_raw(table.cast()) }
}

/// Hands the service a copy of the host's table of another size, with words behind it that it knows nothing of.
unsafe extern "C" fn create_by<const SIZE: u32>(
    host: *const abi::Host,
    config: abi::Slice,
    instance: *mut *mut c_void,
    out: abi::Sink,
) -> u32 {
    let mut words = [0_usize; HOST_WORDS + 2];
    // SAFETY: the host's table has that many words, of which the first begins with the size; and the position is that of `create`.
    let create = unsafe {
        words.as_mut_ptr().copy_from(host.cast(), HOST_WORDS);
        words.as_mut_ptr().cast::<u32>().write(SIZE);
        std::ptr::from_ref(Homebody::TABLE).cast::<Create>().add(CREATE).read()
    };
    // SAFETY: all is lent for the call, as it was lent to this function.
    unsafe { create(words.as_ptr().cast(), config, instance, out) }
}

fn create_with(create: Create) -> Result<Instance, Failure> {
    let table = table(size_of::<abi::Plugin>());
    // SAFETY: `create` stands there.
    unsafe { table.cast::<Create>().add(CREATE).write(create) };
    let plugin = load(table).expect("it is one");
    plugin.create(&plugin.describe()?, Arc::new(Listener::default()), &[0x80])
}

#[test]
fn a_plugin_with_a_larger_table_is_taken() {
    let plugin = load(table(size_of::<abi::Plugin>() + 2 * size_of::<usize>())).unwrap();
    assert_eq!(plugin.describe().unwrap().name, "homebody");
}

#[test]
fn a_plugin_with_a_table_smaller_than_the_first_is_refused() {
    let size = size_of::<abi::Plugin>() - size_of::<usize>();
    let refused = load(table(size)).map(|_| ()).unwrap_err();
    assert_eq!(refused, TableError::Size { found: size as u32 });
    // One for 64 bits; the first table of the version stays the least that is due, whatever is added to it.
    if cfg!(target_pointer_width = "64") {
        assert_eq!(refused.to_string(), "has a table of 56 bytes, at least 64 are due");
    }
}

#[test]
fn a_host_with_a_larger_table_is_taken() {
    const LARGER: u32 = (size_of::<abi::Host>() + 2 * size_of::<usize>()) as u32;
    create_with(create_by::<LARGER>).unwrap();
}

#[test]
fn a_host_with_a_table_smaller_than_the_first_is_refused() {
    const SMALLER: u32 = (size_of::<abi::Host>() - size_of::<usize>()) as u32;
    let refused = create_with(create_by::<SMALLER>).unwrap_err();
    if cfg!(target_pointer_width = "64") {
        assert_eq!(refused.message(), "the host's table has 120 bytes, this plugin needs at least 128");
    }
}
