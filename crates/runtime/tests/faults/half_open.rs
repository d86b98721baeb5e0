//! A network that falls silent without closing anything: heartbeats find that out, calls end in time, and the peer is looked for again.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use service_framework_runtime::{Cause, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::report::{SLACK, Times};
use crate::support::{Client, address, counters, run, until_async, wired};

const NEWS: Publisher<Empty> = Publisher::new("news").wait_after_creation_s(0.0);
const PEER: Requester<Empty, Empty> = Requester::new("peer");

/// Answers and publishes, at the far end of the network.
struct Far;

#[service(uses(NEWS))]
impl Far {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn answer(&self) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn publish(&self, cx: &Context) -> Result<Empty> {
        cx.publish(&NEWS, &())
    }
}

#[derive(Model)]
struct Question {
    /// Whether the peer is asked.
    #[model(default = true)]
    is_asked: bool,
}

#[derive(Model)]
struct Told {
    code: Option<String>,
    heard: u64,
}

/// Asks and subscribes through the network.
struct Near {
    heard: AtomicU64,
}

#[service(uses(PEER))]
impl Near {
    fn new() -> Result<Self> {
        Ok(Self { heard: AtomicU64::new(0) })
    }

    #[replyer]
    async fn ask(&self, args: Question, cx: &Context) -> Result<Told> {
        let asked = if args.is_asked { cx.request(&PEER, &()).await } else { Ok(()) };
        let code = asked.err().map(|failure| failure.code().to_owned());
        Ok(Told { code, heard: self.heard.load(Ordering::Relaxed) })
    }

    #[subscriber]
    fn on_news(&self) -> Result<()> {
        self.heard.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

mod linked {
    service_framework::link!(super::Far);
}
service_framework::link!(Near);

/// Stands between the two, and carries what they say, or nothing.
struct Network {
    at: Address,
    is_silent: watch::Sender<bool>,
    /// How many of its connections carry nothing any more, and are open all the same.
    silent: Rc<Cell<usize>>,
}

impl Network {
    /// A way to `to`.
    async fn to(to: &Address) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string().parse().unwrap();
        let (is_silent, to, silent) =
            (watch::Sender::new(false), to.to_string(), Rc::<Cell<usize>>::default());
        let (silenced, kept) = (is_silent.subscribe(), Rc::clone(&silent));
        tokio::task::spawn_local(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect(to.trim_start_matches("tcp://")).await.unwrap();
                tokio::task::spawn_local(carry(near, far, silenced.clone(), Rc::clone(&kept)));
            }
        });
        Self { at, is_silent, silent }
    }

    /// From now on carries nothing, but closes nothing.
    fn fall_silent(&self) {
        self.is_silent.send_replace(true);
    }

    /// From now on carries what is said by new connections. The silent ones stay so.
    fn let_through(&self) {
        self.is_silent.send_replace(false);
    }
}

async fn carry(
    mut near: TcpStream,
    mut far: TcpStream,
    mut is_silent: watch::Receiver<bool>,
    silent: Rc<Cell<usize>>,
) {
    // What it gives locks the channel for as long as it is held.
    let silenced = async { drop(is_silent.wait_for(|is_silent| *is_silent).await) };
    tokio::select! {
        biased;
        () = silenced => {
            silent.set(silent.get() + 1);
            pending().await
        }
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
    }
}

/// Both ends, and what is between them.
struct Ends {
    far: Service,
    near: Service,
    requests: Network,
    news: Network,
    client: Client,
    publisher: Client,
}

impl Ends {
    async fn meet(heartbeat_s: f64, deadline_s: f64) -> Self {
        let mut far = Service::of::<Far>(wired(value!({
            "in": {"answer": {"replyer": "127.0.0.1:0"}, "publish": {"replyer": "127.0.0.1:0"}},
            "out": {"news": {"publisher": "127.0.0.1:0"}},
            "settings": {"heartbeat_s": heartbeat_s},
        })));
        far.start().unwrap();
        let requests = Network::to(&address(&far, "answer")).await;
        let news = Network::to(&address(&far, "news")).await;
        let mut near = Service::of::<Near>(wired(value!({
            "in": {"ask": {"replyer": "127.0.0.1:0"}, "on_news": {"subscriber": (news.at.to_string())}},
            "out": {"peer": {"requester": {
                "address": (requests.at.to_string()), "deadline_s": deadline_s, "breaker_failures": 0
            }}},
            "settings": {"heartbeat_s": heartbeat_s},
        })));
        near.start().unwrap();
        let (client, publisher) = (Client::to(&address(&near, "ask")), Client::to(&address(&far, "publish")));
        Self { far, near, requests, news, client, publisher }
    }

