//! Says in a file that the sockets of a service are open, and where.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use service_framework_core::address::Address;
use service_framework_core::problem::{Problem, Problems};

use crate::error::Error;
use crate::log;

/// More than the line of any service has; what is longer is somebody else's.
const LONGEST: u64 = 1 << 20;

/// How long stderr is given to say that nobody could be told.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What there is where the line is to go.
enum Place {
    /// Nothing, or a file that a whole new one takes the place of.
    File,
    /// A link, by which the line goes into the file behind it.
    Link,
    /// A pipe or a device, into which the line goes.
    Stream,
}

/// Finds out what there is, without changing anything.
///
/// # Errors
///
/// [`Error::Refused`] if it is a folder, a file that is not one of ours, or in a folder that there is not.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    look(path).map(|_| ())
}

/// Takes away what an earlier start has left, which would say that sockets are open that are not.
///
/// # Errors
///
/// As [`check`]; and if the system does not let go of it.
pub(crate) fn clear(path: &Path) -> Result<(), Error> {
    let cleared = match look(path)? {
        Place::File => fs::remove_file(path),
        Place::Link => OpenOptions::new().write(true).truncate(true).open(path).map(|_| ()),
        Place::Stream => Ok(()),
    };
    match cleared {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(refused(path, &format!("what an earlier start has left there cannot be removed: {error}")))
        }
        _ => Ok(()),
    }
}

fn look(path: &Path) -> Result<Place, Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match folder.filter(|folder| !folder.is_dir()) {
                Some(folder) => {
                    let text =
                        format!("there is no folder {}; make it, or name another file", folder.display());
                    Err(refused(path, &text))
                }
                None => Ok(Place::File),
            };
        }
        found => found.map_err(|error| refused(path, &error.to_string()))?,
    };
    if found.is_dir() {
        return Err(refused(path, "it is a folder; name a file in it"));
    }
    if !found.is_file() {
        return Ok(Place::Stream);
    }
    if !is_ours(path).map_err(|error| refused(path, &error.to_string()))? {
        return Err(refused(
            path,
            "it is there already, and was not written by a service that was ready; name another file",
        ));
    }
    Ok(if path.is_symlink() { Place::Link } else { Place::File })
}

/// Whether a file has a line of ours in it, or nothing.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut found = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut found)?;
    let line: Option<serde_json::Value> = serde_json::from_slice(&found).ok();
    let is_line =
        |line: serde_json::Value| ["service", "pid", "endpoints"].iter().all(|key| line.get(key).is_some());
    Ok(found.is_empty() || line.is_some_and(is_line))
}

fn refused(path: &Path, why: &str) -> Error {
    let text = format!("cannot say in {} that the service is ready: {why}", path.display());
    Error::Refused(Problems::from(Problem::nowhere(text)))
}

/// Writes one line of JSON: the service, the process, and the endpoint of each connection as a URL.
///
/// A file appears whole: it is written beside its place and then moved there. A pipe is waited for by a thread of its own until somebody reads.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write<'a>(
    path: &Path,
    service: &str,
    endpoints: impl Iterator<Item = (&'a str, &'a Address)>,
) -> Result<(), Error> {
    let endpoints: serde_json::Map<String, serde_json::Value> =
        endpoints.map(|(name, address)| (name.to_owned(), address.url().into())).collect();
    let line = serde_json::json!({"service": service, "pid": std::process::id(), "endpoints": endpoints});
    let line = format!("{line}\n");
    let written = match look(path)? {
        Place::File => replace(path, &line),
        Place::Link => append(path, &line),
        Place::Stream => {
            let path = path.to_owned();
            let write = move || {
                if let Err(error) = append(&path, &line) {
                    log::tell(format!("{}\n", unwritten(&path, &error)), LAST_WORDS);
                }
            };
            std::thread::Builder::new().name("ready".into()).spawn(write).map(|_| ())
        }
    };
    written.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::System { what: format!("write the ready file {}", path.display()), why: error.to_string() }
}

fn replace(path: &Path, line: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = fs::write(&beside, line).and_then(|()| fs::rename(&beside, path));
    written.inspect_err(|_| _ = fs::remove_file(&beside))
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(line.as_bytes())
}
