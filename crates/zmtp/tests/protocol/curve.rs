//! Two sides that prove who they are and encrypt.

mod forging;
mod meeting;
mod talking;

use std::time::Instant;

use service_framework_zmtp::{
    Config, Connection, Credentials, Error, Event, KeyPair, Mechanism, PublicKey, SecretKey, SocketType,
};

use crate::support::{events, talk};

/// The keys of a byte, repeated.
fn pair(byte: u8) -> KeyPair {
    SecretKey::from([byte; 32]).into()
}

const CLIENT: u8 = 1;
const SERVER: u8 = 2;

fn with(socket_type: SocketType, change: impl FnOnce(&mut Config)) -> Connection {
    let mut config = Config::new(socket_type);
    change(&mut config);
    Connection::new(config, Instant::now())
}

/// A client that wants the server of this key.
fn client_of(socket_type: SocketType, server: PublicKey) -> Connection {
    with(socket_type, |config| config.mechanism = Mechanism::CurveClient { own: pair(CLIENT), server })
}

fn client(socket_type: SocketType) -> Connection {
    client_of(socket_type, *pair(SERVER).public())
}

fn server(socket_type: SocketType) -> Connection {
    with(socket_type, |config| config.mechanism = Mechanism::CurveServer { own: pair(SERVER) })
}

/// Lets the two talk until the client has asked to be let in, and lets it in.
fn meet(client: &mut Connection, server: &mut Connection) {
    let (_, asked) = talk(client, server);
    assert_eq!(asked, [Event::Credentials(Credentials::Key(*pair(CLIENT).public()))]);
    assert!(!client.is_ready() && !server.is_ready());
    server.admit();
    let (here, there) = talk(client, server);
    assert!(matches!((&here[0], &there[0]), (Event::Ready(_), Event::Ready(_))), "{here:?} {there:?}");
}

/// Two sides that have met.
fn met(ours: SocketType, theirs: SocketType) -> (Connection, Connection) {
    let (mut client, mut server) = (client(ours), server(theirs));
    meet(&mut client, &mut server);
    (client, server)
}

/// What the other makes of everything that one side has to say.
fn told(from: &mut Connection, to: &mut Connection) -> (Vec<Event>, Option<Error>) {
    let said = from.take_output();
    to.receive(&said, Instant::now());
    events(to)
}
