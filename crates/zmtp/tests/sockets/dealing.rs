//! DEALER and ROUTER: who is called what.

use bytes::Bytes;
use service_framework_zmtp::socket::{Ended, Event, Refused};
use service_framework_zmtp::{Error, Message, SocketType};

use crate::support::{
    CARRIERS, Carrier, bound, connected, ended, event, pair, ramp, run, send, socket, text, until,
};

#[test]
fn messages_go_both_ways() {
    for carrier in CARRIERS {
        run(async move {
            let (router, dealer) = pair(SocketType::Router, SocketType::Dealer, carrier).await;
            for length in [0, 1, 255, 256, 70_000, 3 << 20] {
                let sent = Message::from([Bytes::from_static(b"a"), ramp(length), Bytes::new()]);
                send(&dealer, sent.clone());
                let came = router.recv().await;
                assert_eq!(came[1..], sent[..], "{length} bytes by {carrier:?}");
                send(&router, came);
                assert_eq!(dealer.recv().await, sent, "{length} bytes by {carrier:?}");
            }
        });
    }
}

#[test]
fn a_router_calls_a_peer_what_it_asks_to_be_called() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let identity = Bytes::from(vec![7; 255]);
        let name = identity.clone();
        let dealer =
            connected(SocketType::Dealer, &place, |options| options.connection.identity = name).await;
        send(&dealer, text("hello"));
        assert_eq!(router.recv().await[0], identity);
        assert!(
            matches!(event(&router).await, Event::Connected { identity: known, .. } if known == identity)
        );
    });
}

#[test]
fn a_router_names_those_who_do_not_care_each_differently() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let first = connected(SocketType::Dealer, &place, |_| ()).await;
        let second = connected(SocketType::Dealer, &place, |_| ()).await;
        send(&first, text("first"));
        let one = router.recv().await;
        send(&second, text("second"));
        let two = router.recv().await;
        assert_eq!((one[0][0], two[0][0]), (0, 0), "no peer may ask for such a name");
        assert_ne!(one[0], two[0]);
        // Each answer goes to its own.
        send(&router, two);
        send(&router, one);
        assert_eq!(first.recv().await, text("first"));
        assert_eq!(second.recv().await, text("second"));
    });
}

#[test]
fn a_second_peer_of_the_same_name_is_refused_and_told() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let named = |options: &mut service_framework_zmtp::socket::Options| {
            options.connection.identity = Bytes::from_static(b"one");
        };
        let first = connected(SocketType::Dealer, &place, named).await;
        until(|| router.peers() == 1).await;

        let second = socket(SocketType::Dealer, named);
        // The router says what it is before it knows who the other one is, so the handshake itself may be done.
        _ = second.connect(place.dial().await).await;
        // What it may have sent meanwhile does not take the refusal from it.
        _ = second.send(text("from the second"));
        let why = ended(&second).await;
        let Ended::Protocol(Error::Refused { reason }) = why else { panic!("{why:?}") };
        assert_eq!(reason, "another peer has this identity");
        assert!(matches!(event(&router).await, Event::Connected { .. }));
        let Event::HandshakeFailed { why: Ended::Protocol(Error::IdentityInUse) } = event(&router).await
        else {
            panic!("it was let in")
        };

        // Who was there first has lost nothing.
        send(&first, text("hello"));
        let came = router.recv().await;
        assert_eq!(came[1..], text("hello")[..]);
        send(&router, came);
        assert_eq!(first.recv().await, text("hello"));

        // A name is free again once its peer is gone.
        drop(first);
        until(|| router.peers() == 0).await;
        let third = connected(SocketType::Dealer, &place, named).await;
        send(&third, text("again"));
        assert_eq!(router.recv().await, Message::from(["one", "again"]));
    });
}

