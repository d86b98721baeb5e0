//! How sockets end.

use std::time::Duration;

use service_framework_zmtp::socket::{Ended, Event, Refused, Socket};
use service_framework_zmtp::{Message, SocketType};

use crate::home::Home;
use crate::support::{
    CARRIERS, Carrier, Hand, bound, connected, ended, event, listener, pair, ramp, run, send, socket, text,
    until,
};

#[test]
fn close_lets_what_was_sent_leave() {
    for carrier in CARRIERS {
        run(async move {
            let (pull, push) = pair(SocketType::Pull, SocketType::Push, carrier).await;
            let body = ramp(1 << 20);
            for _ in 0..20 {
                send(&push, Message::from([body.clone()]));
            }
            let closed = tokio::task::spawn_local(push.close());
            assert_eq!(push.send(text("late")).expect_err("it is closed").why, Refused::NoPeer);
            drop(push);
            for _ in 0..20 {
                assert_eq!(pull.recv().await[0], body);
            }
            closed.await.expect("it ends");
            assert!(matches!(ended(&pull).await, Ended::ByPeer));
        });
    }
}

#[test]
fn what_a_peer_says_meanwhile_takes_nothing_back() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        send(&dealer, text("hello"));
        let identity = router.recv().await[0].clone();
        let body = ramp(1 << 20);
        for _ in 0..8 {
            send(&router, Message::from([identity.clone(), body.clone()]));
        }
        let closed = tokio::task::spawn_local(router.close());
        drop(router);
        // More than anybody reads any more.
        for _ in 0..8 {
            send(&dealer, Message::from([body.clone()]));
        }
        for _ in 0..8 {
            assert_eq!(dealer.recv().await[0], body);
        }
        closed.await.expect("it ends");
    });
}

#[test]
fn close_without_peers_ends_at_once() {
    run(async {
        let socket = socket(SocketType::Push, |_| ());
        socket.close().await;
        let home = Home::new(Carrier::Tcp);
        socket.listen(home.listener());
        assert!(home.stream().is_err(), "a closed socket listens to nobody");
    });
}

#[test]
fn a_closed_socket_meets_nobody() {
    run(async {
        let (_pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let push = socket(SocketType::Push, |_| ());
        push.close().await;
        let why = push.connect(place.dial().await).await.expect_err("it is closed");
        assert!(matches!(why, Ended::ByUs), "{why}");
    });
}

/// A socket that cannot end by itself: a peer that takes nothing is sent more than the system takes from it.
async fn held_up() -> (Socket, Hand) {
    let (push, place) = bound(SocketType::Push, Carrier::Tcp, |_| ()).await;
    let hand = Hand::met(SocketType::Pull, &place).await;
    until(|| push.peers() == 1).await;
    for _ in 0..60 {
        send(&push, Message::from([ramp(1 << 20)]));
    }
    (push, hand)
}

#[test]
fn a_close_within_a_time_does_not_wait_for_a_peer_that_takes_nothing() {
    run(async {
        let (push, hand) = held_up().await;
        push.close_within(Duration::from_millis(50)).await;
        assert!(hand.rest().await.len() < 60, "it was cut");
    });
}

#[test]
fn a_close_within_a_time_lets_what_was_sent_leave() {
    run(async {
        let (pull, push) = pair(SocketType::Pull, SocketType::Push, Carrier::Tcp).await;
        let body = ramp(1 << 20);
        for _ in 0..20 {
            send(&push, Message::from([body.clone()]));
        }
        let closed = tokio::task::spawn_local(push.close_within(Duration::from_secs(3_600)));
        for _ in 0..20 {
            assert_eq!(pull.recv().await[0], body);
        }
        closed.await.expect("it ends");
    });
}

#[test]
fn a_close_that_nobody_waits_for_holds_nothing() {
    run(async {
        let (push, hand) = held_up().await;
        drop(push.close());
        drop(push);
        assert!(hand.rest().await.len() < 60, "it was cut");
    });
}

#[test]
fn drop_ends_peers_and_frees_the_port() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let router = home.open(SocketType::Router);
        let dealer = socket(SocketType::Dealer, |_| ());
        dealer.connect(home.stream().expect("a listener")).await.expect("a peer");
        until(|| router.peers() == 1).await;
        drop(router);
        // At once: another may want it.
        assert!(home.stream().is_err(), "nobody listens");
        assert!(matches!(ended(&dealer).await, Ended::ByPeer | Ended::System(_)));
        assert_eq!(dealer.peers(), 0);
    });
}

#[test]
fn a_port_is_used_again_and_peers_are_met_again() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let first = home.open(SocketType::Pull);
        let push = socket(SocketType::Push, |_| ());
        push.connect(home.stream().expect("a listener")).await.expect("a peer");
        drop(first);
        assert!(matches!(event(&push).await, Event::Connected { .. }));
        assert!(matches!(event(&push).await, Event::Disconnected { .. }));
        let second = home.open(SocketType::Pull);
        push.connect(home.stream().expect("a listener")).await.expect("a peer");
        send(&push, text("hello"));
        assert_eq!(second.recv().await, text("hello"));
    });
}

#[test]
fn a_socket_listens_at_several_places() {
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let (other, file) = listener(Carrier::Unix).await;
        pull.listen(other);
        for place in [&place, &file] {
            let push = connected(SocketType::Push, place, |_| ()).await;
            send(&push, text("hello"));
            assert_eq!(pull.recv().await, text("hello"));
            push.close().await;
        }
    });
}
