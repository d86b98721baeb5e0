//! The client's part of the handshake.

use super::boxes::{BoxKey, long_nonce, random, short_nonce};
use super::session::Session;
use super::{COOKIE, KeyPair, PublicKey};
use crate::Error;
use crate::protocol::frame::write_command;
use crate::protocol::handshake::Done;
use crate::protocol::metadata;
use crate::protocol::{Output, SocketType};

/// The numbers of the commands that a client says.
const HELLO: u64 = 1;
const INITIATE: u64 = 2;

/// A client that has said HELLO.
#[derive(Debug)]
pub(in crate::protocol) struct Greeted {
    /// Its keys for this connection.
    once: KeyPair,
    /// What makes the nonce of its vouch.
    vouch: [u8; 16],
}

/// A client that has said INITIATE.
#[derive(Debug)]
pub(in crate::protocol) struct Initiated {
    key: BoxKey,
}

impl Greeted {
    /// With fresh keys.
    pub(super) fn fresh() -> Result<Self, Error> {
        Ok(Self::of(KeyPair::generate()?, random()?))
    }

    pub(super) fn of(once: KeyPair, vouch: [u8; 16]) -> Self {
        Self { once, vouch }
    }

    /// Says that there is somebody, and nothing else: it is as long as it is so that the answer is shorter.
    pub(super) fn hello(&self, out: &mut Output, server: &PublicKey) -> Result<(), Error> {
        let key = BoxKey::of(self.once.secret(), server)?;
        let signature = key.sealed(&short_nonce(b"CurveZMQHELLO---", HELLO), &[0; 64]);
        let public = self.once.public().as_bytes();
        write_command(out, "HELLO", &[&[1, 0], &[0; 72], public, &HELLO.to_be_bytes(), &signature]);
        Ok(())
    }

    /// Reads the WELCOME of the server, who has thereby shown that it is the one, and says who this side is.
    pub(super) fn welcomed(
        &self,
        welcome: &[u8],
        out: &mut Output,
        (own, server): (&KeyPair, &PublicKey),
        metadata: &[u8],
    ) -> Result<Initiated, Error> {
        let malformed = Error::Malformed("a WELCOME of another length than 168");
        let (nonce, sealed) = welcome.split_first_chunk().ok_or(malformed.clone())?;
        let text = BoxKey::of(self.once.secret(), server)?.opened(&long_nonce(b"WELCOME-", nonce), sealed);
        let text = text.ok_or(Error::Unopened("WELCOME"))?;
        let (server_once, cookie) = text.split_first_chunk::<32>().ok_or(malformed.clone())?;
        if cookie.len() != COOKIE {
            return Err(malformed);
        }
        let server_once = PublicKey::from(*server_once);

        let vouched = [*self.once.public().as_bytes(), *server.as_bytes()].concat();
        let vouch =
            BoxKey::of(own.secret(), &server_once)?.sealed(&long_nonce(b"VOUCH---", &self.vouch), &vouched);
        let text = [own.public().as_bytes(), &self.vouch[..], &vouch, metadata].concat();
        let key = BoxKey::of(self.once.secret(), &server_once)?;
        let sealed = key.sealed(&short_nonce(b"CurveZMQINITIATE", INITIATE), &text);
        write_command(out, "INITIATE", &[cookie, &INITIATE.to_be_bytes(), &sealed]);
        Ok(Initiated { key })
    }
}

impl Initiated {
    /// Reads the READY of the server, and what it says of itself.
    pub(super) fn ready(&self, ready: &[u8], ours: SocketType) -> Result<Done, Error> {
        let malformed = Error::Malformed("a READY that is too short");
        let (number, sealed) = ready.split_first_chunk().ok_or(malformed)?;
        let number = u64::from_be_bytes(*number);
        let text = self.key.opened(&short_nonce(b"CurveZMQREADY---", number), sealed);
        let text = text.ok_or(Error::Unopened("READY"))?;
        let peer = metadata::read(&text, ours)?;
        Ok(Done { peer, session: Some(Session::of_client(&self.key, INITIATE, number)) })
    }
}
