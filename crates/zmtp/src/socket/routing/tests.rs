//! What peers are called by.

use tokio::io::duplex;

use super::*;
use crate::socket::Stream;

/// A peer without a name of its own, which has been met.
fn met(routing: &mut Routing, key: usize) -> Result<Bytes, Error> {
    let peer = Peer::new(key, Stream::Inproc(duplex(1).0), &Options::new(SocketType::Router), None);
    let who = crate::Peer { socket_type: SocketType::Dealer, identity: Bytes::new(), minor_version: 1 };
    routing.meet(&Rc::new(peer), &who)
}

#[test]
fn a_name_that_somebody_has_is_given_to_nobody_else() {
    let mut routing = Routing::new(&Options::new(SocketType::Router));
    let first: Vec<_> = (0..3).map(|key| met(&mut routing, key).expect("it is let in")).collect();
    assert_eq!(first, [&b"\0\0\0\0\x01"[..], b"\0\0\0\0\x02", b"\0\0\0\0\x03"]);
    routing.named = u32::MAX - 1;
    let later: Vec<_> = (3..6).map(|key| met(&mut routing, key).expect("it is let in")).collect();
    assert_eq!(later, [&b"\0\xff\xff\xff\xff"[..], b"\0\0\0\0\0", b"\0\0\0\0\x04"]);
}
