//! Strangers who begin a handshake and do not end it: they are left after half a minute, and harm nobody meanwhile.
#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinHandle, JoinSet};

use crate::crowd::{allow_descriptors, be_the_desk, connect, held};
use crate::held::returns_to;
use crate::remote::Remote;
use crate::report::{self, SLACK, Times};
use crate::support::{Client, run, until_async};

/// The limit of a handshake.
const LIMIT: Duration = Duration::from_secs(30);

/// Of each of three ways.
const STRANGERS: usize = 500;

/// Begins a handshake, and says how long it took until the connection was closed.
async fn begin_handshake(to: Address, number: usize) -> Duration {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    greeting.resize(64, 0);
    let since = Instant::now();
    let stream = connect(&to, number).await;
    let (mut read, mut write) = stream.into_split();
    let closed = async {
        let mut said = [0; 1_024];
        while !matches!(read.read(&mut said).await, Ok(0) | Err(_)) {}
    };
    let saying = async {
        match number % 3 {
            0 => {}
            1 => write.write_all(&greeting).await.unwrap(),
            _ => {
                for byte in greeting {
                    // One that is not taken any more is one that was left.
                    _ = write.write_all(&[byte]).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = closed => since.elapsed(),
        () = saying => unreachable!("it is pending"),
    }
}

/// Those who mean well, who ask as soon as they are answered.
struct Good {
    is_over: Rc<Cell<bool>>,
    asking: Vec<JoinHandle<Vec<Duration>>>,
}

impl Good {
    fn ask(at: &Address) -> Self {
        let is_over = Rc::<Cell<bool>>::default();
        let asking = (0..4).map(|_| {
            let (client, is_over) = (Client::to(at), Rc::clone(&is_over));
            tokio::task::spawn_local(async move {
                let mut waits = Vec::new();
                while !is_over.get() {
                    let asked = Instant::now();
                    client.ask(value!({})).await.ok();
                    waits.push(asked.elapsed());
                }
                client.close().await;
                waits
            })
        });
        Self { asking: asking.collect(), is_over }
    }

    async fn end(self, waits: &mut Times) {
        self.is_over.set(true);
        for asking in self.asking {
            asking.await.unwrap().into_iter().for_each(|wait| waits.add(wait));
        }
    }
}

const THIS: &str = "handshakes::who_does_not_end_its_handshake_is_left_in_time_and_harms_nobody";

#[test]
#[ignore = "takes half a minute"]
fn who_does_not_end_its_handshake_is_left_in_time_and_harms_nobody() {
    be_the_desk();
    allow_descriptors(3 * STRANGERS as u64 + 100);
    let desk = Remote::start(THIS);
    let mut left = Times::new("from connecting to being left", LIMIT + 20 * SLACK);
    let mut waits = Times::new("meanwhile, from a request to its answer", Duration::from_secs(1));
    run(async {
        let at = desk.address("echo");
        let good = Good::ask(&at);
        let refused = || desk.counters("echo")["handshakes_failed"]["timeout"].as_u64().unwrap_or_default();
        let before = held(&desk).await;
        let mut strangers = JoinSet::new();
        for number in 0..3 * STRANGERS {
            strangers.spawn_local(begin_handshake(at.clone(), number));
        }
        while let Some(closed) = strangers.join_next().await {
            let after = closed.unwrap();
            assert!(after >= LIMIT - SLACK, "left after {after:?}");
            left.add(after);
        }
        good.end(&mut waits).await;
        until_async(|| refused() >= 3 * STRANGERS as u64).await;
        assert_eq!(refused(), 3 * STRANGERS as u64);
        returns_to(before, 2 << 20, async || held(&desk).await).await;
    });
    let times = [left, waits];
    report::write_times("handshakes", &times);
    assert!(times.iter().all(Times::are_kept), "{:?}", times.map(|times| times.median_and_longest()));
}
