//! Listens on exactly the address asked for, whatever the engine.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use service_framework_core::address::{Address, Host};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::error::SocketError;

/// Connections that may wait for being accepted.
const BACKLOG: i32 = 1024;

/// A listening socket of the system, to be adopted by an engine.
#[derive(Debug)]
pub(crate) enum Listener {
    /// Of a TCP address.
    Tcp(TcpListener),
    /// Of a socket file.
    #[cfg(unix)]
    Ipc(std::os::unix::net::UnixListener, SocketFile),
}

/// Listens, and gives the address back with the port that it got.
pub(crate) async fn listen(address: &Address) -> Result<(Listener, Address), SocketError> {
    match address {
        Address::Tcp { host, port } => {
            let listener = match host {
                Host::Any => any(*port).map_err(|cause| SocketError::from_bind(address, cause))?,
                Host::Ip(ip) => tcp(SocketAddr::new(*ip, *port), Reach::OneFamily)
                    .map_err(|cause| SocketError::from_bind(address, cause))?,
                Host::Name(name) => named(address, name, *port).await?,
            };
            let port = listener.local_addr().map_err(SocketError::System)?.port();
            Ok((Listener::Tcp(listener), address.with_port(port)))
        }
        #[cfg(unix)]
        Address::Ipc(path) => {
            let (listener, file) = ipc(path).map_err(|error| match error {
                IpcError::Known(error) => error,
                IpcError::System(cause) => SocketError::from_bind(address, cause),
            })?;
            Ok((Listener::Ipc(listener, file), address.clone()))
        }
        #[cfg(not(unix))]
        Address::Ipc(_) => Err(SocketError::System(io::ErrorKind::Unsupported.into())),
        Address::Inproc(_) => Err(SocketError::System(io::ErrorKind::Unsupported.into())),
    }
}

/// Finds out whether one could listen at an address, but for its port.
pub(crate) async fn check(address: &Address) -> Result<(), SocketError> {
    // A datagram socket that nothing is sent by is nobody's to see.
    let is_ours = |ip: IpAddr| UdpSocket::bind((ip, 0)).map(drop);
    match address {
        Address::Tcp { host: Host::Ip(ip), .. } => {
            is_ours(*ip).map_err(|cause| SocketError::from_bind(address, cause))
        }
        Address::Tcp { host: Host::Name(name), port } => {
            match resolve(name, *port).await?.into_iter().any(|at| is_ours(at.ip()).is_ok()) {
                true => Ok(()),
                false => Err(SocketError::NotOurs { port: *port }),
            }
        }
        Address::Ipc(path) => folder_of(path).map(drop),
        Address::Tcp { host: Host::Any, .. } | Address::Inproc(_) => Ok(()),
    }
}

/// Looks a host name up.
///
/// # Errors
///
/// [`SocketError::UnknownHost`].
pub(crate) async fn resolve(name: &str, port: u16) -> Result<Vec<SocketAddr>, SocketError> {
    let unknown = |cause| SocketError::UnknownHost { name: name.to_owned(), cause };
    let found: Vec<_> = tokio::net::lookup_host((name, port)).await.map_err(unknown)?.collect();
    if found.is_empty() {
        return Err(unknown(io::Error::other("it has no address")));
    }
    Ok(found)
}

/// Whether a socket on `::` takes IPv4 as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    OneFamily,
    BothFamilies,
}

/// Listens on all addresses of this machine: one socket for IPv6 and IPv4, or IPv4 alone where there is no IPv6.
fn any(port: u16) -> io::Result<TcpListener> {
    let both = tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)), Reach::BothFamilies);
    match both {
        // Unsupported by the kernel, or switched off.
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), Reach::OneFamily)
        }
        other => other,
    }
}

/// Listens on the first address of a name that belongs to this machine, IPv4 first: that is where peers that
/// know no IPv6, libzmq unless told otherwise, look for `localhost`.
async fn named(address: &Address, name: &str, port: u16) -> Result<TcpListener, SocketError> {
    let mut found = resolve(name, port).await?;
    found.sort_by_key(|at| matches!(at.ip(), IpAddr::V6(_)));
    let mut refused = SocketError::NotOurs { port };
    for at in found {
        match tcp(at, Reach::OneFamily) {
            Ok(listener) => return Ok(listener),
            Err(cause) => refused = SocketError::from_bind(address, cause),
        }
        if !matches!(refused, SocketError::NotOurs { .. }) {
            break;
        }
    }
    Err(refused)
}

fn tcp(at: SocketAddr, reach: Reach) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(reach == Reach::OneFamily)?;
    }
    // Lets a restarted service have its port back at once. On Windows it would let two share it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(at))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(unix)]
enum IpcError {
    Known(SocketError),
    System(io::Error),
}

#[cfg(unix)]
impl From<io::Error> for IpcError {
    fn from(cause: io::Error) -> Self {
        Self::System(cause)
    }
}

/// The folder that a socket file is to stand in.
fn folder_of(path: &Path) -> Result<&Path, SocketError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if folder.is_dir() { Ok(folder) } else { Err(SocketError::NoFolder { folder: folder.to_owned() }) }
}

/// Listens on a socket file, in place of a stale one.
#[cfg(unix)]
fn ipc(path: &Path) -> Result<(std::os::unix::net::UnixListener, SocketFile), IpcError> {
    use std::os::unix::fs::FileTypeExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};

    let folder = folder_of(path).map_err(IpcError::Known)?;
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(IpcError::Known(SocketError::NotASocket)),
        // Nobody listens on it: whoever did has ended without removing it.
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error.into()),
            _ => return Err(IpcError::Known(SocketError::PathInUse)),
        },
    }
    // The engine removes the file that its listener was bound to when it gets to it, which may be after another
    // socket was opened on the same path. So bind to a name of its own, then move it, in place of any stale file.
    // The standard library's maps start from a random number.
    let own_name = folder.join(format!(".{:08x}", RandomState::new().hash_one(0) as u32));
    let too_long = |cause: io::Error| match cause.kind() {
        io::ErrorKind::InvalidInput => {
            IpcError::Known(SocketError::PathTooLong { length: path.as_os_str().len() })
        }
        _ => IpcError::System(cause),
    };
    std::os::unix::net::SocketAddr::from_pathname(path).map_err(too_long)?;
    let listener = UnixListener::bind(&own_name).map_err(too_long)?;
    std::fs::rename(&own_name, path).inspect_err(|_| {
        let _ = std::fs::remove_file(&own_name);
    })?;
    let file = SocketFile::new(path)?;
    Ok((listener, file))
}

/// The file of a listening socket, removed when this is dropped unless another socket has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        // The service may change its working directory later.
        let path = std::path::absolute(path)?;
        let identity = Self::identity(&path)?;
        Ok(Self { path, identity })
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt as _;

        let found = path.symlink_metadata()?;
        Ok((found.dev(), found.ino()))
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        if Self::identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
