//! The server's part of the handshake.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::boxes::{BoxKey, long_nonce, random, short_nonce};
use super::session::Session;
use super::{COOKIE, KeyPair, PublicKey, SecretKey};
use crate::Error;
use crate::protocol::frame::write_command;
use crate::protocol::handshake::Done;
use crate::protocol::metadata::{self, Metadata};
use crate::protocol::{Config, Output, SocketType};

/// The number of the one command in the handshake that a server numbers.
const READY: u64 = 1;

/// What a WELCOME is made with, once.
pub(super) struct Fresh {
    /// The keys for this connection.
    pub(super) once: KeyPair,
    pub(super) cookie_key: BoxKey,
    pub(super) cookie_nonce: [u8; 16],
    pub(super) welcome_nonce: [u8; 16],
}

impl Fresh {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            once: KeyPair::generate()?,
            cookie_key: random()?.into(),
            cookie_nonce: random()?,
            welcome_nonce: random()?,
        })
    }
}

/// A server that has said WELCOME. It keeps no more of the client than the number of its HELLO: all else comes back in the cookie.
#[derive(Debug)]
pub(in crate::protocol) struct Welcomed {
    cookie_key: BoxKey,
    hello: u64,
}

/// A server that has read who the client is, and whose decision is awaited.
#[derive(Debug)]
pub(in crate::protocol) struct Asked {
    /// Who the client is.
    pub(super) client: PublicKey,
    /// What it says of itself.
    peer: Metadata,
    key: BoxKey,
    initiate: u64,
}

/// Reads the HELLO of somebody, and gives them a cookie.
pub(super) fn welcome(
    hello: &[u8],
    out: &mut Output,
    own: &KeyPair,
    fresh: Fresh,
) -> Result<Welcomed, Error> {
    let malformed = Error::Malformed("a HELLO of another length than 200");
    let hello: &[u8; 194] = hello.try_into().map_err(|_| malformed)?;
    let (version, rest) = hello.split_at(2);
    if version != [1, 0] {
        return Err(Error::Malformed("a HELLO of another version of CURVE than 1.0"));
    }
    let (padding, rest) = rest.split_at(72);
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Error::Malformed("a HELLO whose padding is not of zeros"));
    }
    let (client_once, rest) = rest.split_first_chunk::<32>().expect("it has 194 bytes");
    let (number, signature) = rest.split_first_chunk().expect("it has 194 bytes");
    let number = u64::from_be_bytes(*number);
    let key = BoxKey::of(own.secret(), &PublicKey::from(*client_once))?;
    let signed = key.opened(&short_nonce(b"CurveZMQHELLO---", number), signature);
    if *signed.ok_or(Error::Unopened("HELLO"))? != [0; 64] {
        return Err(Error::Malformed("a HELLO whose box has something else in it than zeros"));
    }

    let remembered = Zeroizing::new([&client_once[..], fresh.once.secret().secret().as_bytes()].concat());
    let cookie = fresh.cookie_key.sealed(&long_nonce(b"COOKIE--", &fresh.cookie_nonce), &remembered);
    let text = [fresh.once.public().as_bytes(), &fresh.cookie_nonce[..], &cookie].concat();
    let sealed = key.sealed(&long_nonce(b"WELCOME-", &fresh.welcome_nonce), &text);
    write_command(out, "WELCOME", &[&fresh.welcome_nonce, &sealed]);
    Ok(Welcomed { cookie_key: fresh.cookie_key, hello: number })
}

impl Welcomed {
    /// Reads the INITIATE of the client, who has thereby proven who it is.
    pub(super) fn initiated(&self, initiate: &[u8], own: &KeyPair, ours: SocketType) -> Result<Asked, Error> {
        let malformed = || Error::Malformed("an INITIATE of fewer bytes than 257");
        let (cookie, rest) = initiate.split_first_chunk::<COOKIE>().ok_or_else(malformed)?;
        let (number, sealed) = rest.split_first_chunk().ok_or_else(malformed)?;

        let (nonce, cookie) = cookie.split_first_chunk().expect("it has 96 bytes");
        let remembered = self.cookie_key.opened(&long_nonce(b"COOKIE--", nonce), cookie);
        let remembered = remembered.ok_or(Error::Unopened("the cookie of INITIATE"))?;
        let (client_once, once) = remembered.split_first_chunk::<32>().expect("a cookie is as it was made");
        let once = SecretKey::from(*once.first_chunk::<32>().expect("a cookie is as it was made"));

        let number = u64::from_be_bytes(*number);
        if number <= self.hello {
            return Err(Error::Replayed);
        }
        let key = BoxKey::of(&once, &PublicKey::from(*client_once))?;
        let text = key.opened(&short_nonce(b"CurveZMQINITIATE", number), sealed);
        let text = text.ok_or(Error::Unopened("INITIATE"))?;
        let (client, rest) = text.split_first_chunk::<32>().ok_or_else(malformed)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (vouch, said) = rest.split_first_chunk::<80>().ok_or_else(malformed)?;

        let client = PublicKey::from(*client);
        let vouched = BoxKey::of(&once, &client)?.opened(&long_nonce(b"VOUCH---", nonce), vouch);
        let vouched = vouched.ok_or(Error::Unopened("the vouch of INITIATE"))?;
        let wanted = [&client_once[..], own.public().as_bytes()].concat();
        if !bool::from(vouched.ct_eq(&wanted)) {
            return Err(Error::Malformed("a vouch for other keys than those of this connection"));
        }
        let peer = metadata::read(said, ours)?;
        Ok(Asked { client, peer, key, initiate: number })
    }
}

impl Asked {
    /// Lets the client in, and says what this side is.
    pub(in crate::protocol) fn ready(&self, out: &mut Output, config: &Config) -> Done {
        let said = metadata::written(config);
        let sealed = self.key.sealed(&short_nonce(b"CurveZMQREADY---", READY), &said);
        write_command(out, "READY", &[&READY.to_be_bytes(), &sealed]);
        let session = Session::of_server(&self.key, READY, self.initiate);
        Done { peer: self.peer.clone(), session: Some(session) }
    }
}