#[test]
fn a_router_that_heeds_no_identities_takes_nobody_for_who_was_there_before() {
    run(async {
        let (router, place) =
            bound(SocketType::Router, Carrier::Tcp, |options| options.heeds_identities = false).await;
        let named = |options: &mut service_framework_zmtp::socket::Options| {
            options.connection.identity = Bytes::from_static(b"one");
        };
        let first = connected(SocketType::Dealer, &place, named).await;
        send(&first, text("from the first"));
        let to_first = router.recv().await[0].clone();
        // Two at once are as good.
        let second = connected(SocketType::Dealer, &place, named).await;
        send(&second, text("from the second"));
        let to_second = router.recv().await[0].clone();
        assert_ne!(to_first, to_second);

        drop(first);
        until(|| router.peers() == 1).await;
        let unsent = router.send(Message::from([to_first, "late".into()])).expect_err("who asked is gone");
        assert_eq!(unsent.why, Refused::NoPeer);
        send(&router, Message::from([to_second, "in time".into()]));
        assert_eq!(second.recv().await, text("in time"));
    });
}

#[test]
fn a_router_says_whom_it_does_not_know() {
    run(async {
        let (router, dealer) = pair(SocketType::Router, SocketType::Dealer, Carrier::Tcp).await;
        let message = Message::from(["nobody", "hello"]);
        let unsent = router.send(message.clone()).expect_err("there is no such peer");
        assert_eq!((unsent.why, unsent.message), (Refused::NoPeer, message));
        let unsent = router.send(text("nobody")).expect_err("there is nothing to send");
        assert_eq!(unsent.why, Refused::Empty);
        assert_eq!(dealer.send(Message::new()).expect_err("no frames").why, Refused::Empty);
        assert_eq!(router.counts().sent, 0);

        drop(dealer);
        let Event::Connected { identity, .. } = event(&router).await else { panic!("it was met") };
        assert!(
            matches!(event(&router).await, Event::Disconnected { identity: gone, .. } if gone == identity)
        );
        let unsent = router.send(Message::from([identity, Bytes::new()])).expect_err("the peer is gone");
        assert_eq!(unsent.why, Refused::NoPeer);
    });
}

#[test]
fn two_dealers_and_two_routers_talk() {
    run(async {
        let (one, other) = pair(SocketType::Dealer, SocketType::Dealer, Carrier::Unix).await;
        send(&one, text("hello"));
        assert_eq!(other.recv().await, text("hello"));

        let (one, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let other = connected(SocketType::Router, &place, |options| {
            options.connection.identity = Bytes::from_static(b"other");
        })
        .await;
        until(|| one.peers() == 1).await;
        send(&one, Message::from(["other", "hello"]));
        let came = other.recv().await;
        assert_eq!(came[1..], text("hello")[..]);
        send(&other, came);
        assert_eq!(one.recv().await, Message::from(["other", "hello"]));
    });
}

#[test]
fn sockets_that_do_not_fit_tell_both_sides() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let subscriber = socket(SocketType::Sub, |_| ());
        let why = subscriber.connect(place.dial().await).await.expect_err("a router publishes nothing");
        assert!(matches!(why, Ended::Protocol(Error::Incompatible { .. })), "{why}");
        let why = ended(&router).await;
        assert!(matches!(why, Ended::Protocol(Error::Incompatible { .. }) | Ended::ByPeer), "{why}");
        assert_eq!((router.counts().handshakes_failed.total(), router.counts().connected), (1, 0));
    });
}

#[test]
fn counts_tell_what_was_carried() {
    run(async {
        let (router, dealer) = pair(SocketType::Router, SocketType::Dealer, Carrier::Tcp).await;
        for _ in 0..3 {
            send(&dealer, text("hello"));
            router.recv().await;
        }
        let (here, there) = (router.counts(), dealer.counts());
        assert_eq!((here.received, here.sent, here.connected, here.disconnected.total()), (3, 0, 1, 0));
        assert_eq!((there.received, there.sent, there.connected, there.disconnected.total()), (0, 3, 1, 0));
        drop(dealer);
        until(|| router.counts().disconnected.total() == 1).await;
        assert_eq!(router.peers(), 0);
    });
}
