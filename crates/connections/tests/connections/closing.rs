//! What was sent before closing arrives, and closing ends in time.

use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::Role;
use service_framework_connections::publisher::{Options, Publisher};
use service_framework_connections::{Refusal, Replyer, Requester, Subscriber, requester};
use service_framework_core::address::Address;

use super::support::*;

/// Runs a side of a test on a thread and runtime of its own, as another service would.
fn beside<T: Send + 'static, F: Future<Output = T>>(
    side: impl FnOnce() -> F + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::spawn(move || run(side()))
}

#[test]
fn a_thousand_replies_sent_right_before_closing_all_arrive() {
    let (tell, told) = mpsc::channel::<Address>();
    let replier = beside(move || async move {
        let replyer = replyer(&any_port()).await;
        tell.send(replyer.address().clone()).unwrap();
        let mut requests = Vec::new();
        for _ in 0..1_000 {
            requests.push(replyer.recv().await);
        }
        for request in requests {
            replyer.reply(request.reply_to, numbered(7));
        }
        replyer.close(LINGER).await;
        // The runtime ends here, with all its tasks.
    });
    let address = told.recv().unwrap();
    run(async {
        let requester = requester(&address);
        let calls: Vec<_> = (0..1_000)
            .map(|_| tokio::task::spawn_local(requester.call(Bytes::from("?"), deadline())))
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), numbered(7));
        }
    });
    replier.join().unwrap();
}

/// Publishes until the subscriber says over another connection that it hears, then a thousand times, and closes.
async fn publish_and_close(publisher: Publisher, hears: Replyer) {
    loop {
        publisher.publish(Bytes::from("start"));
        if tokio::time::timeout(Duration::from_millis(5), hears.recv()).await.is_ok() {
            break;
        }
    }
    for number in 0..1_000 {
        publisher.publish(numbered(number));
    }
    publisher.close(LINGER).await;
    // The runtime ends here, with all its tasks.
}

async fn expect_a_thousand(subscriber: Subscriber, hears: &Address) {
    let hears = requester(hears);
    assert_eq!(subscriber.recv().await, "start");
    let _call = tokio::task::spawn_local(hears.call(Bytes::from("I hear"), None));
    let mut expected = 0;
    while expected < 1_000 {
        let received = subscriber.recv().await;
        if received != "start" {
            assert_eq!(received, numbered(expected));
            expected += 1;
        }
    }
}

/// A thousand of these are more than the system takes at once.
fn numbered(number: u32) -> Bytes {
    Bytes::from(format!("{number:020000}"))
}

#[test]
fn a_thousand_publications_right_before_closing_all_arrive() {
    let (tell, told) = mpsc::channel::<Address>();
    let publishing = beside(move || async move {
        let publisher = Publisher::bind(&engine(), "p", &any_port(), Options::default()).await.unwrap();
        let hears = replyer(&any_port()).await;
        tell.send(publisher.address().clone()).unwrap();
        tell.send(hears.address().clone()).unwrap();
        publish_and_close(publisher, hears).await;
    });
    let (address, hears) = (told.recv().unwrap(), told.recv().unwrap());
    run(async {
        let subscriber = Subscriber::connect(&engine(), "s", &address, Bytes::new()).unwrap();
        expect_a_thousand(subscriber, &hears).await;
    });
    publishing.join().unwrap();
}

#[test]
fn a_thousand_publications_of_a_connecting_publisher_arrive_too() {
    let (tell, told) = mpsc::channel::<Address>();
    let (tell_back, told_back) = mpsc::channel::<Address>();
    let subscribing = beside(move || async move {
        let subscriber = Subscriber::bind(&engine(), "s", &any_port(), Bytes::new()).await.unwrap();
        tell.send(subscriber.address().clone()).unwrap();
        expect_a_thousand(subscriber, &told_back.recv().unwrap()).await;
    });
    let address = told.recv().unwrap();
    run(async {
        let hears = replyer(&any_port()).await;
        tell_back.send(hears.address().clone()).unwrap();
        let publisher = Publisher::connect(&engine(), "p", &address, Options::default()).unwrap();
        publish_and_close(publisher, hears).await;
    });
    subscribing.join().unwrap();
}

#[test]
fn requests_that_nobody_received_are_counted_at_closing() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        for _ in 0..10 {
            peer.send(&[b"", b"request"]);
        }
        // All are on the way when the first is there: they left in one write.
        replyer.recv().await;
        replyer.close(LINGER).await;
        assert_eq!(replyer.counters().counts().refused(Refusal::Closing), 9);
    });
}

#[test]
fn closing_ends_though_a_peer_reads_nothing() {
    run(async {
        let home = Home::new();
        let replyer = replyer(&home.address).await;
        let _peer = deaf(replyer.address(), &[b"", b"request"]).await;
        let request = replyer.recv().await;
        // More than the system takes for a peer that does not read.
        replyer.reply(request.reply_to, Bytes::from(vec![0; 64 << 20]));
        let start = Instant::now();
        replyer.close(Duration::from_millis(200)).await;
        assert!(start.elapsed() >= Duration::from_millis(200));
        // Its port is free all the same.
        let again = self::replyer(&home.address).await;
        again.close(LINGER).await;
    });
}

#[test]
fn an_idle_connection_closes_at_once_and_frees_its_port() {
    if cannot(
        "zeromq",
        "waits now and then until its time to close is over, on a busy machine and for whatever reason",
    ) {
        return;
    }
    run(async {
        let home = Home::new();
        let first = replyer(&home.address).await;
        let requester = requester(&home.address);
        until_connected(requester.counters(), 1).await;
        // It waits for nothing: the test would not end in time.
        first.close(2 * DEADLINE).await;
        let _again = replyer(&home.address).await;
    });
}

#[test]
fn a_thousand_connections_opened_and_dropped_leave_nothing_behind() {
    run(async {
        let served = Rc::new(replyer(&any_port()).await);
        let _echo = echo(Rc::clone(&served));
        let nobody = Home::new();
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = tasks();
        for round in 0..200 {
            let requester = requester(served.address());
            assert_eq!(requester.call(Bytes::from("?"), deadline()).await.unwrap(), "?");
            let waiting =
                Requester::connect(&engine(), "w", &nobody.address, requester::Options::default()).unwrap();
            let call = waiting.call(Bytes::from("?"), Some(Instant::now() + Duration::from_millis(1)));
            assert!(call.await.is_err(), "round {round}");
        }
        until(|| tasks() <= before).await;
    });
}
