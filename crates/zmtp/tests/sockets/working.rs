//! PUSH and PULL, and what waits: whose turn it is, and what becomes of what there is no room for.

use bytes::Bytes;
use service_framework_zmtp::socket::{Refused, Socket};
use service_framework_zmtp::{Message, SocketType};

use crate::support::{CARRIERS, Carrier, Hand, bound, connected, pair, ramp, run, send, text, texts, until};

#[test]
fn work_arrives_in_order() {
    for carrier in CARRIERS {
        run(async move {
            let (pull, push) = pair(SocketType::Pull, SocketType::Push, carrier).await;
            for number in 0..1_000 {
                send(&push, text(&number.to_string()));
            }
            let wanted: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
            assert_eq!(texts(&pull, 1_000).await, wanted);
            assert_eq!(pull.send(text("back")).expect_err("it sends nothing").why, Refused::NotNow);
        });
    }
}

#[test]
fn work_goes_to_each_in_turn() {
    run(async {
        let (push, place) = bound(SocketType::Push, Carrier::Tcp, |_| ()).await;
        assert_eq!(push.send(text("early")).expect_err("nobody is there").why, Refused::NoPeer);
        let mut pulls = Vec::new();
        for number in 0..3 {
            pulls.push(connected(SocketType::Pull, &place, |_| ()).await);
            until(|| push.peers() == number + 1).await;
        }
        for number in 0..9 {
            send(&push, text(&number.to_string()));
        }
        for (first, pull) in pulls.iter().enumerate() {
            let wanted: Vec<_> = (0..3).map(|round| (first + 3 * round).to_string()).collect();
            assert_eq!(texts(pull, 3).await, wanted);
        }
        // One that goes leaves its turn to the others.
        drop(pulls.remove(1));
        until(|| push.peers() == 2).await;
        for number in 0..4 {
            send(&push, text(&number.to_string()));
        }
        assert_eq!(texts(&pulls[0], 2).await, ["0", "2"]);
        assert_eq!(texts(&pulls[1], 2).await, ["1", "3"]);
    });
}

#[test]
fn a_full_queue_refuses_and_takes_again_when_the_peer_reads() {
    run(async {
        let (push, place) =
            bound(SocketType::Push, Carrier::Tcp, |options| options.queue.bytes = 1 << 20).await;
        let hand = Hand::met(SocketType::Pull, &place).await;
        until(|| push.peers() == 1).await;
        let body = ramp(256 << 10);
        let sent = fill(&push, &body).await;
        let unsent = push.send(Message::from([body.clone()])).expect_err("it is full");
        assert_eq!((unsent.why, unsent.message), (Refused::Full, Message::from([body.clone()])));
        assert_eq!((push.counts().sent, push.counts().dropped_full), (sent, 0));

        let read = tokio::task::spawn_local(hand.rest());
        while push.send(Message::from([body.clone()])).is_err() {
            tokio::task::yield_now().await;
        }
        push.close().await;
        let came = read.await.expect("it reads");
        assert_eq!(came.len() as u64, sent + 1);
        assert!(came.iter().all(|message| message[0] == body));
    });
}

/// Sends until nothing more is taken, by the system either; gives how many were.
async fn fill(push: &Socket, body: &Bytes) -> u64 {
    let (mut sent, mut refused) = (0, 0);
    while refused < 1_000 {
        match push.send(Message::from([body.clone()])) {
            Ok(()) => (sent, refused) = (sent + 1, 0),
            Err(_) => refused += 1,
        }
        tokio::task::yield_now().await;
    }
    sent
}

#[test]
fn a_peer_with_a_full_queue_leaves_its_turn_to_the_next() {
    run(async {
        let (push, place) = bound(SocketType::Push, Carrier::Tcp, |options| options.queue.messages = 2).await;
        let _stuck = Hand::met(SocketType::Pull, &place).await;
        until(|| push.peers() == 1).await;
        let body = ramp(1 << 20);
        fill(&push, &body).await;
        let good = connected(SocketType::Pull, &place, |_| ()).await;
        until(|| push.peers() == 2).await;
        for number in 0..20 {
            send(&push, text(&number.to_string()));
            assert_eq!(good.recv().await, text(&number.to_string()));
        }
    });
}

#[test]
fn a_full_inbox_stops_the_reading_and_goes_on_when_taken_from() {
    run(async {
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Tcp, |options| options.receive_messages = 10).await;
        let push = connected(SocketType::Push, &place, |_| ()).await;
        for number in 0..500 {
            send(&push, text(&number.to_string()));
        }
        until(|| pull.counts().received == 10).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pull.counts().received, 10, "no more is taken than there is room for");
        let wanted: Vec<_> = (0..500).map(|number| number.to_string()).collect();
        assert_eq!(texts(&pull, 500).await, wanted);
    });
}

#[test]
fn who_sends_most_leaves_room_to_others() {
    run(async {
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Tcp, |options| options.receive_messages = 10).await;
        let mut pushes = Vec::new();
        for name in ["one", "two", "three"] {
            let push = connected(SocketType::Push, &place, |_| ()).await;
            for _ in 0..5_000 {
                send(&push, text(name));
            }
            pushes.push(push);
        }
        until(|| pull.counts().received == 10 && pull.peers() == 3).await;
        let came = texts(&pull, 9_000).await;
        for name in ["one", "two", "three"] {
            let theirs = came.iter().filter(|text| *text == name).count();
            assert!(theirs > 2_000, "{theirs} of 9,000 are of {name}");
        }
        // One that is gone holds up nobody.
        drop(pushes.remove(1));
        texts(&pull, 1_000).await;
    });
}

#[test]
fn an_inbox_is_full_of_bytes_too() {
    run(async {
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Unix, |options| options.receive_bytes = 100_000).await;
        let push = connected(SocketType::Push, &place, |_| ()).await;
        for _ in 0..20 {
            send(&push, Message::from([ramp(50_000)]));
        }
        until(|| pull.counts().received == 2).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pull.counts().received, 2);
        for _ in 0..20 {
            assert_eq!(pull.recv().await[0].len(), 50_000);
        }
    });
}

#[test]
fn a_stranger_is_met_while_the_inbox_is_full() {
    run(async {
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Tcp, |options| options.receive_messages = 1).await;
        let first = connected(SocketType::Push, &place, |_| ()).await;
        send(&first, text("one"));
        send(&first, text("two"));
        until(|| pull.counts().received == 1).await;
        let second = connected(SocketType::Push, &place, |_| ()).await;
        until(|| pull.peers() == 2).await;
        send(&second, text("three"));
        let mut came = texts(&pull, 3).await;
        came.sort();
        assert_eq!(came, ["one", "three", "two"]);
    });
}
