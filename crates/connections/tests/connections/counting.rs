//! What connections count of their peers: who came and went, why, and the bytes to and fro.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::Role;
use service_framework_connections::{
    Cause, Counters, Publisher, Requester, Subscriber, Traffic, publisher, requester,
};

use super::support::*;

/// What was told last; it is asked again meanwhile.
fn traffic(counters: &Counters) -> Traffic {
    counters.told(counters.ask(), Instant::now()).traffic
}

#[test]
fn each_peer_that_comes_and_goes_is_counted_and_its_bytes_stay() {
    if cannot("zeromq", "does not say who comes, nor what goes to and fro") {
        return;
    }
    run(async {
        let replyer = Rc::new(replyer(&any_port()).await);
        let _echo = echo(Rc::clone(&replyer));
        let ours = || (traffic(replyer.counters()).bytes_out, traffic(replyer.counters()).bytes_in);
        // What those who have gone have read and written.
        let mut gone = (0, 0);
        for times in 1..=2 {
            let requester = requester(replyer.address());
            assert_eq!(requester.call(Bytes::from("hello"), deadline()).await.unwrap(), "hello");
            let counters = Arc::clone(requester.counters());
            assert_eq!((counters.counts().connected, counters.counts().disconnected.total()), (1, 0));
            let theirs = || (traffic(&counters).bytes_in, traffic(&counters).bytes_out);
            // A greeting alone has as many bytes.
            until(|| theirs().0 > 64 && ours() == (gone.0 + theirs().0, gone.1 + theirs().1)).await;
            let carried = theirs();
            drop(requester);
            until(|| counters.counts().disconnected.of(Cause::ByUs) == 1).await;
            assert_eq!(theirs(), carried, "it stays counted on this side");
            gone = (gone.0 + carried.0, gone.1 + carried.1);
            until(|| replyer.counters().counts().disconnected.of(Cause::ByPeer) == times).await;
            until(|| ours() == gone).await;
            assert_eq!(replyer.counters().counts().connected, times);
        }
    });
}

#[test]
fn a_peer_that_is_found_lost_and_looked_for_is_counted() {
    run(async {
        let home = Home::new();
        let first = Rc::new(replyer(&home.address).await);
        let requester = requester(&home.address);
        let answering = echo(Rc::clone(&first));
        assert_eq!(requester.call(Bytes::from("?"), deadline()).await.unwrap(), "?");
        let counts = || requester.counters().counts();
        let bytes = || traffic(requester.counters()).bytes_in;
        if crate::ENGINE == "zmtp" {
            until(|| bytes() > 0).await;
        }
        let before = bytes();
        answering.abort();
        _ = answering.await;
        first.close(LINGER).await;
        drop(first);
        until(|| counts().disconnected.total() == 1).await;
        until(|| counts().dials_failed.total() >= 1).await;
        if crate::ENGINE == "zmtp" {
            assert_eq!(counts().disconnected.of(Cause::ByPeer), 1);
            assert_eq!(counts().dials_failed.of(Cause::Network), counts().dials_failed.total());
            assert_eq!(bytes(), before, "what the lost one has carried stays counted");
        } else {
            assert_eq!(counts().disconnected.of(Cause::Other), 1);
        }
        let second = Rc::new(replyer(&home.address).await);
        let _echo = echo(second);
        assert_eq!(requester.call(Bytes::from("?"), deadline()).await.unwrap(), "?");
        assert_eq!((counts().connected, counts().disconnected.total()), (2, 1));
        if crate::ENGINE == "zmtp" {
            until(|| bytes() > before).await;
        }
        assert_eq!(counts().handshakes_failed.total(), 0);
    });
}

#[test]
fn a_peer_of_the_wrong_type_is_a_try_that_came_to_nothing() {
    if cannot("zeromq", "does not say what was in the way") {
        return;
    }
    run(async {
        let (_publisher, at) = Raw::bind(Role::Publish, &any_port()).await;
        let requester =
            Requester::connect(&engine(), "to_orders", &at, requester::Options::default()).unwrap();
        let counts = || requester.counters().counts();
        until(|| counts().dials_failed.of(Cause::WrongType) >= 2).await;
        assert_eq!((counts().connected, counts().disconnected.total()), (0, 0));
    });
}

#[test]
fn what_waits_on_either_side_is_told() {
    if cannot("zeromq", "does not say what waits") {
        return;
    }
    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        (0..3).for_each(|_| peer.send(&[b"", b"hello"]));
        until(|| traffic(replyer.counters()).inbox_messages == 3).await;
        // The name that the peer was given is of five bytes.
        assert_eq!(traffic(replyer.counters()).inbox_bytes, 3 * (5 + 5));
        replyer.recv().await;
        until(|| traffic(replyer.counters()).inbox_messages == 2).await;

        let deaf = deaf(replyer.address(), &[b"", b"hello"]).await;
        replyer.recv().await;
        replyer.recv().await;
        let request = replyer.recv().await;
        replyer.reply(request.reply_to, vec![0; 32 << 20].into());
        until(|| traffic(replyer.counters()).queued_messages == 1).await;
        assert!(traffic(replyer.counters()).queued_bytes > 1 << 20);
        drop(deaf);
        until(|| traffic(replyer.counters()).queued_messages == 0).await;
    });
}

#[test]
fn publishers_that_share_a_socket_tell_the_same_of_its_peers() {
    if cannot("zeromq", "does not say who comes, nor what goes to and fro") {
        return;
    }
    run(async {
        let options = publisher::Options { wait_after_creation: Duration::ZERO, subscribers: 0 };
        let first = Publisher::bind(&engine(), "prices", &any_port(), options).await.unwrap();
        let second = first.share(options);
        let subscriber =
            Subscriber::connect(&engine(), "prices", first.address(), Bytes::from("of")).unwrap();
        while tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await.is_err() {
            second.publish(Bytes::from("of the second"));
        }
        until(|| traffic(first.counters()).bytes_out > 64).await;
        let told = [&first, &second].map(|publisher| {
            let counters = publisher.counters();
            (counters.counts().connected, counters.told(counters.ask(), Instant::now()))
        });
        assert_eq!((told[0].0, told[0].1.peers.busiest.len()), (1, 1));
        assert_eq!(told[0], told[1]);
        // What it has published itself is another matter.
        assert_eq!(first.counters().counts().messages_out, 0);
        assert!(second.counters().counts().messages_out > 0);
        drop(subscriber);
        until(|| second.counters().counts().disconnected.total() == 1).await;
    });
}
