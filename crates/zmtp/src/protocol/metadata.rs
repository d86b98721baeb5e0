//! What a side says of itself in its handshake: names and values.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{Config, SocketType, shown};
use crate::Error;

const SOCKET_TYPE: &str = "Socket-Type";
const IDENTITY: &str = "Identity";

/// The most bytes of an identity.
const IDENTITY_MAX: usize = 255;

/// What a peer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) socket_type: SocketType,
    /// Empty if it has none.
    pub(super) identity: Bytes,
}

/// The properties that this side gives.
fn properties(config: &Config) -> impl Iterator<Item = (&'static str, &[u8])> {
    use SocketType::{Dealer, Rep, Req, Router};
    let name = (SOCKET_TYPE, config.socket_type.name().as_bytes());
    let has_identity = matches!(config.socket_type, Req | Rep | Dealer | Router);
    let identity = has_identity.then_some((IDENTITY, &*config.identity));
    std::iter::once(name).chain(identity)
}

/// What this side says of itself.
pub(super) fn written(config: &Config) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in properties(config) {
        bytes.put_u8(name.len() as u8);
        bytes.put_slice(name.as_bytes());
        bytes.put_u32(value.len() as u32);
        bytes.put_slice(value);
    }
    bytes
}

/// Reads what the peer says of itself. Names are the same in upper and lower case; those that are not known are passed over. What stays is copied: it is
/// kept for as long as the peer is there, and all that came with it would be.
pub(super) fn read(mut bytes: &[u8], ours: SocketType) -> Result<Metadata, Error> {
    let (mut socket_type, mut identity) = (None, Bytes::new());
    while !bytes.is_empty() {
        let broken = Error::Malformed("metadata that ends within a property");
        let name_length = usize::from(bytes.get_u8());
        if bytes.len() < name_length + 4 {
            return Err(broken);
        }
        let (name, rest) = bytes.split_at(name_length);
        bytes = rest;
        let value_length = bytes.get_u32() as usize;
        let (value, rest) = bytes.split_at_checked(value_length).ok_or(broken)?;
        bytes = rest;
        if name.eq_ignore_ascii_case(SOCKET_TYPE.as_bytes()) {
            let theirs = SocketType::from_name(value).filter(|theirs| ours.talks_to(*theirs));
            let theirs = theirs.ok_or_else(|| Error::Incompatible { ours, theirs: shown(value) })?;
            socket_type = Some(theirs);
        } else if name.eq_ignore_ascii_case(IDENTITY.as_bytes()) {
            if value.len() > IDENTITY_MAX || value.first() == Some(&0) {
                return Err(Error::Malformed("an identity that is too long, or begins with zero"));
            }
            identity = Bytes::copy_from_slice(value);
        }
    }
    let socket_type = socket_type.ok_or(Error::Malformed("a peer without a socket type"))?;
    Ok(Metadata { socket_type, identity })
}
