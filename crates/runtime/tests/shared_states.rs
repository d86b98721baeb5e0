//! An owner and a copy, as authors write them, over real sockets.

use std::collections::BTreeMap;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

type Levels = BTreeMap<u64, u32>;

#[derive(Model, Clone, Debug, PartialEq)]
struct Total {
    trades: u64,
}

#[derive(Model)]
struct Traded {
    levels: Levels,
    trades: u64,
}

mod desk {
    use super::*;

    const LEVELS: DeltaUpdateOut<Levels> =
        DeltaUpdateOut::starting_with("levels", || Levels::from([(1, 1), (2, 2)]));
    const TOTAL: FullUpdateOut<Total> = FullUpdateOut::new("total");

    pub(super) struct Desk;

    #[service(uses(LEVELS, TOTAL))]
    impl Desk {
        fn new() -> Result<Self> {
            Ok(Self)
        }

        /// Adds a level, takes the lowest away, and says what there is now.
        #[replyer]
        fn trade(&self, cx: &Context) -> Result<Traded> {
            let levels = cx.state(&LEVELS)?;
            let mut change = MapChange::new();
            if let (Some((lowest, _)), Some((highest, _))) =
                (levels.first_key_value(), levels.last_key_value())
            {
                change = change.remove(*lowest).set(highest + 1, 9u32);
            }
            drop(levels);
            cx.update(&LEVELS, &change)?;
            let trades = cx.state(&TOTAL).map_or(0, |total| total.trades) + 1;
            cx.set(&TOTAL, &Total { trades })?;
            Ok(Traded { levels: cx.state(&LEVELS)?.clone(), trades })
        }
    }

    service_framework::link!(Desk);
}

mod watch {
    use std::sync::Mutex;

    use super::*;

    const LEVELS: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("levels");
    const TOTAL: FullUpdateIn<Total> = FullUpdateIn::new("total");
    const TRADE: Requester<Empty, Traded> = Requester::new("trade");

    /// What the copies are to become, once that is known.
    pub(super) struct Watch(Mutex<Option<Traded>>);

    #[service(uses(LEVELS, TOTAL, TRADE))]
    impl Watch {
        fn new() -> Result<Self> {
            Ok(Self(Mutex::new(None)))
        }

        async fn main(&self, cx: &Context) -> Result<()> {
            cx.timeout(Duration::from_secs(60), self.follow(cx)).await?
        }

        async fn follow(&self, cx: &Context) -> Result<()> {
            cx.live(&LEVELS).await?;
            assert_eq!(cx.state(&LEVELS)?.len(), 2);
            assert!(cx.state_status(&LEVELS)?.number.is_some());
            // What was published whole before this service was there is not told once more.
            while cx.state(&TOTAL).is_err() {
                cx.request(&TRADE, &()).await?;
            }
            let traded = cx.request(&TRADE, &()).await?;
            *self.0.lock().unwrap() = Some(traded);
            self.stop_if_all_is_there(cx)?;
            cx.stopping().await;
            Ok(())
        }

        #[updated(LEVELS)]
        fn levels_changed(&self, cx: &Context) -> Result<()> {
            self.stop_if_all_is_there(cx)
        }

        #[updated(TOTAL)]
        async fn total_changed(&self, total: Total, cx: &Context) -> Result<()> {
            assert!(total.trades <= cx.state(&TOTAL)?.trades);
            self.stop_if_all_is_there(cx)
        }

        fn stop_if_all_is_there(&self, cx: &Context) -> Result<()> {
            let expected = self.0.lock().unwrap();
            let Some(Traded { levels, trades }) = &*expected else { return Ok(()) };
            if *cx.state(&LEVELS)? == *levels && cx.state(&TOTAL)?.trades == *trades {
                cx.stop();
            }
            Ok(())
        }
    }

    service_framework::link!(Watch);
}

#[test]
fn a_copy_follows_its_owner() {
    let addresses = value!({"connections": {"in": {"trade": {"replyer": "127.0.0.1:0"}}}, "states": {"out": {
        "levels": {"publisher": "127.0.0.1:0", "replyer": "127.0.0.1:0"},
        "total": {"publisher": "127.0.0.1:0"}
    }}});
    let mut desk = Service::of::<desk::Desk>(Options { addresses: addresses.into(), ..Options::default() });
    desk.start().unwrap();
    let at = |name: &str| Value::from(desk.endpoints()[name].to_string());
    let addresses = value!({
        "connections": {"out": {"trade": {"requester": (at("trade"))}}},
        "states": {"in": {
            "levels": {"subscriber": (at("levels.publisher")), "requester": (at("levels.replyer"))},
            "total": {"subscriber": (at("total.publisher"))}
        }}
    });
    let mut watch =
        Service::of::<watch::Watch>(Options { addresses: addresses.into(), ..Options::default() });
    watch.start_main().unwrap();
    watch.wait().unwrap();
    desk.stop().unwrap();
}
