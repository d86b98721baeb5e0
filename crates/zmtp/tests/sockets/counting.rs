//! What is counted of each peer.

use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::Queue;

use crate::support::{Carrier, bound, connected, run, send, text, until};

#[test]
fn each_peer_is_counted_apart() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let loud =
            connected(SocketType::Dealer, &place, |options| options.connection.identity = "loud".into())
                .await;
        let calm =
            connected(SocketType::Dealer, &place, |options| options.connection.identity = "calm".into())
                .await;
        for _ in 0..3 {
            send(&loud, text("hello"));
            let came = router.recv().await;
            send(&router, came);
            loud.recv().await;
        }
        send(&calm, text("hello"));
        router.recv().await;
        let counts = router.peer_counts();
        let of = |name: &str| counts.iter().find(|peer| peer.identity == name).expect("it is there");
        let (loud, calm) = (of("loud"), of("calm"));
        assert_eq!((loud.received, loud.sent), (3, 3));
        assert_eq!(loud.asked_identity, "loud");
        assert!(loud.address.is_some_and(|address| address.ip().is_loopback()));
        assert_eq!((calm.received, calm.sent), (1, 0));
        // Two bytes before a frame of five.
        assert_eq!(loud.bytes_read - calm.bytes_read, 2 * 7);
        assert_eq!(loud.bytes_written - calm.bytes_written, 3 * 7);
        assert_eq!((loud.queued_messages, loud.queued_bytes, loud.dropped_full), (0, 0, 0));
    });
}

#[test]
fn what_waits_and_what_was_dropped_is_counted() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |options| {
            options.queue = Queue { messages: 5, bytes: 1 << 20 };
        })
        .await;
        let dealer =
            connected(SocketType::Dealer, &place, |options| options.connection.identity = "d".into()).await;
        until(|| router.peers() == 1).await;
        // The task that would write has no turn in between.
        let refused = (0..8).filter(|_| router.send(["d", "hello"].into()).is_err()).count();
        let counts = &router.peer_counts()[0];
        assert_eq!((counts.queued_messages, counts.queued_bytes), (5, 5 * 7));
        assert_eq!((counts.sent, counts.dropped_full, refused), (5, 3, 3));
        for _ in 0..5 {
            dealer.recv().await;
        }
        assert_eq!(router.peer_counts()[0].queued_messages, 0);
    });
}
