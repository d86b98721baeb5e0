//! A bus: where it listens, what it passes on, how it ends, what it refuses.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};

use expect_test::expect;
use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::support::{PATIENCE, Running, command, run, said};

#[test]
fn it_says_where_it_listens_and_ends_with_its_counters() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut bus = command();
    bus.args(["bus", "--publishers", "127.0.0.1:0", "--subscribers", "127.0.0.1:0", "--ready"]).arg(&ready);
    let mut bus = Running::start(&mut bus);
    bus.wait_for("the bus is up");
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    for end in ["publishers", "subscribers"] {
        let endpoint = ready["endpoints"][end].as_str().unwrap();
        assert!(endpoint.starts_with("tcp://127.0.0.1:") && !endpoint.ends_with(":0"), "{endpoint}");
    }
    bus.signal("USR1");
    bus.wait_for("{\"counters\"");
    bus.signal("TERM");
    assert_eq!(bus.wait(), 0);
    assert_eq!(bus.counters()["counters"]["subscribers"]["messages_out"], 0);
}

/// Where both ends of a bus listen that wrote this when it was ready.
fn ends(ready: &std::path::Path) -> [String; 2] {
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    ["publishers", "subscribers"].map(|end| ready["endpoints"][end].as_str().unwrap().to_owned())
}

/// A connection that says nothing.
fn dial(endpoint: &str) -> TcpStream {
    TcpStream::connect(endpoint.strip_prefix("tcp://").unwrap()).unwrap()
}

const PRICES: Publisher<Value> = Publisher::new("prices");

/// Publishes once, to whoever has subscribed by then.
struct Teller;

#[service(uses(PRICES))]
impl Teller {
    fn new(_config: Empty) -> Result<Self> {
        Ok(Self)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        cx.publish(&PRICES, &value!({"price": 17}))
    }
}

service_framework::link!(Teller);

/// Who is told what a [`Hearer`] hears.
static HEARD: Mutex<Option<Sender<Value>>> = Mutex::new(None);

struct Hearer;

#[service]
impl Hearer {
    fn new(_config: Empty) -> Result<Self> {
        Ok(Self)
    }

    #[subscriber]
    fn prices(&self, args: Value) -> Result<()> {
        let heard = HEARD.lock().unwrap();
        heard.as_ref().expect("somebody listens").send(args).expect("and waits");
        Ok(())
    }
}

service_framework::link!(Hearer);

fn wired(addresses: Value) -> Options {
    Options { addresses: addresses.into(), console_level: Level::Off, ..Options::default() }
}

#[test]
fn it_passes_on_what_is_published_to_who_has_subscribed_and_counts_both() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut bus =
        up("127.0.0.1:0", &["--ready", ready.to_str().unwrap(), "--slow_subscriber", "drop_oldest"]);
    let [publishers, subscribers] = ends(&ready);
    let (hear, heard) = mpsc::channel();
    *HEARD.lock().unwrap() = Some(hear);
    let mut hearer = Service::of::<Hearer>(wired(value!({"in": {"prices": {"subscriber": subscribers}}})));
    hearer.start().unwrap();
    // It waits until the bus has told it that somebody has subscribed.
    let prices = value!({"address": publishers, "is_x_pub": true, "wait_after_creation_s": 60});
    let mut teller = Service::of::<Teller>(wired(value!({"out": {"prices": {"publisher": prices}}})));
    teller.start_main().unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), value!({"price": 17}));
    teller.wait().unwrap();
    hearer.stop().unwrap();
    bus.signal("TERM");
    assert_eq!(bus.wait(), 0);
    let counted = &bus.counters()["counters"];
    let (came, went) = (&counted["publishers"], &counted["subscribers"]);
    assert_eq!((&came["messages_in"], &went["messages_out"]), (&1.into(), &1.into()), "{counted}");
    assert_eq!(came["payload_bytes_in"], went["payload_bytes_out"]);
    for end in [came, went] {
        assert_eq!(end["connected"], 1, "{end}");
        assert!(end["bytes_in"].as_u64() > Some(64) && end["bytes_out"].as_u64() > Some(64), "{end}");
    }
}

