//! What is counted of each peer.

use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Queue, Refused};

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
        assert_eq!(
            (loud.queued_messages, loud.queued_bytes, loud.dropped_full, loud.refused_full),
            (0, 0, 0, 0)
        );
    });
}

#[test]
fn what_waits_and_what_was_given_back_is_counted() {
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
        assert_eq!((counts.sent, counts.refused_full, refused), (5, 3, 3));
        assert_eq!(counts.dropped_full, 0, "whoever sends has them still");
        for _ in 0..5 {
            dealer.recv().await;
        }
        assert_eq!(router.peer_counts()[0].queued_messages, 0);
    });
}

#[test]
fn the_busiest_peers_are_told_apart_and_the_others_counted() {
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let mut pushes = Vec::new();
        // In an order that is none.
        for length in [300, 100, 500, 200, 400] {
            let push = connected(SocketType::Push, &place, |_| ()).await;
            send(&push, text(&"x".repeat(length)));
            pull.recv().await;
            pushes.push(push);
        }
        let all = pull.peer_counts();
        let mut wanted: Vec<_> = all.iter().map(|peer| peer.bytes_read).collect();
        wanted.sort_unstable_by(|one, other| other.cmp(one));
        for most in 0..7 {
            let (busiest, others) = pull.busiest_peers(most);
            let told: Vec<_> = busiest.iter().map(|peer| peer.bytes_read).collect();
            assert_eq!((&*told, others), (&wanted[..most.min(5)], 5_usize.saturating_sub(most)));
        }
    });
}

#[test]
fn a_queue_has_room_for_one_message_whatever_it_is_told() {
    run(async {
        let none = |options: &mut Options| options.queue = Queue { messages: 0, bytes: 0 };
        let (push, place) = bound(SocketType::Push, Carrier::Tcp, none).await;
        let pull = connected(SocketType::Pull, &place, |_| ()).await;
        until(|| push.peers() == 1).await;
        for _ in 0..3 {
            send(&push, text("one"));
            assert_eq!(push.send(text("another")).expect_err("the first waits").why, Refused::Full);
            assert_eq!(pull.recv().await, text("one"));
            until(|| push.peer_counts()[0].queued_messages == 0).await;
        }
    });
}
