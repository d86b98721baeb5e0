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
