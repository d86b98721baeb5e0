//! Sockets that keep their connections by themselves.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use service_framework_zmtp::socket::{
    Cause, Ended, Endpoint, Event, Listener, Options, Redial, Refused, Socket,
};
use service_framework_zmtp::{Error, Message, SocketType};
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::task::yield_now;

use crate::home::{Home, SOON, connected, disconnected, named};
use crate::support::{
    CARRIERS, Carrier, PATIENCE, bound, event, ramp, run, run_alone, send, socket, text, until,
};

/// The next try that came to nothing: why, and how long is waited then.
async fn failed(socket: &Socket, home: &Home) -> (Ended, Duration) {
    match event(socket).await {
        Event::DialFailed { endpoint, why, pause } if endpoint == home.endpoint => (why, pause),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_is_absent_at_first_is_met_when_it_comes() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let push = socket(SocketType::Push, |_| ());
            let dial = home.dial(&push);
            for _ in 0..3 {
                let (why, _) = failed(&push, &home).await;
                assert!(matches!(why, Ended::System(_)), "{why}");
            }
            assert_eq!(push.send(text("nobody")).expect_err("nobody is there").why, Refused::NoPeer);
            assert!(push.counts().dials_failed.of(Cause::Network) >= 3);
            let pull = home.open(SocketType::Pull);
            dial.met().await.expect("it is there");
            send(&push, text("hello"));
            assert_eq!(pull.recv().await, text("hello"));
        });
    }
}

#[test]
fn who_is_restarted_is_met_again_each_time() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let asker = socket(SocketType::Req, |_| ());
            home.dial(&asker);
            for round in 0..20 {
                let answerer = home.open(SocketType::Rep);
                connected(&asker, &home).await;
                send(&asker, text(&round.to_string()));
                assert_eq!(answerer.recv().await, text(&round.to_string()));
                send(&answerer, text("yes"));
                assert_eq!(asker.recv().await, text("yes"));
                drop(answerer);
                disconnected(&asker, &home).await;
            }
            assert_eq!((asker.counts().connected, asker.counts().disconnected.total()), (20, 20));
        });
    }
}

#[test]
fn each_publisher_that_comes_is_told_what_is_wanted() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let subscriber = socket(SocketType::Sub, |_| ());
            for topic in ["a", "b", "c"] {
                subscriber.subscribe(topic);
            }
            subscriber.unsubscribe("b");
            let dial = home.dial(&subscriber);
            for _ in 0..3 {
                let publisher = home.open(SocketType::XPub);
                let mut told = [publisher.recv().await, publisher.recv().await];
                told.sort_by(|one, other| one[0].cmp(&other[0]));
                assert_eq!(told, [text("\x01a"), text("\x01c")]);
                for topic in ["a", "b", "c"] {
                    send(&publisher, text(topic));
                }
                assert_eq!(subscriber.recv().await, text("a"));
                assert_eq!(subscriber.recv().await, text("c"));
                drop(publisher);
                until(|| subscriber.peers() == 0).await;
            }
            // And what was asked for meanwhile.
            subscriber.subscribe("d");
            let publisher = home.open(SocketType::Pub);
            dial.met().await.expect("it is there");
            loop {
                send(&publisher, text("d"));
                if publisher.counts().sent > 0 {
                    break;
                }
                yield_now().await;
            }
            assert_eq!(subscriber.recv().await, text("d"));
        });
    }
}

#[test]
fn who_comes_again_has_the_name_that_it_had() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let dealer = socket(SocketType::Dealer, named("it"));
            let dial = home.dial(&dealer);
            for _ in 0..3 {
                let router = home.open(SocketType::Router);
                dial.met().await.expect("it is there");
                send(&dealer, text("hello"));
                assert_eq!(router.recv().await, Message::from(["it", "hello"]));
                send(&router, Message::from(["it", "back"]));
                assert_eq!(dealer.recv().await, text("back"));
                drop(router);
                until(|| dealer.peers() == 0).await;
            }
        });
    }
}

