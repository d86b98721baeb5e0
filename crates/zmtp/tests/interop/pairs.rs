//! Every pair of patterns, both directions, in all the ways in which two sockets meet.

use std::time::Duration;

use service_framework_zmtp::socket::Socket;
use service_framework_zmtp::{Message, SocketType};

use crate::libzmq::{Libzmq, word};
use crate::meeting::{Meeting, Secrecy, admit, meet, meetings};
use crate::patterns::{ASKS, Binds, OURS, THEIRS, bodies, enveloped, published};
use crate::support::{Carrier, ramp, run, send, text};

/// Runs a conversation for each carrier and whoever binds, in the open, with a password and encrypted, with signs of life and without.
fn everywhere(
    ours: SocketType,
    theirs: SocketType,
    libzmq: &mut Libzmq,
    talk: &impl AsyncFn(&Socket, &mut Libzmq),
) {
    converse(meetings(), (ours, theirs), libzmq, talk);
}

fn converse(
    meetings: impl Iterator<Item = Meeting>,
    (ours, theirs): (SocketType, SocketType),
    libzmq: &mut Libzmq,
    talk: &impl AsyncFn(&Socket, &mut Libzmq),
) {
    run(admit(libzmq));
    for meeting in meetings {
        eprintln!("our {ours}, their {theirs}, {meeting:?}");
        run(async {
            let folder = tempfile::tempdir().expect("a folder");
            let socket = meet(libzmq, (ours, theirs), meeting, folder.path()).await;
            talk(&socket, libzmq).await;
            meeting.check_signs(&socket).await;
            libzmq.ask("close it").await;
        });
    }
}

#[test]
fn we_ask_and_they_answer() {
    let mut libzmq = Libzmq::start();
    for (ours, theirs) in ASKS {
        everywhere(ours, theirs, &mut libzmq, &async |socket, libzmq| {
            for body in bodies() {
                let question = enveloped(ours, theirs, THEIRS, &body);
                send(socket, question.clone());
                let came = libzmq.recv("it").await;
                assert_eq!(came, enveloped(theirs, ours, OURS, &body));
                libzmq.send("it", &came).await;
                assert_eq!(socket.recv().await, question);
            }
        });
    }
}

#[test]
fn they_ask_and_we_answer() {
    let mut libzmq = Libzmq::start();
    for (theirs, ours) in ASKS {
        everywhere(ours, theirs, &mut libzmq, &async |socket, libzmq| {
            for body in bodies() {
                let question = enveloped(theirs, ours, OURS, &body);
                libzmq.send("it", &question).await;
                let came = socket.recv().await;
                assert_eq!(came, enveloped(ours, theirs, THEIRS, &body));
                send(socket, came);
                assert_eq!(libzmq.recv("it").await, question);
            }
        });
    }
}

#[test]
fn work_goes_both_ways() {
    let mut libzmq = Libzmq::start();
    everywhere(SocketType::Push, SocketType::Pull, &mut libzmq, &async |socket, libzmq| {
        for body in bodies() {
            send(socket, body.clone());
            assert_eq!(libzmq.recv("it").await, body);
        }
    });
    everywhere(SocketType::Pull, SocketType::Push, &mut libzmq, &async |socket, libzmq| {
        for body in bodies() {
            libzmq.send("it", &body).await;
            assert_eq!(socket.recv().await, body);
        }
    });
}

