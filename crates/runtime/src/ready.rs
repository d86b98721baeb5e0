//! Says in a file that the sockets of a service are open, and where.

use std::path::Path;

use service_framework_core::address::Address;

use crate::error::Error;

/// Takes away what an earlier start has left, which would say that sockets are open that are not.
pub(crate) fn clear(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::System {
            what: format!("remove the ready file of an earlier start, {}", path.display()),
            why: error.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Writes one line of JSON: the service, the process, and the endpoint of each connection as a URL.
///
/// The file appears whole: it is written beside its place and then moved there.
pub(crate) fn write<'a>(
    path: &Path,
    service: &str,
    endpoints: impl Iterator<Item = (&'a str, &'a Address)>,
) -> Result<(), Error> {
    let endpoints: serde_json::Map<String, serde_json::Value> =
        endpoints.map(|(name, address)| (name.to_owned(), address.url().into())).collect();
    let line = serde_json::json!({"service": service, "pid": std::process::id(), "endpoints": endpoints});
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&beside, format!("{line}\n")).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        _ = std::fs::remove_file(&beside);
        Error::System { what: format!("write the ready file {}", path.display()), why: error.to_string() }
    })
}
