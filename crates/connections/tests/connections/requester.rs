//! A requester finds its peer whenever it comes, tells replies apart, and never waits for ever.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::Role;
use service_framework_connections::{CallError, Refusal, Requester, requester::Options};

use super::support::*;

#[test]
fn ten_thousand_overlapping_calls_each_get_their_own_reply() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let requester = requester(replyer.address());
        until_connected(requester.counters(), 1).await;
        let calls: Vec<_> = (0..10_000_u32)
            .map(|number| {
                let call = requester.call(Bytes::from(number.to_string()), deadline());
                tokio::task::spawn_local(async move { (number, call.await) })
            })
            .collect();
        // All are asked before one is answered, and they are answered in another order.
        let mut requests = Vec::new();
        for _ in 0..10_000 {
            requests.push(replyer.recv().await);
        }
        for index in 0..requests.len() {
            requests.swap(index, (index * 7_919) % 10_000);
        }
        for request in requests {
            replyer.reply(request.reply_to, request.payload);
        }
        for call in calls {
            let (number, reply) = call.await.unwrap();
            assert_eq!(reply.unwrap(), number.to_string());
        }
        assert_eq!(replyer.counters().counts().messages_in, 10_000);
        assert_eq!(requester.counters().counts().messages_in, 10_000);
    });
}

#[test]
fn a_call_made_before_the_peer_is_there_is_answered_when_it_comes() {
    run(async {
        let home = Home::new();
        let requester = requester(&home.address);
        let mut calls: Vec<_> = (0..3)
            .map(|number: u32| {
                tokio::task::spawn_local(requester.call(Bytes::from(number.to_string()), deadline()))
            })
            .collect();
        // Longer than a few attempts to connect.
        assert!(tokio::time::timeout(Duration::from_millis(1_200), &mut calls[0]).await.is_err());
        let _echo = echo(Rc::new(replyer(&home.address).await));
        for (number, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await.unwrap().unwrap(), number.to_string());
        }
    });
}

#[test]
fn a_restart_of_the_peer_needs_no_help() {
    run(async {
        let home = Home::new();
        let requester = requester(&home.address);
        for round in 1..=3 {
            let replyer = Rc::new(replyer(&home.address).await);
            let answering = echo(Rc::clone(&replyer));
            until_connected(requester.counters(), round).await;
            assert_eq!(requester.call(Bytes::from("there?"), deadline()).await.unwrap(), "there?");
            answering.abort();
            let _ = answering.await;
            replyer.close(LINGER).await;
        }
    });
}

#[test]
fn a_lost_peer_fails_the_calls_in_flight_at_once() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let requester = requester(replyer.address());
        let call = tokio::task::spawn_local(requester.call(Bytes::from("never answered"), None));
        let request = replyer.recv().await;
        drop(replyer);
        assert_eq!(call.await.unwrap(), Err(CallError::PeerLost));
        drop(request);
    });
}

#[test]
fn a_late_reply_is_dropped_and_counted_and_meets_no_other_call() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let requester = requester(replyer.address());
        until_connected(requester.counters(), 1).await;

        let hurried = requester.call(Bytes::from("slow"), Some(Instant::now() + Duration::from_millis(20)));
        assert_eq!(hurried.await, Err(CallError::Deadline));
        let forgotten = tokio::task::spawn_local(requester.call(Bytes::from("forgotten"), deadline()));
        let late = replyer.recv().await;
        let unwanted = replyer.recv().await;
        forgotten.abort();
        assert!(forgotten.await.unwrap_err().is_cancelled());

        let call = tokio::task::spawn_local(requester.call(Bytes::from("quick"), deadline()));
        let request = replyer.recv().await;
        replyer.reply(late.reply_to, Bytes::from("too late"));
        replyer.reply(unwanted.reply_to, Bytes::from("unwanted"));
        replyer.reply(request.reply_to, Bytes::from("in time"));
        assert_eq!(call.await.unwrap().unwrap(), "in time");
        assert_eq!(requester.counters().counts().refused(Refusal::LateReply), 2);
    });
}

#[test]
fn each_call_keeps_its_own_deadline() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let requester = requester(replyer.address());
        until_connected(requester.counters(), 1).await;
        let start = Instant::now();
        let waits = async |ms| {
            let until = start + Duration::from_millis(ms);
            assert_eq!(requester.call(Bytes::from("?"), Some(until)).await, Err(CallError::Deadline));
            assert!(Instant::now() >= until, "{ms} ms ended after {:?}", start.elapsed());
        };
        let patient = tokio::task::spawn_local(requester.call(Bytes::from("patient"), deadline()));
        replyer.recv().await;
        tokio::join!(waits(150), waits(20), waits(80), waits(0));
        assert!(!patient.is_finished());
    });
}

