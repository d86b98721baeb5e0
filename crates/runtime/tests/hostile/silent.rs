//! Peers that are met and then fall silent, as one does whose machine has vanished.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use service_framework::prelude::*;
use service_framework_runtime::{Cause, Service};

use crate::support::{Client, PATIENCE, address, counters, run, until_async, wired};

const PEER: Requester<Value, Value> = Requester::new("peer").deadline_s(3600.0);

#[derive(Model)]
struct Told {
    code: Option<String>,
}

/// Passes on what its peer says.
struct Patient;

#[service(uses(PEER))]
impl Patient {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// The code of what went wrong.
    #[replyer]
    async fn ask(&self, args: Value, cx: &Context) -> Result<Told> {
        let asked = cx.request_within(&PEER, &args, PATIENCE).await;
        Ok(Told { code: asked.err().map(|failure| failure.code().to_owned()) })
    }
}

service_framework::link!(Patient);

/// What a ROUTER says that speaks ZMTP 3.1 and asks for no password.
fn introduction() -> Vec<u8> {
    let mut said = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    said.resize(64, 0);
    said.extend_from_slice(b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER");
    said
}

/// The next who connects, met.
async fn met(listener: &TcpListener) -> TcpStream {
    let listener = listener.try_clone().unwrap();
    let meeting = tokio::task::spawn_blocking(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&introduction()).unwrap();
        // Its own greeting, at least.
        stream.read_exact(&mut [0; 64]).unwrap();
        stream
    });
    meeting.await.unwrap()
}

#[test]
fn a_peer_that_falls_silent_is_given_up_and_looked_for_again() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let book = value!({
            "in": {"ask": {"replyer": "127.0.0.1:0"}},
            "out": {"peer": {"requester": at}},
            "settings": {"heartbeat_s": 0.05},
        });
        let mut service = Service::of::<Patient>(wired(book));
        service.start().unwrap();
        let client = Client::to(&address(&service, "ask"));
        let (_silent, told) = tokio::join!(met(&listener), client.ask(value!({"a": 1})));
        assert_eq!(told.ok(), value!({"code": "disconnected"}));
        let _another = met(&listener).await;
        // The one who asked gives signs of life, and so was never put out.
        until_async(|| counters(&service, "peer").disconnected.of(Cause::Silent) >= 2).await;
        assert_eq!(counters(&service, "ask").refused, [].into());
        service.stop().unwrap();
    });
}
