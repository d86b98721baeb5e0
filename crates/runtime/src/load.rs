//! Opens a shared library as a plugin, after it was read and found to be one.

mod inspect;

use std::path::Path;

use service_framework_core::plugin::abi;
use service_framework_core::plugin::host::Plugin;

use crate::error::Error;

/// Loads the plugin in a shared library. It is never unloaded.
pub(crate) fn library(path: &Path) -> Result<Plugin, Error> {
    let refused = |why: String| Error::Plugin { path: path.to_owned(), why };
    let file = std::fs::File::open(path).map_err(|error| refused(reason(&error)))?;
    // Most of a library is code and what debuggers want, which nobody needs to read here.
    let symbol = inspect::inspect(&object::ReadCache::new(file)).map_err(refused)?;
    // A bare name would be looked for among the system's libraries.
    let absolute = std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
    open(&absolute, &symbol).map_err(refused)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        _ => error.to_string(),
    }
}

#[expect(unsafe_code, reason = "opening a library runs what is in it")]
fn open(path: &Path, symbol: &str) -> Result<Plugin, String> {
    // SAFETY: the file was read and exports the symbol of a plugin; its author vouches for what runs when it is opened.
    let library = unsafe { libloading::Library::new(path) }
        .map_err(|error| format!("the system does not load it: {error}"))?;
    // Threads and wakers of the plugin may outlive every instance, so its code stays for good.
    let library: &'static libloading::Library = Box::leak(Box::new(library));
    // SAFETY: a plugin defines its symbol as a table by the rules of `abi`.
    let table = unsafe { library.get::<*const abi::Plugin>(symbol.as_bytes()) };
    let table = table.map_err(|error| error.to_string())?;
    // SAFETY: the symbol is the table itself, and its library stays. Its address is all that is taken.
    let table = unsafe { table.try_as_raw_ptr() }.ok_or("its table has no address")?.cast::<abi::Plugin>();
    // SAFETY: it points to the table of a library that stays.
    unsafe { Plugin::from_raw(table) }.map_err(|error| format!("it {error}"))
}