#[test]
fn who_does_not_fit_is_told_of_and_tried_less_and_less_often() {
    run(async {
        let redial = Redial { first: Duration::from_millis(1), cap: Duration::from_millis(6), jitter: 0.0 };
        for (theirs, is_why) in [
            (
                Options::new(SocketType::Pub),
                (|why| matches!(why, Ended::Protocol(Error::Incompatible { .. }))) as fn(&Ended) -> bool,
            ),
            (
                {
                    let mut options = Options::new(SocketType::Rep);
                    options.connection.mechanism = service_framework_zmtp::Mechanism::PlainServer;
                    options
                },
                |why| matches!(why, Ended::Protocol(Error::Mechanism { .. })),
            ),
        ] {
            let home = Home::new(Carrier::Tcp);
            let misfit = Socket::new(theirs);
            misfit.listen(home.listener());
            let asker = socket(SocketType::Req, |_| ());
            asker.dial(home.endpoint.clone(), redial);
            for pause in [1, 2, 4, 6, 6, 6] {
                let (why, waited) = failed(&asker, &home).await;
                // Who is refused by the other side first hears that.
                assert!(is_why(&why) || matches!(why, Ended::ByPeer | Ended::System(_)), "{why}");
                assert_eq!(waited, Duration::from_millis(pause));
            }
            assert_eq!(asker.counts().connected, 0);
            // And it is met as soon as it fits.
            drop(misfit);
            let _answerer = home.open(SocketType::Rep);
            connected(&asker, &home).await;
        }
    });
}

#[test]
fn a_name_is_looked_up_and_each_of_its_addresses_tried() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let pull = home.open(SocketType::Pull);
        let Endpoint::Tcp { port, .. } = home.endpoint else { unreachable!("it is over TCP") };
        let push = socket(SocketType::Push, |_| ());
        let endpoint = format!("tcp://localhost:{port}").parse().expect("an endpoint");
        push.dial(endpoint, SOON).met().await.expect("it is there");
        send(&push, text("hello"));
        assert_eq!(pull.recv().await, text("hello"));
    });
}

