//! A replyer answers REQ and DEALER peers, out of order, and survives what is no request.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::engine::Role;
use service_framework_connections::{Cause, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::support::*;

#[test]
fn the_whole_envelope_comes_back() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        for envelope in [&[&b""[..]][..], &[b"17", b""], &[b"proxy", b"\xff\x00", b""]] {
            peer.send(&[envelope, &[b"question"]].concat());
            let request = replyer.recv().await;
            assert_eq!(request.payload, "question");
            replyer.reply(request.reply_to, Bytes::from("answer"));
            assert_eq!(peer.recv().await, frames(&[envelope, &[b"answer"]].concat()));
        }
        let counts = replyer.counters().counts();
        assert_eq!((counts.messages_in, counts.messages_out), (3, 3));
        assert_eq!((counts.payload_bytes_in, counts.payload_bytes_out), (24, 18));
    });
}

#[test]
fn replies_leave_as_they_are_ready() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let peers = [
            Raw::connect(Role::Dealer, replyer.address()).await,
            Raw::connect(Role::Dealer, replyer.address()).await,
        ];
        for (number, peer) in peers.iter().enumerate() {
            peer.send(&[b"", number.to_string().as_bytes()]);
        }
        let mut requests = [replyer.recv().await, replyer.recv().await];
        requests.sort_by(|one, other| other.payload.cmp(&one.payload));
        for request in requests {
            replyer.reply(request.reply_to, request.payload);
        }
        for (number, peer) in peers.iter().enumerate() {
            assert_eq!(peer.recv().await, frames(&[b"", number.to_string().as_bytes()]));
        }
    });
}

#[test]
fn what_is_no_request_is_dropped_and_counted_by_reason() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        peer.send(&[b"no delimiter"]);
        peer.send(&[b"no", b"delimiter"]);
        peer.send(&[b""]);
        peer.send(&[b"", b"one", b"two"]);
        peer.send(&[b"", b"", b"two empty ones"]);
        peer.send(&[b"", b"right"]);
        assert_eq!(replyer.recv().await.payload, "right");
        let counts = replyer.counters().counts();
        assert_eq!(counts.refused(Refusal::NoDelimiter), 2);
        assert_eq!(counts.refused(Refusal::FrameCount), 3);
        assert_eq!(counts.messages_in, 1);
    });
}

#[test]
fn a_reply_to_a_peer_that_has_gone_is_counted() {
    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        let mut left = Vec::new();
        for _ in 0..10_000 {
            peer.send(&[b"", b"request"]);
            left.push(replyer.recv().await.reply_to);
        }
        drop(peer);
        // The peer's end is seen by receiving, sooner or later.
        let gone = || replyer.counters().counts().refused(Refusal::PeerGone);
        while gone() == 0 {
            assert!(tokio::time::timeout(Duration::from_millis(1), replyer.recv()).await.is_err());
            replyer.reply(left.pop().unwrap(), Bytes::from("to nobody"));
        }
    });
}

#[test]
fn garbage_on_the_port_harms_nobody() {
    use std::io::Write as _;

    run(async {
        let replyer = replyer(&any_port()).await;
        let peer = Raw::connect(Role::Dealer, replyer.address()).await;
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 200], &[0; 64], b""] {
            let mut stream = std::net::TcpStream::connect(replyer.address().to_string()).unwrap();
            stream.write_all(garbage).unwrap();
            drop(stream);
            peer.send(&[b"", b"still there?"]);
            let request = replyer.recv().await;
            replyer.reply(request.reply_to, Bytes::from("yes"));
            assert_eq!(peer.recv().await, frames(&[b"", b"yes"]));
        }
        if !cannot("zeromq", "does not say whom it refuses") {
            // The one that said nothing left by itself.
            let failed = || replyer.counters().counts().handshakes_failed;
            until(|| (failed().of(Cause::NotZmtp), failed().of(Cause::ByPeer)) == (3, 1)).await;
        }
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_is_put_out_and_counted() {
    if cannot("zeromq", "does not say whom it puts out") {
        return;
    }
    run(async {
        let replyer = replyer(&any_port()).await;
        let mut stranger = deaf(replyer.address(), &[b"", b"request"]).await;
        assert_eq!(replyer.recv().await.payload, "request");
        // Flags that there are not.
        stranger.write_all(b"\xf8\x01x").await.unwrap();
        until(|| replyer.counters().counts().disconnected.of(Cause::Malformed) == 1).await;
        stranger.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(replyer.counters().counts().disconnected.total(), 1);
    });
}

#[test]
fn a_peer_that_announces_too_much_is_put_out_and_others_are_answered() {
    if cannot("zeromq", "makes room for what is announced, of which the process ends") {
        return;
    }
    run(async {
        let replyer = Rc::new(replyer(&any_port()).await);
        let answering = echo(Rc::clone(&replyer));
        let requester = requester(replyer.address());
        assert_eq!(requester.call(Bytes::from("before"), deadline()).await.unwrap(), "before");
        let mut stranger = deaf(replyer.address(), &[b"", b"request"]).await;
        stranger.write_all(b"\x02\x00\x00\x01\x00\x00\x00\x00\x00").await.unwrap();
        // Its end is closed, once it has read what it was answered.
        stranger.read_to_end(&mut Vec::new()).await.unwrap();
        until(|| replyer.counters().counts().refused(Refusal::TooLarge) == 1).await;
        assert_eq!(replyer.counters().counts().disconnected.of(Cause::TooLarge), 1);
        assert_eq!(requester.call(Bytes::from("after"), deadline()).await.unwrap(), "after");
        answering.abort();
    });
}