    /// The code of what becomes of a request, if it is not answered.
    async fn ask(&self) -> Option<String> {
        self.client.ask(value!({})).await.model::<Told>().code
    }

    async fn until_answered(&self) {
        while self.ask().await.is_some() {}
    }

    async fn heard(&self) -> u64 {
        self.client.ask(value!({"is_asked": false})).await.model::<Told>().heard
    }

    /// Publishes until something is heard.
    async fn until_heard(&self) {
        let before = self.heard().await;
        while self.heard().await == before {
            self.publisher.ask(value!({})).await.ok();
        }
    }

    /// Stops both, while the network goes on.
    async fn stop(self) {
        let Self { mut far, mut near, .. } = self;
        let stopping = tokio::task::spawn_blocking(move || (near.stop().unwrap(), far.stop().unwrap()));
        stopping.await.unwrap();
    }
}

fn silent(service: &Service, connection: &str) -> u64 {
    counters(service, connection).disconnected.of(Cause::Silent)
}

/// How long it takes all four ends to find that the network is silent, that often.
pub(crate) fn measure(times: u32) -> Times {
    const HEARTBEAT: Duration = Duration::from_secs(1);
    let mut found =
        Times::new("a network falls silent, heartbeats of 1 s: until each end knows", 3 * HEARTBEAT + SLACK);
    run(async {
        let ends = Ends::meet(HEARTBEAT.as_secs_f64(), 20.0).await;
        let four =
            [(&ends.near, "peer"), (&ends.far, "answer"), (&ends.near, "on_news"), (&ends.far, "news")];
        for _ in 0..times {
            [&ends.requests, &ends.news].into_iter().for_each(Network::let_through);
            ends.until_answered().await;
            ends.until_heard().await;
            let mut unaware =
                four.map(|(service, connection)| (service, connection, silent(service, connection))).to_vec();
            [&ends.requests, &ends.news].into_iter().for_each(Network::fall_silent);
            let since = Instant::now();
            until_async(|| {
                unaware.retain(|(service, connection, before)| {
                    let is_aware = silent(service, connection) > *before;
                    if is_aware {
                        found.add(since.elapsed());
                    }
                    !is_aware
                });
                unaware.is_empty()
            })
            .await;
        }
        [&ends.requests, &ends.news].into_iter().for_each(Network::let_through);
        ends.until_answered().await;
        ends.stop().await;
    });
    found
}

#[test]
fn a_requester_finds_that_its_network_is_silent_and_another_way_when_there_is_one() {
    run(async {
        let ends = Ends::meet(0.5, 20.0).await;
        // Only on a machine that stands still is a peer taken for silent that is not, and asked anew through a silent network.
        loop {
            ends.requests.let_through();
            ends.until_answered().await;
            ends.requests.fall_silent();
            match ends.ask().await.as_deref() {
                Some("disconnected") => break,
                code => assert_eq!(code, Some("deadline")),
            }
        }
        assert!(silent(&ends.near, "peer") > 0);
        until_async(|| silent(&ends.far, "answer") > 0).await;
        assert!(ends.requests.silent.get() > 0, "the network closed nothing");
        ends.requests.let_through();
        ends.until_answered().await;
        ends.stop().await;
    });
}

#[test]
fn a_subscriber_finds_that_its_network_is_silent_and_another_way_when_there_is_one() {
    run(async {
        let ends = Ends::meet(0.5, 20.0).await;
        ends.until_heard().await;
        let before = silent(&ends.near, "on_news");
        ends.news.fall_silent();
        until_async(|| silent(&ends.near, "on_news") > before).await;
        until_async(|| silent(&ends.far, "news") > 0).await;
        assert!(ends.news.silent.get() > 0, "the network closed nothing");
        ends.news.let_through();
        ends.until_heard().await;
        ends.stop().await;
    });
}

#[test]
fn a_call_into_a_silent_network_ends_at_its_deadline() {
    run(async {
        let ends = Ends::meet(3_600.0, 0.2).await;
        ends.until_answered().await;
        ends.requests.fall_silent();
        for _ in 0..3 {
            assert_eq!(ends.ask().await.as_deref(), Some("deadline"));
        }
        assert_eq!(silent(&ends.near, "peer"), 0);
        ends.stop().await;
    });
}