#[test]
fn a_name_that_no_host_has_is_told_of_and_looked_up_again() {
    run_alone(async {
        let redial = Redial { first: Duration::from_millis(1), cap: Duration::from_millis(4), jitter: 0.0 };
        // No part of a name may be as long: nobody needs to be asked for that one.
        let nowhere: Endpoint = format!("tcp://{}:5555", "a".repeat(64)).parse().expect("an endpoint");
        let push = socket(SocketType::Push, |_| ());
        let dial = push.dial(nowhere.clone(), redial);
        for wanted in [1, 2, 4, 4] {
            match event(&push).await {
                Event::DialFailed { endpoint, why: Ended::System(_), pause } => {
                    assert_eq!((endpoint, pause), (nowhere.clone(), Duration::from_millis(wanted)));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(push.counts().dials_failed.of(Cause::Network), 4);
        // Others are met beside it.
        let home = Home::new(Carrier::Tcp);
        let pull = home.open(SocketType::Pull);
        home.dial(&push).met().await.expect("it is there");
        send(&push, text("hello"));
        assert_eq!(pull.recv().await, text("hello"));
        dial.stop(PATIENCE);
        assert!(matches!(dial.met().await, Err(Ended::ByUs)));
        drop((push, pull));
        until_tasks_are(0).await;
    });
}

/// Waits until only so many tasks are left.
async fn until_tasks_are(count: usize) {
    until(|| Handle::current().metrics().num_alive_tasks() == count).await;
}

#[test]
fn who_stops_before_there_is_a_peer_tries_no_more() {
    for carrier in CARRIERS {
        run_alone(async move {
            let home = Home::new(carrier);
            let push = socket(SocketType::Push, |_| ());
            let dial = home.dial(&push);
            failed(&push, &home).await;
            dial.stop(PATIENCE);
            dial.stop(PATIENCE);
            assert!(matches!(dial.met().await, Err(Ended::ByUs)));
            until_tasks_are(0).await;
            // Without ever having had a turn.
            home.dial(&push).stop(PATIENCE);
            until_tasks_are(0).await;
        });
    }
}

#[test]
fn who_stops_in_the_handshake_leaves_the_stranger() {
    run_alone(async {
        let home = Home::new(Carrier::Tcp);
        let Listener::Tcp(listener) = home.listener() else { unreachable!("it is over TCP") };
        let push = socket(SocketType::Push, |_| ());
        let dial = home.dial(&push);
        let (mut stranger, _) = listener.accept().await.expect("it comes");
        stranger.read_u8().await.expect("its greeting");
        dial.stop(PATIENCE);
        let mut rest = Vec::new();
        stranger.read_to_end(&mut rest).await.expect("it has closed its end");
        assert!(matches!(dial.met().await, Err(Ended::ByUs)));
        until_tasks_are(0).await;
    });
}

#[test]
fn who_stops_lets_what_was_sent_leave() {
    for carrier in CARRIERS {
        run(async move {
            let (home, other) = (Home::new(carrier), Home::new(carrier));
            let (pull, far) = (home.open(SocketType::Pull), other.open(SocketType::Pull));
            let push = socket(SocketType::Push, |_| ());
            let dial = home.dial(&push);
            dial.met().await.expect("it is there");
            connected(&push, &home).await;
            for _ in 0..20 {
                send(&push, text("hello"));
            }
            dial.stop(PATIENCE);
            assert_eq!(push.send(text("late")).expect_err("it was stopped").why, Refused::NoPeer);
            for _ in 0..20 {
                assert_eq!(pull.recv().await, text("hello"));
            }
            disconnected(&push, &home).await;
            assert!(matches!(dial.met().await, Err(Ended::ByUs)));
            // Others are dialled all the same.
            other.dial(&push).met().await.expect("it is there");
            send(&push, text("others"));
            assert_eq!(far.recv().await, text("others"));
        });
    }
}

#[test]
fn a_closed_socket_dials_no_more_and_lets_what_was_sent_leave() {
    for carrier in CARRIERS {
        run_alone(async move {
            let (home, nowhere) = (Home::new(carrier), Home::new(carrier));
            let pull = home.open(SocketType::Pull);
            let push = socket(SocketType::Push, |_| ());
            let (dial, waiting) = (home.dial(&push), nowhere.dial(&push));
            dial.met().await.expect("it is there");
            for _ in 0..20 {
                send(&push, text("hello"));
            }
            push.close().await;
            for _ in 0..20 {
                assert_eq!(pull.recv().await, text("hello"));
            }
            for dial in [dial, waiting, home.dial(&push)] {
                assert!(matches!(dial.met().await, Err(Ended::ByUs)));
            }
            pull.close().await;
            until_tasks_are(0).await;
        });
    }
}

#[test]
fn a_dropped_socket_dials_no_more() {
    for carrier in CARRIERS {
        run_alone(async move {
            let (home, nowhere) = (Home::new(carrier), Home::new(carrier));
            let pull = home.open(SocketType::Pull);
            let push = socket(SocketType::Push, |_| ());
            let (dial, waiting) = (home.dial(&push), nowhere.dial(&push));
            dial.met().await.expect("it is there");
            drop(push);
            until(|| pull.peers() == 0).await;
            for dial in [dial, waiting] {
                assert!(matches!(dial.met().await, Err(Ended::ByUs)));
                dial.stop(PATIENCE);
            }
            drop(pull);
            until_tasks_are(0).await;
        });
    }
}

#[test]
fn one_who_takes_nothing_is_left_when_the_time_is_over() {
    run(async {
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Tcp, |options| options.receive_messages = 1).await;
        let push = socket(SocketType::Push, |options| options.queue.messages = 4);
        let dial = push
            .dial(Endpoint::from(SocketAddr::from((Ipv4Addr::LOCALHOST, place.port()))), Redial::default());
        dial.met().await.expect("it is there");
        // Until the system takes no more either.
        while push.peer_counts()[0].queued_messages < 4 {
            while push.send(Message::from([ramp(1 << 20)])).is_ok() {}
            for _ in 0..1_000 {
                yield_now().await;
            }
        }
        dial.stop(Duration::ZERO);
        until(|| push.peers() == 0).await;
        drop(pull);
    });
}
