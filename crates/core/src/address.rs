//! Reads where a connection lives: `HOST:PORT`, `tcp://`, `ipc://` or `inproc://`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where a connection listens, or whom it connects to.
///
/// Parsed from text and printed as text; one gives back the other. `HOST:PORT` means `tcp://HOST:PORT` and
/// is how a TCP address is printed.
///
/// # Examples
///
/// ```
/// use service_framework_core::address::{Address, Host};
///
/// let address: Address = "tcp://*:8001".parse()?;
/// assert_eq!(address, Address::Tcp { host: Host::Any, port: 8001 });
/// assert_eq!(address.to_string(), "*:8001");
/// assert_eq!(address.url(), "tcp://*:8001");
/// # Ok::<(), service_framework_core::address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A TCP host and port. Port 0 lets the system choose one, and is legal only to listen on.
    Tcp {
        /// The host named.
        host: Host,
        /// The port, 0 to 65535.
        port: u16,
    },
    /// A socket file of this machine.
    Ipc(PathBuf),
    /// A name inside this process.
    Inproc(String),
}

/// The host part of a TCP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// `*`: every address of this machine, IPv4 and IPv6. Says where to listen, never where to connect.
    Any,
    /// One IP address. `0.0.0.0` and `::` are all of IPv4 and all of IPv6.
    Ip(IpAddr),
    /// A name, looked up when the address is used.
    Name(String),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the words of the text beside them")]
pub enum AddressError {
    /// Nothing is written.
    #[error("an address is empty: write HOST:PORT, tcp://HOST:PORT, ipc://PATH or inproc://NAME")]
    Empty,
    /// The part before `://` is none of ours.
    #[error("`{address}` has the unknown scheme `{scheme}`: use tcp://, ipc:// or inproc://")]
    UnknownScheme { address: String, scheme: String },
    /// There is a host alone.
    #[error("`{address}` has no port: write `{host}:PORT`")]
    MissingPort { address: String, host: String },
    /// There is a port alone.
    #[error(
        "`{address}` has no host: write `*:{port}` to listen on all, `localhost:{port}` for this machine"
    )]
    MissingHost { address: String, port: String },
    /// The port is no number, or too large.
    #[error("`{address}` has the port `{port}`: a port is a number from 0 to 65535")]
    Port { address: String, port: String },
    /// An IPv6 address stands there without brackets, so that its port cannot be told from it.
    #[error("`{address}` has an IPv6 address without brackets: write `{suggestion}`")]
    UnbracketedIpv6 { address: String, suggestion: String },
    /// The host is none.
    #[error("`{address}` has the host `{host}`, which is neither a name, nor an IP address, nor `*`")]
    Host { address: String, host: String },
    /// `ipc://` or `inproc://` alone.
    #[error("`{address}` ends too soon: write {expected}")]
    Unfinished { address: String, expected: &'static str },
    /// A character that no path or name should have, such as a line feed.
    #[error("{address:?} contains a control character")]
    ControlCharacter { address: String },
}

impl Address {
    /// Whether the system is to choose the port (port 0), which is legal only to listen on.
    pub fn is_ephemeral(&self) -> bool {
        matches!(self, Self::Tcp { port: 0, .. })
    }

    /// Whether it is, or may be, on a network that others are on, too. A name may lead anywhere, `localhost` excepted.
    pub fn leaves_this_machine(&self) -> bool {
        match self {
            Self::Tcp { host: Host::Any, .. } => true,
            Self::Tcp { host: Host::Ip(ip), .. } => !ip.to_canonical().is_loopback(),
            Self::Tcp { host: Host::Name(name), .. } => name != "localhost",
            Self::Ipc(_) | Self::Inproc(_) => false,
        }
    }

    /// The same address with another port; a socket file or in-process name has none and stays as it is.
    pub fn with_port(&self, port: u16) -> Self {
        match self {
            Self::Tcp { host, .. } => Self::Tcp { host: host.clone(), port },
            Self::Ipc(_) | Self::Inproc(_) => self.clone(),
        }
    }

