//! A stranger between us and libzmq, who sees every byte on the way.

use std::rc::Rc;

use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Socket};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::libzmq::Libzmq;
use crate::meeting::dial;
use crate::support::{send, socket, text};

/// Carries bytes from one end to the other, and shows them.
async fn carry(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    see: impl Fn(&[u8]),
) {
    let mut bytes = vec![0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        see(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Our DEALER, met with libzmq's `it`, which asks for signs of life; what we say and what it says is seen.
pub(crate) async fn tapped<S: 'static>(
    libzmq: &mut Libzmq,
    theirs: &str,
    ours: impl FnOnce(&mut Options),
    [from_us, from_them]: [&Rc<S>; 2],
    see: fn(&S, &[u8]),
) -> Socket {
    let options = "HEARTBEAT_IVL=10 HEARTBEAT_TIMEOUT=30000 HEARTBEAT_TTL=30000";
    libzmq.ask(&format!("socket it DEALER {options} {theirs}")).await;
    let theirs = libzmq.ask("bind it tcp://127.0.0.1:*").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let ours = socket(SocketType::Dealer, ours);
    let meeting = ours.connect(dial(&format!("tcp://{address}")).await);
    let (near, _) = listener.accept().await.expect("we come");
    let far = TcpStream::connect(theirs.trim_start_matches("tcp://")).await.expect("a listener");
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let (from_us, from_them) = (Rc::clone(from_us), Rc::clone(from_them));
    tokio::task::spawn_local(carry(near_read, far_write, move |bytes| see(&from_us, bytes)));
    tokio::task::spawn_local(carry(far_read, near_write, move |bytes| see(&from_them, bytes)));
    meeting.await.expect("a peer");
    ours
}

/// Both still hear each other, and nobody was put out.
pub(crate) async fn still_talk(libzmq: &mut Libzmq, ours: &Socket) {
    send(ours, text("hello"));
    assert_eq!(libzmq.recv("it").await, text("hello"));
    libzmq.send("it", &text("hello")).await;
    assert_eq!(ours.recv().await, text("hello"));
    assert_eq!(ours.counts().disconnected.total(), 0);
}
