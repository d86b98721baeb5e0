//! Streams between threads of one process, found by a name.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// Whom to give connections to, by name. All threads of the process share it.
static NAMES: LazyLock<Mutex<HashMap<String, Arriving>>> = LazyLock::new(Mutex::default);

type Arriving = mpsc::UnboundedSender<DuplexStream>;

/// Bytes that are on their way in one direction before the writer waits.
const CAPACITY: usize = 64 << 10;

/// Listens at a name, which is free again when this is dropped.
#[derive(Debug)]
pub struct InprocListener {
    name: String,
    // Behind a lock, since a listener is looked at while others are added; nobody ever waits for it.
    arriving: Mutex<mpsc::UnboundedReceiver<DuplexStream>>,
}

impl InprocListener {
    /// Listens at `name`.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if somebody in this process listens there already.
    pub fn bind(name: &str) -> io::Result<Self> {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if names.contains_key(name) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (arrive, arriving) = mpsc::unbounded_channel();
        names.insert(name.to_owned(), arrive);
        Ok(Self { name: name.to_owned(), arriving: Mutex::new(arriving) })
    }

    /// The name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<DuplexStream>> {
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        // The name holds the other end for as long as this is there.
        arriving.poll_recv(context).map(|stream| stream.ok_or_else(|| io::ErrorKind::BrokenPipe.into()))
    }
}

impl Drop for InprocListener {
    fn drop(&mut self) {
        NAMES.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// A stream to whoever listens at `name`.
///
/// # Errors
///
/// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if nobody in this process does.
pub(super) fn connect(name: &str) -> io::Result<DuplexStream> {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let (near, far) = duplex(CAPACITY);
    match names.get(name).map(|arrive| arrive.send(far)) {
        Some(Ok(())) => Ok(near),
        _ => Err(io::ErrorKind::ConnectionRefused.into()),
    }
}
