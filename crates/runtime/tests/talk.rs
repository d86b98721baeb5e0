//! Services talk to one another over real sockets.

use std::sync::atomic::{AtomicU64, Ordering};

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

#[derive(Debug)]
struct Echo {
    calls: AtomicU64,
}

const AUDIT: Requester<Value, Value> = Requester::new("audit");

impl Serve for Echo {
    const NAME: &'static str = "echo";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self { calls: 0.into() })
    }

    fn declare(service: &mut Declare<Self>) {
        service.replyer("echo").handle_inline(|this: &Self, args: Value, _: &Context| {
            this.calls.fetch_add(1, Ordering::Relaxed);
            Ok(args)
        });
    }
}

export!(Echo);

mod asker {
    use super::*;

    pub(super) struct Asker;

    impl Serve for Asker {
        const NAME: &'static str = "asker";
        type Config = Empty;

        fn new(_: Empty) -> Result<Self> {
            Ok(Self)
        }

        fn declare(service: &mut Declare<Self>) {
            service.uses(&AUDIT);
            service.main(async |_: &Self, cx: &Context| {
                for number in 0..100u32 {
                    let answer = cx.request(&AUDIT, &value!({"number": number})).await?;
                    assert_eq!(answer, value!({"number": number}));
                }
                Ok(())
            });
        }
    }

    service_framework::link!(Asker);
}

#[test]
fn a_main_asks_a_replyer() {
    ask_a_hundred_times(&value!({}), &Options::default());
}

#[test]
fn the_other_engine_carries_the_same_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let options = Options { log_path: Some(log.clone()), file_level: Level::Warn, ..Options::default() };
    ask_a_hundred_times(&value!({"engine": "zeromq"}), &options);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("WARNING - engine `zeromq`: 73 bytes of a stranger end this process"), "{log}");
}

fn ask_a_hundred_times(settings: &Value, options: &Options) {
    let addresses = value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}, "settings": (settings.clone())});
    let mut echo = Service::of::<Echo>(Options { addresses: addresses.into(), ..options.clone() });
    echo.start().unwrap();
    let address = echo.endpoints()["echo"].to_string();
    let addresses = value!({"out": {"audit": {"requester": address}}, "settings": (settings.clone())});
    let mut asker =
        Service::of::<asker::Asker>(Options { addresses: addresses.into(), ..Options::default() });
    asker.start_main().unwrap();
    asker.wait().unwrap();
    assert_eq!(asker.counters().connections["audit"].messages_out, 100);
    let counters = echo.counters();
    assert_eq!(counters.connections["echo"].messages_in, 100, "{counters:?}");
    assert_eq!(echo.stop().unwrap().not_drained, Vec::<String>::new());
}