#[test]
fn it_takes_the_flag_of_two_letters_that_its_help_shows() {
    for flags in [&["-cl", "debug"][..], &["-cl=debug"]] {
        let mut bus = up("127.0.0.1:0", flags);
        bus.signal("TERM");
        assert_eq!(bus.wait(), 0);
    }
}

#[test]
fn there_are_no_more_peers_than_it_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut bus = up("127.0.0.1:0", &["--ready", ready.to_str().unwrap(), "--max-peers", "1"]);
    for endpoint in ends(&ready) {
        let mut first = dial(&endpoint);
        // It has the place once it is greeted.
        first.read_exact(&mut [0; 10]).unwrap();
        let refused = dial(&endpoint).read(&mut [0; 1]);
        assert!(matches!(refused, Ok(0) | Err(_)), "{refused:?}");
    }
    bus.signal("TERM");
    assert_eq!(bus.wait(), 0);
    for end in ["publishers", "subscribers"] {
        assert_eq!(bus.counters()["counters"][end]["refused"]["too_many_peers"], 1);
    }
}

/// A bus between these addresses, with these flags, that is up.
fn up(at: &str, flags: &[&str]) -> Running {
    let mut bus = command();
    bus.args(["bus", "--publishers", at, "--subscribers", "127.0.0.1:0"]).args(flags);
    let mut bus = Running::start(&mut bus);
    bus.wait_for("the bus is up");
    bus
}

#[test]
fn what_others_can_reach_unencrypted_is_warned_of_allowed_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("bus.key").display().to_string();
    assert!(run(["keys", &keys]).status.success());
    let warned = |at: &str, flags: &[&str]| {
        let mut bus = up(at, flags);
        bus.signal("TERM");
        assert_eq!(bus.wait(), 0);
        bus.times("is not encrypted")
    };
    assert_eq!(warned("*:0", &[]), 1);
    assert_eq!(warned("*:0", &["--plaintext", "allow"]), 0);
    assert_eq!(warned("127.0.0.1:0", &["--plaintext", "refuse"]), 0);
    let encrypted = ["--plaintext", "refuse", "--curve_keys", &keys, "--curve_allow", "anybody"];
    assert_eq!(warned("*:0", &encrypted), 0);
    let refused = ["bus", "--publishers", "*:7", "--subscribers", "127.0.0.1:0", "--plaintext", "refuse"];
    expect![[r#"
        stderr:
        error: `publishers` at `*:7` is not encrypted, and `plaintext` is refuse: set `curve_keys`, or have it stay on this machine
        exit code: 78
    "#]].assert_eq(&said(&run(refused)));
}

#[test]
fn keys_that_are_none_are_told_before_it_listens() {
    let refused = |allow: &str, file: &str| {
        let ends = ["--publishers", "127.0.0.1:0", "--subscribers", "127.0.0.1:0"];
        said(&run(["bus"].iter().chain(&ends).chain(&["--curve_keys", file, "--curve_allow", allow])))
    };
    expect![[r#"
        stderr:
        error: `curve_keys` of `bus`, /absent.key: No such file or directory (os error 2)
        exit code: 78
    "#]]
    .assert_eq(&refused("anybody", "/absent.key"));
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("bus.key").display().to_string();
    assert!(run(["keys", &keys]).status.success());
    expect![[r#"
        stderr:
        error: `curve_allow` of `bus`, `everybody`: a key has 40 characters, and this one 9
        exit code: 78
    "#]]
    .assert_eq(&refused("everybody", &keys));
}

#[test]
fn what_it_cannot_do_it_says() {
    expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --subscribers <ADDRESS>

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "*:1"])));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let refused = said(&run(["bus", "--publishers", "127.0.0.1:0", "--subscribers", &at]));
    let port = at.rsplit(':').next().unwrap();
    expect![[r#"
        stderr:
        error: cannot bind `subscribers` to 127.0.0.1:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port
        exit code: 78
    "#]]
    .assert_eq(&refused.replace(port, "PORT"));
    expect![[r#"
        stderr:
        error: invalid value 'nowhere' for '--publishers <ADDRESS>': `nowhere` has no port: write `nowhere:PORT`

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "nowhere", "--subscribers", "*:2"])));
}
