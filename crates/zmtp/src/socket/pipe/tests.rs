//! What a pipe keeps of memory.

use std::future::poll_fn;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use super::*;
use crate::SocketType;

/// Reads all there is, and says how large the largest buffer was.
async fn read_all(pipe: &mut Pipe) -> usize {
    poll_fn(|context| {
        let mut largest = 0;
        while let Poll::Ready(read) = pipe.read(context) {
            assert!(read.expect("it is open") > 0);
            largest = largest.max(pipe.connection.input().capacity());
            pipe.connection.input().clear();
        }
        Poll::Ready(largest)
    })
    .await
}

#[tokio::test]
async fn a_peer_that_was_busy_once_holds_no_room_for_ever() {
    let (near, mut far) = UnixStream::pair().expect("two ends");
    let mut pipe = Pipe::new(Stream::Unix(near), &Options::new(SocketType::Pull));
    let mut largest = 0;
    for _ in 0..8 {
        far.write_all(&[0; 64 << 10]).await.expect("it is taken");
        poll_fn(|context| pipe.stream.poll_read_ready(context)).await.expect("it is open");
        largest = largest.max(read_all(&mut pipe).await);
    }
    assert!(largest >= 32 << 10, "a busy peer is read in large pieces: {largest}");
    assert_eq!(pipe.connection.input().capacity(), 0);
    // And what comes one by one is read in small ones again.
    for _ in 0..8 {
        far.write_all(&[0; 100]).await.expect("it is taken");
        poll_fn(|context| pipe.stream.poll_read_ready(context)).await.expect("it is open");
        largest = read_all(&mut pipe).await;
    }
    assert!(largest <= KEPT, "{largest}");
}

/// A pipe to a peer that it has met, and the other end of its stream.
fn met(options: &Options) -> (Pipe, UnixStream) {
    let (near, far) = UnixStream::pair().expect("two ends");
    let mut pipe = Pipe::new(Stream::Unix(near), options);
    let mut peer = Connection::new(options.connection.clone(), now());
    while !(pipe.connection.is_ready() && peer.is_ready()) {
        pipe.connection.receive(&peer.take_output(), now());
        peer.receive(&pipe.connection.take_output(), now());
        while pipe.connection.poll().expect("a peer").is_some() || peer.poll().expect("a peer").is_some() {}
    }
    (pipe, far)
}

#[tokio::test]
async fn nothing_older_is_dropped_in_vain() {
    let mut options = Options::new(SocketType::Dealer);
    options.when_full = WhenFull::DropOldest;
    options.queue.bytes = 1_000;
    let (mut pipe, _far) = met(&options);
    let send = |pipe: &mut Pipe, bytes: usize| pipe.send(&Sending::Own(&[vec![0; bytes].into()]));
    for bytes in [400, 400, 50] {
        assert_eq!(send(&mut pipe, bytes), Ok(0));
    }
    assert_eq!(pipe.waiting.len(), 1, "it may be dropped");
    // What the protocol itself has to say takes the rest of the room.
    while pipe.connection.output().remaining() < 1_000 {
        pipe.connection.subscribe(true, &[0; 50]).expect("it is ready");
    }
    assert_eq!(send(&mut pipe, 50), Err(Refused::Full));
    let counts = pipe.counts();
    assert_eq!((pipe.waiting.len(), counts.sent, counts.dropped_full + counts.refused_full), (1, 3, 1));
}
