//! Thousands of calls that nobody answers leave nothing behind, whatever it is that does not answer.
#![cfg(unix)]

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::rc::Rc;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;

use crate::held::{Held, returns_to};
use crate::remote::{self, Remote};
use crate::support::{Client, Raw, run};

const PEER: Requester<Empty, Empty> = Requester::new("peer").deadline_s(0.01);

#[derive(Model)]
struct Times {
    times: u32,
}

#[derive(Model, Debug)]
struct Told {
    /// Calls that ran into their deadline.
    deadlines: u32,
    held: Held,
}

/// Asks in vain.
struct Asker;

#[service(uses(PEER))]
impl Asker {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn ask(&self, args: Times, cx: &Context) -> Result<Told> {
        let mut deadlines = 0;
        for _ in 0..args.times {
            let failure = cx.request(&PEER, &()).await.expect_err("nobody answers");
            assert_eq!(failure.code(), "deadline");
            deadlines += 1;
        }
        Ok(Told { deadlines, held: Held::now() })
    }
}

service_framework::link!(Asker);

/// What of all calls may be left, such as room in a queue that was longer than before: a few bytes of each would be more.
const KEPT: u64 = 16 << 10;

fn at(folder: &Path) -> String {
    format!("ipc://{}", folder.join("peer.sock").display())
}

/// Lets calls run into their deadlines in a service whose peer does not answer, as `peer` makes it.
fn check<P>(test: &str, peer: impl AsyncFnOnce(&Path) -> P) {
    remote::be::<Asker>(|folder| {
        value!({
            "in": {"ask": {"replyer": "127.0.0.1:0"}},
            "out": {"peer": {"requester": {"address": (at(folder)), "breaker_failures": 0}}},
        })
    });
    run(async {
        let remote = Remote::start(test);
        let _peer = peer(remote.folder()).await;
        let client = Rc::new(Client::to(&remote.address("ask")));
        let thousand = async || {
            // Twenty at a time.
            let asked: Vec<_> = (0..20)
                .map(|_| {
                    let client = Rc::clone(&client);
                    tokio::task::spawn_local(async move { client.ask(value!({"times": 50})).await })
                })
                .collect();
            for asked in asked {
                assert_eq!(asked.await.unwrap().model::<Told>().deadlines, 50);
            }
        };
        let now = async || client.ask(value!({"times": 0})).await.model::<Told>().held;
        // What is made once, for whatever number of calls, is made here.
        thousand().await;
        let before = now().await;
        for _ in 0..4 {
            thousand().await;
        }
        returns_to(before, KEPT, now).await;
        let resident = now().await.resident.saturating_sub(before.resident);
        assert!(resident < 1 << 20, "{resident} bytes more of memory");
    });
}

#[test]
fn of_a_peer_that_never_answers() {
    check("timeouts::of_a_peer_that_never_answers", async |folder| {
        let (raw, _) = Raw::bind_at(Role::Router, &at(folder).parse().unwrap()).await;
        drop(tokio::task::spawn_local(async move {
            loop {
                raw.recv().await;
            }
        }));
    });
}

#[test]
fn of_a_peer_that_does_not_speak() {
    check("timeouts::of_a_peer_that_does_not_speak", async |folder| {
        UnixListener::bind(folder.join("peer.sock")).unwrap()
    });
}

#[test]
fn of_a_peer_that_is_not_there() {
    check("timeouts::of_a_peer_that_is_not_there", async |_| ());
}
