//! Heartbeats, passwords, names and limits, with libzmq at the other end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_zmtp::socket::{Ended, Options};
use service_framework_zmtp::{Credentials, Error, Heartbeat, Login, Mechanism, Message, SocketType};

use crate::libzmq::Libzmq;
use crate::meeting::dial;
use crate::patterns::endpoint;
use crate::support::{Carrier, bound, ended, run, send, socket, text, until};
use crate::tap::{still_talk, tapped};

/// How often each command passed a tap.
#[derive(Debug, Default)]
struct Seen {
    pings: Cell<usize>,
    pongs: Cell<usize>,
}

fn count(seen: &Seen, bytes: &[u8]) {
    let count = |name: &[u8]| bytes.windows(name.len()).filter(|at| *at == name).count();
    seen.pings.set(seen.pings.get() + count(b"\x04PING"));
    seen.pongs.set(seen.pongs.get() + count(b"\x04PONG"));
}

/// Nobody is silent for as long as that.
const LONG: Duration = Duration::from_secs(300);

fn heartbeat(patience: Duration) -> impl FnOnce(&mut Options) {
    let every = Duration::from_millis(10);
    move |options| {
        options.connection.heartbeat = Some(Heartbeat { every, patience, time_to_live: LONG });
    }
}

#[test]
fn both_ask_for_signs_of_life_and_both_give_them() {
    let mut libzmq = Libzmq::start();
    run(async {
        let (from_us, from_them) = (Rc::<Seen>::default(), Rc::<Seen>::default());
        let ours = heartbeat(LONG);
        let ours = tapped(&mut libzmq, "", ours, [&from_us, &from_them], count).await;
        for seen in [&from_us, &from_them] {
            until(|| seen.pings.get() >= 5 && seen.pongs.get() >= 5).await;
        }
        still_talk(&mut libzmq, &ours).await;
    });
}

#[test]
fn a_process_that_is_stopped_is_found_out() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask("socket it DEALER").await;
        let theirs = libzmq.ask("bind it tcp://127.0.0.1:*").await;
        let ours = socket(SocketType::Dealer, heartbeat(Duration::from_secs(2)));
        ours.connect(dial(&theirs).await).await.expect("a peer");
        libzmq.signal("STOP");
        assert!(matches!(ended(&ours).await, Ended::Protocol(Error::Silent)));
        libzmq.signal("CONT");
        let patient = socket(SocketType::Dealer, heartbeat(LONG));
        patient.connect(dial(&theirs).await).await.expect("a peer");
        send(&patient, text("hello"));
        assert_eq!(libzmq.recv("it").await, text("hello"));
    });
}

fn login(password: &'static str) -> Login {
    Login { username: Bytes::from_static(b"alice"), password: Bytes::from_static(password.as_bytes()) }
}

#[test]
fn they_admit_us_by_our_password() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask("admit PLAIN alice secret").await;
        libzmq.ask("socket it REP PLAIN_SERVER=1").await;
        let theirs = libzmq.ask("bind it tcp://127.0.0.1:*").await;
        let client = |password| {
            socket(SocketType::Req, |options| {
                options.connection.mechanism = Mechanism::PlainClient(login(password));
            })
        };
        let bad = client("guess");
        let why = bad.connect(dial(&theirs).await).await.expect_err("it is not admitted");
        assert_eq!(why.to_string(), "the peer refused the connection: 400");
        let stranger = socket(SocketType::Req, |_| ());
        let why = stranger.connect(dial(&theirs).await).await.expect_err("it says no name");
        assert!(matches!(why, Ended::Protocol(Error::Mechanism { .. }) | Ended::ByPeer), "{why}");

        let good = client("secret");
        good.connect(dial(&theirs).await).await.expect("it is admitted");
        send(&good, text("hello"));
        assert_eq!(libzmq.recv("it").await, text("hello"));
        libzmq.send("it", &text("back")).await;
        assert_eq!(good.recv().await, text("back"));
    });
}

#[test]
fn we_admit_them_by_their_password() {
    let mut libzmq = Libzmq::start();
    run(async {
        let (ours, place) = bound(SocketType::Rep, Carrier::Tcp, |options| {
            options.connection.mechanism = Mechanism::PlainServer;
            options.admits =
                Some(Rc::new(|given: &Credentials| *given == Credentials::Login(login("secret"))));
        })
        .await;
        for (name, password) in [("bad", "guess"), ("good", "secret")] {
            let options = format!("PLAIN_USERNAME=alice PLAIN_PASSWORD={password}");
            libzmq.ask(&format!("socket {name} REQ {options}")).await;
            libzmq.ask(&format!("connect {name} {}", endpoint(&place))).await;
            if name == "bad" {
                assert!(matches!(ended(&ours).await, Ended::NotAdmitted));
                libzmq.ask("close bad").await;
            }
        }
        libzmq.send("good", &text("hello")).await;
        assert_eq!(ours.recv().await, text("hello"));
        send(&ours, text("back"));
        assert_eq!(libzmq.recv("good").await, text("back"));
    });
}

#[test]
fn two_of_them_of_the_same_name_are_one() {
    let mut libzmq = Libzmq::start();
    run(async {
        let (ours, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        for name in ["first", "second"] {
            libzmq.ask(&format!("socket {name} DEALER IDENTITY=same")).await;
            libzmq.ask(&format!("connect {name} {}", endpoint(&place))).await;
            until(|| ours.peers() == 1).await;
        }
        assert!(matches!(ended(&ours).await, Ended::Protocol(Error::IdentityInUse)));
        libzmq.send("first", &text("hello")).await;
        assert_eq!(ours.recv().await, Message::from(["same", "hello"]));
        // It tries again and again, and is let in once the name is free.
        libzmq.ask("close first").await;
        libzmq.send("second", &text("at last")).await;
        assert_eq!(ours.recv().await, Message::from(["same", "at last"]));
    });
}

#[test]
fn what_is_too_large_for_us_ends_the_connection_alone() {
    let mut libzmq = Libzmq::start();
    run(async {
        let (ours, place) = bound(SocketType::Pull, Carrier::Tcp, |options| {
            options.connection.limits.frame_bytes = 1_000;
        })
        .await;
        libzmq.ask("socket it PUSH").await;
        libzmq.ask(&format!("connect it {}", endpoint(&place))).await;
        libzmq.ask("send it r1000").await;
        assert_eq!(ours.recv().await.bytes(), 1_000);
        libzmq.ask("send it r1001").await;
        assert!(matches!(ended(&ours).await, Ended::Protocol(Error::FrameTooLarge { .. })));
        // It comes back by itself.
        until(|| ours.peers() == 1).await;
        libzmq.ask("send it x61").await;
        assert_eq!(ours.recv().await, text("a"));
    });
}
