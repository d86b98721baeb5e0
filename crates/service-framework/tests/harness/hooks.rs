//! Optional methods, and stopping.

use std::cell::Cell;

use expect_test::expect;
use service_framework::harness::Signal;
use service_framework::prelude::*;

use super::exported::exported;

#[derive(Model)]
struct Config {
    mode: String,
    extra: Option<i64>,
}

const HELLO: Requester<Empty, Empty> = Requester::new("hello");
const BYE: Publisher<Empty> = Publisher::new("bye");

struct Hooked {
    config: Config,
    is_ready: Cell<bool>,
}

impl Serve for Hooked {
    const NAME: &'static str = "hooked";
    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, is_ready: Cell::new(false) })
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&HELLO).uses(&BYE);
        service.setup_config(|config| {
            let mut over = Map::new();
            if config.get("mode").is_none() {
                over.insert("mode", "usual");
            }
            over.insert("extra", 7);
            Ok(over)
        });
        service.setup_addresses(|mut addresses, config| {
            addresses.insert("mode", config.mode);
            Ok(addresses)
        });
        service.setup_connections(|_| Ok([("hello", value!({"deadline_s": 0.25}))].into_iter().collect()));
        service.init(async |this: &Self, cx: &Context| {
            cx.request(&HELLO, &()).await?;
            this.is_ready.set(true);
            Ok(())
        });
        service.on_sigint(async |this: &Self, cx: &Context| {
            cx.sleep(Duration::from_secs(1)).await;
            cx.publish(&BYE, &())?;
            if this.config.mode == "stubborn" { Err(Error::msg("no")) } else { Ok(()) }
        });
        service.replyer("config").handle_inline(|this: &Self, _: Empty, _: &Context| {
            let (mode, extra) = (this.config.mode.clone(), this.config.extra.unwrap_or_default());
            Ok(value!({"mode": mode, "extra": extra, "ready": (this.is_ready.get())}))
        });
        service.replyer("stop").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.stop();
            Ok(())
        });
        service.replyer("until_the_end").handle(async |_: &Self, _: Empty, cx: &Context| {
            cx.stopping().await;
            cx.sleep(Duration::from_secs(29)).await;
            Ok(())
        });
        service.replyer("longer").handle(async |_: &Self, _: Empty, cx: &Context| {
            cx.sleep(Duration::from_secs(31)).await;
            Ok(())
        });
    }
}

exported!(Hooked);

fn hooked(mode: &str) -> Harness<Hooked> {
    let harness = Harness::<Hooked>::with_config_value(value!({"mode": mode})).unwrap();
    harness.answer(&HELLO, |()| Ok(()));
    harness
}

#[test]
fn init_runs_before_the_first_message() {
    let harness = hooked("a");
    assert!(harness.requests(&HELLO).is_empty());
    let config: Value = harness.request("config", &()).unwrap();
    assert_eq!(config, value!({"mode": "a", "extra": 7, "ready": true}));
    let _: Value = harness.request("config", &()).unwrap();
    assert_eq!(harness.requests(&HELLO).len(), 1);
}

#[test]
fn a_failed_init_fails_everything() {
    let harness = Harness::<Hooked>::with_config_value(value!({})).unwrap();
    harness.ignore(&HELLO);
    let failure = harness.init().unwrap_err();
    expect!["failed: init: deadline: no reply of `hello` within 250ms"].assert_eq(&failure.to_string());
    assert_eq!(harness.request::<_, Value>("config", &()).unwrap_err(), failure);
}

#[test]
fn setup_hooks_run() {
    let harness = Harness::<Hooked>::with_config_value(value!({})).unwrap();
    let addresses = harness.setup_addresses(&[("in", Value::from(1))].into_iter().collect()).unwrap();
    assert_eq!(Value::Map(addresses), value!({"in": 1, "mode": "usual"}));
}

#[test]
fn a_signal_runs_its_hook_and_asks_to_stop() {
    let harness = hooked("a");
    harness.signal(Signal::Interrupt).unwrap();
    assert_eq!(harness.published(&BYE).len(), 1);
    assert!(harness.is_stopping());
    let failure = harness.request::<_, Value>("config", &()).unwrap_err();
    assert_eq!(failure.code(), "stopping");

    let harness = hooked("stubborn");
    expect!["failed: no"].assert_eq(&harness.signal(Signal::Interrupt).unwrap_err().to_string());
    assert!(harness.is_stopping());

    let harness = hooked("a");
    harness.signal(Signal::Terminate).unwrap();
    assert!(harness.published(&BYE).is_empty() && harness.is_stopping());
}

#[test]
fn a_service_can_stop_itself() {
    let harness = hooked("a");
    assert!(!harness.is_stopping());
    let () = harness.request("stop", &()).unwrap();
    assert!(harness.is_stopping());
}

#[test]
fn stopping_waits_for_what_is_in_work() {
    let harness = hooked("a");
    let pending = harness.start::<_, ()>("until_the_end", &()).unwrap();
    harness.stop().unwrap();
    pending.wait().unwrap();
    harness.stop().unwrap();
}

#[test]
fn stopping_names_what_does_not_end() {
    let harness = hooked("a");
    let pending = harness.start::<_, ()>("longer", &()).unwrap();
    let failure = harness.stop().unwrap_err();
    expect!["stopping: not ended when the service stopped: `longer`: it waits for 31s to pass"]
        .assert_eq(&failure.to_string());
    assert_eq!(pending.wait().unwrap_err().code(), "stopping");
}

#[test]
fn a_service_without_main_says_so() {
    expect!["failed: service `hooked` has no `main`"]
        .assert_eq(&hooked("a").run_main().unwrap_err().to_string());
}
