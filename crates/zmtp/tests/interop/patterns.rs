//! What two patterns say to one another, whoever is at the other end.

use bytes::Bytes;
use service_framework_zmtp::{Message, SocketType};

use crate::support::{Place, ramp, text};

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binds {
    We,
    They,
}

pub(crate) const OURS: &[u8] = b"ours";
pub(crate) const THEIRS: &[u8] = b"theirs";

/// A place as ZeroMQ writes it.
pub(crate) fn endpoint(place: &Place) -> String {
    match place {
        Place::Tcp(port) => format!("tcp://127.0.0.1:{port}"),
        Place::Unix(path, _) => format!("ipc://{}", path.display()),
        Place::Inproc(_) => panic!("others do not see it"),
    }
}

/// What is told of each pair: no bytes, some, many, several frames.
pub(crate) fn bodies() -> Vec<Message> {
    let frames = [Bytes::from_static(b"a"), Bytes::new(), ramp(300), ramp(70_000)];
    vec![
        text(""),
        text("a"),
        Message::from([ramp(255)]),
        Message::from([ramp(256)]),
        frames.into_iter().collect(),
    ]
}

/// Who asks, and whom.
pub(crate) const ASKS: [(SocketType, SocketType); 7] = [
    (SocketType::Req, SocketType::Rep),
    (SocketType::Req, SocketType::Router),
    (SocketType::Dealer, SocketType::Rep),
    (SocketType::Dealer, SocketType::Dealer),
    (SocketType::Dealer, SocketType::Router),
    (SocketType::Router, SocketType::Dealer),
    (SocketType::Router, SocketType::Router),
];

/// What stands before a body at each end: the name of the other for a ROUTER, the empty frame where only one end knows of it.
pub(crate) fn enveloped(
    socket: SocketType,
    peer: SocketType,
    peer_name: &'static [u8],
    body: &Message,
) -> Message {
    let name = (socket == SocketType::Router).then_some(Bytes::from_static(peer_name));
    let knows_it = |socket| matches!(socket, SocketType::Req | SocketType::Rep);
    let delimiter = (knows_it(peer) && !knows_it(socket)).then(Bytes::new);
    name.into_iter().chain(delimiter).chain(body.iter().cloned()).collect()
}

/// A body that is published under a topic.
pub(crate) fn published(topic: &'static str, body: &Message) -> Message {
    std::iter::once(Bytes::from_static(topic.as_bytes())).chain(body.iter().cloned()).collect()
}