#[test]
fn they_hear_what_we_publish() {
    let mut libzmq = Libzmq::start();
    for ours in [SocketType::Pub, SocketType::XPub] {
        for theirs in [SocketType::Sub, SocketType::XSub] {
            everywhere(ours, theirs, &mut libzmq, &async |socket, libzmq| {
                subscribe(libzmq, theirs, "1", "b").await;
                subscribe(libzmq, theirs, "1", "a").await;
                // Nothing goes out before it is known who wants it.
                while socket.counts().sent == 0 {
                    libzmq.ask("look it").await;
                    send(socket, text("a"));
                }
                assert_eq!(libzmq.recv("it").await, text("a"));
                for body in bodies() {
                    send(socket, published("c", &body));
                    send(socket, published("ab", &body));
                    assert_eq!(libzmq.recv("it").await, published("ab", &body));
                }
                subscribe(libzmq, theirs, "0", "a").await;
                let before = socket.counts().sent;
                loop {
                    let sent = socket.counts().sent;
                    send(socket, text("a"));
                    if socket.counts().sent == sent {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                send(socket, text("b, the last"));
                let mut extra = 0;
                while libzmq.recv("it").await != text("b, the last") {
                    extra += 1;
                }
                // Theirs may pass over what came after they had cancelled it.
                assert!(extra <= socket.counts().sent - before);
                if ours == SocketType::XPub {
                    let mut told = [socket.recv().await, socket.recv().await];
                    told.sort_by(|one, other| one[0].cmp(&other[0]));
                    assert_eq!(told, [text("\x01a"), text("\x01b")]);
                    assert_eq!(socket.recv().await, text("\0a"));
                }
            });
        }
    }
}

/// Has libzmq subscribe as sockets of this type do.
async fn subscribe(libzmq: &mut Libzmq, theirs: SocketType, is_wanted: &str, topic: &str) {
    let command = match (theirs, is_wanted) {
        (SocketType::XSub, _) => format!("send it x0{is_wanted}{}", &word(topic.as_bytes())[1..]),
        (_, "1") => format!("subscribe it {}", word(topic.as_bytes())),
        _ => format!("unsubscribe it {}", word(topic.as_bytes())),
    };
    assert_eq!(libzmq.ask(&command).await, "done");
}

#[test]
fn we_hear_what_they_publish() {
    let mut libzmq = Libzmq::start();
    for ours in [SocketType::Sub, SocketType::XSub] {
        for theirs in [SocketType::Pub, SocketType::XPub] {
            everywhere(ours, theirs, &mut libzmq, &async |socket, libzmq| {
                socket.subscribe("b");
                socket.subscribe("a");
                socket.subscribe("a");
                socket.unsubscribe("a");
                if theirs == SocketType::XPub {
                    assert_eq!(libzmq.recv("it").await, Message::from([b"\x01b".as_slice()]));
                    assert_eq!(libzmq.recv("it").await, Message::from([b"\x01a".as_slice()]));
                }
                // A PUB does not say when it knows.
                loop {
                    libzmq.send("it", &text("a sync")).await;
                    if tokio::time::timeout(Duration::from_millis(5), socket.recv()).await.is_ok() {
                        break;
                    }
                }
                for body in bodies() {
                    libzmq.send("it", &published("c", &body)).await;
                    libzmq.send("it", &published("ab", &body)).await;
                    assert_eq!(heard(socket).await, published("ab", &body));
                }
                socket.unsubscribe("a");
                if theirs == SocketType::XPub {
                    assert_eq!(libzmq.recv("it").await, Message::from([b"\x00a".as_slice()]));
                }
                libzmq.send("it", &text("b, the last")).await;
                assert_eq!(heard(socket).await, text("b, the last"));
            });
        }
    }
}

/// The next publication that is no [`sync`](we_hear_what_they_publish).
async fn heard(socket: &Socket) -> Message {
    loop {
        let message = socket.recv().await;
        if message != text("a sync") {
            return message;
        }
    }
}

/// Has both ends send a frame of this length to the other.
async fn exchange(socket: &Socket, libzmq: &mut Libzmq, length: usize) {
    let message = Message::from([ramp(length)]);
    send(socket, message.clone());
    assert!(libzmq.recv("it").await == message, "{length} bytes");
    libzmq.send("it", &message).await;
    assert!(socket.recv().await == message, "{length} bytes");
}

#[test]
fn all_sizes_arrive_in_both_directions() {
    let mut libzmq = Libzmq::start();
    everywhere(SocketType::Dealer, SocketType::Dealer, &mut libzmq, &async |socket, libzmq| {
        // Where the header of a frame, the way it is kept or the way it is written changes; a box has 33 bytes more.
        let edges = [8, 13, 14, 16].map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
        let edges = edges.into_iter().flatten();
        let boxed = edges.clone().map(|length| length - 33);
        for length in [0, 1].into_iter().chain(edges).chain(boxed).chain([1 << 20]) {
            exchange(socket, libzmq, length).await;
        }
    });
}

#[test]
fn the_largest_frame_that_is_taken_arrives_in_both_directions() {
    let mut libzmq = Libzmq::start();
    // Encryption that is not optimised takes seconds for it.
    let is_tried = |meeting: &Meeting| {
        matches!(meeting.secrecy, Secrecy::Open | Secrecy::Password)
            || (meeting.carrier, meeting.binds) == (Carrier::Unix, Binds::We)
    };
    let ways = meetings().filter(is_tried);
    converse(ways, (SocketType::Dealer, SocketType::Dealer), &mut libzmq, &async |socket, libzmq| {
        exchange(socket, libzmq, 16 << 20).await;
    });
}
