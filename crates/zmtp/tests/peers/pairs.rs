//! Every pair of patterns, both directions, whoever binds.

use std::time::Duration;

use service_framework_zmtp::socket::Socket;
use service_framework_zmtp::{Message, SocketType};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::other::{MEETINGS, Other, Pair};
use crate::patterns::{ASKS, OURS, THEIRS, bodies, enveloped, published};
use crate::support::{ramp, run, send, text};

/// Makes the tests of one engine.
macro_rules! tests {
    ($other:ty) => {
        #[test]
        fn we_ask_and_they_answer() {
            crate::pairs::we_ask_and_they_answer::<$other>();
        }

        #[test]
        fn they_ask_and_we_answer() {
            crate::pairs::they_ask_and_we_answer::<$other>();
        }

        #[test]
        fn work_goes_both_ways() {
            crate::pairs::work_goes_both_ways::<$other>();
        }

        #[test]
        fn they_hear_what_we_publish() {
            crate::pairs::they_hear_what_we_publish::<$other>();
        }

        #[test]
        fn we_hear_what_they_publish() {
            crate::pairs::we_hear_what_they_publish::<$other>();
        }

        #[test]
        fn all_sizes_arrive_in_both_directions() {
            crate::pairs::all_sizes_arrive_in_both_directions::<$other>();
        }
    };
}
pub(crate) use tests;

/// Runs a conversation in all the ways in which two sockets meet.
fn everywhere<O: Other>(ours: SocketType, theirs: SocketType, talk: &impl AsyncFn(&Socket, &mut O)) {
    for meeting in MEETINGS {
        eprintln!("our {ours}, their {theirs}, {meeting:?}");
        run(async {
            let mut pair = Pair::<O>::meet((ours, theirs), meeting).await;
            talk(&pair.ours, &mut pair.theirs).await;
        });
    }
}

/// What is told of each pair, and the largest of all.
fn all_bodies() -> impl Iterator<Item = Message> {
    bodies().into_iter().chain([Message::from([ramp(1 << 20)])])
}

pub(crate) fn we_ask_and_they_answer<O: Other>() {
    for (ours, theirs) in ASKS {
        everywhere(ours, theirs, &async |socket, it: &mut O| {
            for body in all_bodies() {
                let question = enveloped(ours, theirs, THEIRS, &body);
                send(socket, question.clone());
                let came = it.recv().await;
                assert_eq!(came, enveloped(theirs, ours, OURS, &body));
                it.send(came).await;
                assert_eq!(socket.recv().await, question);
            }
        });
    }
}

pub(crate) fn they_ask_and_we_answer<O: Other>() {
    for (theirs, ours) in ASKS {
        everywhere(ours, theirs, &async |socket, it: &mut O| {
            for body in all_bodies() {
                let question = enveloped(theirs, ours, OURS, &body);
                it.send(question.clone()).await;
                let came = socket.recv().await;
                assert_eq!(came, enveloped(ours, theirs, THEIRS, &body));
                send(socket, came);
                assert_eq!(it.recv().await, question);
            }
        });
    }
}

pub(crate) fn work_goes_both_ways<O: Other>() {
    everywhere(SocketType::Push, SocketType::Pull, &async |socket, it: &mut O| {
        for body in all_bodies() {
            send(socket, body.clone());
            assert_eq!(it.recv().await, body);
        }
    });
    everywhere(SocketType::Pull, SocketType::Push, &async |socket, it: &mut O| {
        for body in all_bodies() {
            it.send(body.clone()).await;
            assert_eq!(socket.recv().await, body);
        }
    });
}

pub(crate) fn they_hear_what_we_publish<O: Other>() {
    for ours in [SocketType::Pub, SocketType::XPub] {
        for theirs in [SocketType::Sub, SocketType::XSub] {
            everywhere(ours, theirs, &async |socket, it: &mut O| {
                it.subscribe("b").await;
                it.subscribe("a").await;
                // Nothing goes out before it is known who wants it.
                publish_until_wanted(socket, "b").await;
                publish_until_wanted(socket, "a").await;
                assert_eq!(it.recv().await, text("b"));
                assert_eq!(it.recv().await, text("a"));
                for body in all_bodies() {
                    send(socket, published("c", &body));
                    send(socket, published("ab", &body));
                    assert_eq!(it.recv().await, published("ab", &body));
                }
                it.unsubscribe("a").await;
                let mut on_the_way = 0;
                while was_sent(socket, "a") {
                    on_the_way += 1;
                    yield_now().await;
                }
                send(socket, text("b, the last"));
                let mut extra = 0;
                while it.recv().await != text("b, the last") {
                    extra += 1;
                }
                // They may pass over what came after they had cancelled it.
                assert!(extra <= on_the_way);
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

/// Publishes, and says whether anybody wanted it.
fn was_sent(socket: &Socket, topic: &str) -> bool {
    let before = socket.counts().sent;
    send(socket, text(topic));
    socket.counts().sent > before
}

async fn publish_until_wanted(socket: &Socket, topic: &str) {
    while !was_sent(socket, topic) {
        yield_now().await;
    }
}

pub(crate) fn we_hear_what_they_publish<O: Other>() {
    for ours in [SocketType::Sub, SocketType::XSub] {
        for theirs in [SocketType::Pub, SocketType::XPub] {
            everywhere(ours, theirs, &async |socket, it: &mut O| {
                socket.subscribe("b");
                socket.subscribe("a");
                if theirs == SocketType::XPub {
                    assert_eq!(it.recv().await, text("\x01b"));
                    assert_eq!(it.recv().await, text("\x01a"));
                }
                // A PUB does not say when it knows.
                loop {
                    it.send(text("a sync")).await;
                    if timeout(Duration::from_millis(5), socket.recv()).await.is_ok() {
                        break;
                    }
                }
                for body in all_bodies() {
                    it.send(published("c", &body)).await;
                    it.send(published("ab", &body)).await;
                    assert_eq!(heard(socket).await, published("ab", &body));
                }
                socket.unsubscribe("a");
                if theirs == SocketType::XPub {
                    assert_eq!(it.recv().await, text("\0a"));
                }
                it.send(text("b, the last")).await;
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

pub(crate) fn all_sizes_arrive_in_both_directions<O: Other>() {
    everywhere(SocketType::Dealer, SocketType::Dealer, &async |socket, it: &mut O| {
        // Where the header of a frame, the way it is kept or the way it is written changes.
        let edges = [8, 13, 14, 16].map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
        for length in [0, 1].into_iter().chain(edges.into_iter().flatten()).chain([1 << 20]) {
            let message = Message::from([ramp(length)]);
            send(socket, message.clone());
            assert!(it.recv().await == message, "{length} bytes");
            it.send(message.clone()).await;
            assert!(socket.recv().await == message, "{length} bytes");
        }
    });
}