#[test]
fn without_a_connection_calls_wait_until_their_deadline_and_up_to_a_limit() {
    run(async {
        let home = Home::new();
        let options = Options { waiting_max: 2, ..Options::default() };
        let requester = Requester::connect(&engine(), "to_orders", &home.address, options).unwrap();
        let soon = || Some(Instant::now() + Duration::from_millis(10));
        for text in ["1", "2", "3"] {
            assert_eq!(requester.call(Bytes::from(text), soon()).await, Err(CallError::NotConnected));
        }
        let waiting = ["4", "5"].map(|text| requester.call(Bytes::from(text), deadline()));
        let waiting = waiting.map(tokio::task::spawn_local);
        tokio::task::yield_now().await;
        assert_eq!(requester.call(Bytes::from("6"), deadline()).await, Err(CallError::Full));
        assert!(waiting.iter().all(|call| !call.is_finished()));
        assert_eq!(requester.counters().counts().messages_out, 0);
    });
}

#[test]
fn calls_that_waited_for_the_peer_say_how_long_they_still_wait() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let address = address(&format!("ipc://{}/late", folder.path().display()));
        let with_time_left = |_, left: Duration| Bytes::from(left.as_millis().to_string());
        let options = Options { with_time_left, ..Options::default() };
        let requester = Requester::connect(&engine(), "to_orders", &address, options).unwrap();
        let begun = Instant::now();
        let after = |duration| Some(begun + duration);
        let hurried = requester.call(Bytes::from("hurried"), after(Duration::from_millis(50)));
        let patient = requester.call(Bytes::from("patient"), after(DEADLINE));
        let endless = requester.call(Bytes::from("endless"), None);
        let [hurried, ..] = [hurried, patient, endless].map(tokio::task::spawn_local);
        assert_eq!(hurried.await.unwrap(), Err(CallError::NotConnected));
        let waited = begun.elapsed();
        let replyer = replyer(&address).await;
        let [patient, endless] = [replyer.recv().await, replyer.recv().await];
        let left: u128 = std::str::from_utf8(&patient.payload).unwrap().parse().unwrap();
        assert!((1..=(DEADLINE - waited).as_millis()).contains(&left), "{left} ms after {waited:?}");
        assert_eq!(endless.payload, "endless");
    });
}

#[test]
fn closing_or_dropping_a_requester_fails_its_calls() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let closed = requester(replyer.address());
        let call = tokio::task::spawn_local(closed.call(Bytes::from("?"), None));
        replyer.recv().await;
        closed.close(LINGER).await;
        assert_eq!(call.await.unwrap(), Err(CallError::Closed));
        assert_eq!(closed.call(Bytes::from("?"), None).await, Err(CallError::Closed));

        let dropped = requester(replyer.address());
        let call = tokio::task::spawn_local(dropped.call(Bytes::from("?"), None));
        replyer.recv().await;
        drop(dropped);
        assert_eq!(call.await.unwrap(), Err(CallError::Closed));
    });
}

#[test]
fn what_is_no_reply_is_dropped_and_counted() {
    run(async {
        let (peer, address) = Raw::bind(Role::Router, &any_port()).await;
        let requester = requester(&address);
        let call = tokio::task::spawn_local(requester.call(Bytes::from("?"), deadline()));
        let request = peer.recv().await;
        assert_eq!(request.len(), 4);
        let (id, correlation) = (&request[0][..], &request[1][..]);
        assert!(!correlation.is_empty() && request[2].is_empty() && request[3] == "?");
        peer.send(&[id, b"no number", b"", b"reply"]);
        peer.send(&[id, &u64::MAX.to_be_bytes(), b"", b"reply"]);
        peer.send(&[id, correlation, b"reply"]);
        peer.send(&[id, correlation, b"", b"right"]);
        assert_eq!(call.await.unwrap().unwrap(), "right");
        let counts = requester.counters().counts();
        assert_eq!(counts.refused(Refusal::UnknownReply), 2);
        assert_eq!(counts.refused(Refusal::NoDelimiter), 1);

        let call = tokio::task::spawn_local(requester.call(Bytes::from("?"), deadline()));
        let request = peer.recv().await;
        peer.send(&[&request[0], &request[1], b"", b"one", b"two"]);
        assert_eq!(call.await.unwrap(), Err(CallError::Malformed));
        assert_eq!(requester.counters().counts().refused(Refusal::FrameCount), 1);
    });
}

#[test]
fn garbage_from_the_peer_costs_the_connection_alone() {
    run(async {
        let home = Home::new();
        let liar = tokio::net::TcpListener::bind(home.address.to_string()).await.unwrap();
        let requester = requester(&home.address);
        let call = tokio::task::spawn_local(requester.call(Bytes::from("?"), deadline()));
        for _ in 0..2 {
            let (stream, _) = liar.accept().await.unwrap();
            stream.writable().await.unwrap();
            stream.try_write(&[b'!'; 64]).unwrap();
        }
        drop(liar);
        let _echo = echo(Rc::new(replyer(&home.address).await));
        assert_eq!(call.await.unwrap().unwrap(), "?");
    });
}
