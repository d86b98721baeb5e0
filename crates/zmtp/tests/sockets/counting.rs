//! What is counted of each peer, and of all that a socket has carried.

use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{
    Cause, Endpoint, Event, Options, Queue, Redial, Refused, Stream, Traffic,
};
use tokio::io::AsyncWriteExt as _;

use crate::support::{Carrier, bound, connected, event, run, send, socket, text, until};

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

#[test]
fn the_bytes_of_those_who_have_gone_stay_counted() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let mut theirs = (0, 0);
        for times in 1..=3 {
            let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
            for _ in 0..times {
                send(&dealer, text("hello"));
                let came = router.recv().await;
                send(&router, came);
                dealer.recv().await;
            }
            let traffic = dealer.traffic();
            theirs = (theirs.0 + traffic.bytes_read, theirs.1 + traffic.bytes_written);
            let ours = router.traffic();
            assert_eq!((ours.bytes_written, ours.bytes_read), theirs, "while it is there");
            drop(dealer);
            until(|| router.peers() == 0).await;
            let ours = router.traffic();
            assert_eq!((ours.bytes_written, ours.bytes_read), theirs, "when it has gone");
        }
        assert_eq!(router.counts().disconnected.of(Cause::ByPeer), 3);
        // A stranger has said something, too.
        let Stream::Tcp(mut stranger) = place.dial().await else { panic!("it is TCP") };
        stranger.write_all(b"GET / HTTP/1.1\r\n").await.expect("it is taken");
        until(|| router.counts().handshakes_failed.of(Cause::NotZmtp) == 1).await;
        assert_eq!(router.traffic().bytes_read, theirs.1 + 16);
    });
}

#[test]
fn what_waits_is_told_of_all_peers_together() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let mut dealers = Vec::new();
        for name in ["a", "b"] {
            let named = |options: &mut Options| options.connection.identity = name.into();
            dealers.push(connected(SocketType::Dealer, &place, named).await);
        }
        until(|| router.peers() == 2).await;
        for name in ["a", "b", "b"] {
            send(&router, [name, "hello"].into());
        }
        // The tasks that would write have no turn in between.
        let Traffic { queued_messages, queued_bytes, .. } = router.traffic();
        assert_eq!((queued_messages, queued_bytes), (3, 3 * 7));
        until(|| router.traffic().queued_messages == 0).await;
        // Nobody takes what has come.
        until(|| dealers[1].traffic().inbox_messages == 2).await;
        assert_eq!(dealers[1].traffic().inbox_bytes, 2 * 5);
        dealers[1].recv().await;
        assert_eq!((dealers[1].traffic().inbox_messages, dealers[1].traffic().inbox_bytes), (1, 5));
    });
}

#[test]
fn tries_that_come_to_nothing_are_counted_by_what_was_in_the_way() {
    run(async {
        let (_router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dialled = async |endpoint: Endpoint| {
            let subscriber = socket(SocketType::Sub, |_| ());
            subscriber.dial(endpoint, Redial::default());
            while !matches!(event(&subscriber).await, Event::DialFailed { .. }) {}
            let counts = subscriber.counts();
            (counts.dials_failed.each().collect::<Vec<_>>(), counts.handshakes_failed.total())
        };
        let nobody = "inproc://nobody listens here".parse().expect("an endpoint");
        assert_eq!(dialled(nobody).await, (vec![(Cause::Network, 1)], 0));
        let router = format!("tcp://127.0.0.1:{}", place.port()).parse().expect("an endpoint");
        assert_eq!(dialled(router).await, (vec![(Cause::WrongType, 1)], 1));
    });
}