    /// The address as a URL with its scheme.
    pub fn url(&self) -> String {
        match self {
            Self::Tcp { .. } => format!("tcp://{self}"),
            Self::Ipc(_) | Self::Inproc(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Ipc(path) => write!(f, "ipc://{}", path.display()),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::ControlCharacter { address: text.to_owned() });
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return tcp(text, text);
        };
        match scheme {
            "tcp" => tcp(text, rest),
            "ipc" if rest.is_empty() => {
                Err(AddressError::Unfinished { address: text.to_owned(), expected: "ipc://PATH" })
            }
            "ipc" => Ok(Self::Ipc(PathBuf::from(rest))),
            "inproc" if rest.is_empty() => {
                Err(AddressError::Unfinished { address: text.to_owned(), expected: "inproc://NAME" })
            }
            "inproc" => Ok(Self::Inproc(rest.to_owned())),
            _ => Err(AddressError::UnknownScheme { address: text.to_owned(), scheme: scheme.to_owned() }),
        }
    }
}

/// Reads `HOST:PORT`, the part of `text` after any scheme.
fn tcp(text: &str, host_and_port: &str) -> Result<Address, AddressError> {
    let address = || text.to_owned();
    let missing_port = |host: &str| {
        if host.is_empty() {
            AddressError::Unfinished { address: address(), expected: "tcp://HOST:PORT" }
        } else {
            AddressError::MissingPort { address: address(), host: host.to_owned() }
        }
    };
    let (host, port) = match host_and_port.strip_prefix('[') {
        Some(rest) => {
            let no_host = || AddressError::Host { address: address(), host: host_and_port.to_owned() };
            let (ip, rest) = rest.split_once(']').ok_or_else(no_host)?;
            let ip = ip.parse::<Ipv6Addr>().map_err(|_| no_host())?;
            let port = match rest.strip_prefix(':') {
                Some(port) => port,
                None if rest.is_empty() => return Err(missing_port(host_and_port)),
                None => return Err(no_host()),
            };
            (Host::Ip(IpAddr::V6(ip)), port)
        }
        None => {
            let Some((host, port)) = host_and_port.rsplit_once(':') else {
                return Err(missing_port(host_and_port));
            };
            if host.contains(':') {
                return Err(several_colons(text, host_and_port, host, port));
            }
            if host.is_empty() {
                return Err(AddressError::MissingHost { address: address(), port: port.to_owned() });
            }
            let parsed = parse_host(host);
            (parsed.ok_or_else(|| AddressError::Host { address: address(), host: host.to_owned() })?, port)
        }
    };
    if port.is_empty() {
        return Err(missing_port(&host.to_string()));
    }
    // `parse` alone would let a sign through.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if digits => Ok(Address::Tcp { host, port }),
        _ => Err(AddressError::Port { address: address(), port: port.to_owned() }),
    }
}

/// Says what is wrong with a host that has colons and no brackets.
fn several_colons(text: &str, host_and_port: &str, host: &str, port: &str) -> AddressError {
    let suggestion = if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]:{port}")
    } else if host_and_port.parse::<Ipv6Addr>().is_ok() {
        format!("[{host_and_port}]:PORT")
    } else {
        return AddressError::Host { address: text.to_owned(), host: host.to_owned() };
    };
    AddressError::UnbracketedIpv6 { address: text.to_owned(), suggestion }
}

/// Reads a host that has no colon.
fn parse_host(host: &str) -> Option<Host> {
    if host == "*" {
        return Some(Host::Any);
    }
    if let Ok(ip) = host.parse() {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    let labels = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(word)
    };
    // No top-level domain is a number, so `1.2.3` and `300.1.1.1` are slips and not names.
    let number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let is_name =
        labels.len() <= 253 && labels.split('.').all(label) && !labels.rsplit('.').next().is_some_and(number);
    is_name.then(|| Host::Name(host.to_owned()))
}

#[cfg(test)]
mod tests;
