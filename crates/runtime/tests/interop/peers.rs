//! Our services at the other end of the Python ones.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use service_framework::prelude::*;
use service_framework_core::wire::{self, Encoding};
use service_framework_runtime::Service;
use tokio::sync::watch;

use crate::support::wired;

/// One value of every kind, as `values.py` has it.
#[derive(Model, Clone, Debug)]
pub(crate) struct All {
    flag: bool,
    whole: i64,
    big: u64,
    fraction: f64,
    round: f64,
    no_number: f64,
    endless: f64,
    text: String,
    raw: Bytes,
    amount: Decimal,
    no_amount: Decimal,
    id: Uuid,
    tags: BTreeSet<String>,
    sizes: BTreeSet<i32>,
    series: Array<f64>,
    items: Vec<i64>,
    pair: (i64, String),
    by_name: BTreeMap<String, Decimal>,
    by_price: BTreeMap<Decimal, f64>,
    nested: Nested,
    at: DateTime,
    note: Option<String>,
    absent: Option<String>,
}

#[derive(Model, Clone, Debug)]
struct Nested {
    deep: Vec<Deep>,
}

#[derive(Model, Clone, Debug)]
struct Deep {
    amount: Decimal,
    ids: Vec<Uuid>,
}

impl All {
    /// The sample of `values.py`.
    pub(crate) fn sample() -> Self {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        Self {
            flag: true,
            whole: i64::MIN,
            big: u64::MAX,
            fraction: 0.1,
            round: 2.0,
            no_number: f64::NAN,
            endless: f64::NEG_INFINITY,
            text: "naïve \u{2603} \u{1f600} \"\\\n\0".into(),
            raw: Bytes::from_static(b"\x00\xff{"),
            amount: decimal("-123.3210"),
            no_amount: decimal("NaN"),
            id: Uuid::from_u128(0x12345678_1234_5678_1234_567812345678),
            tags: ["a", "b", ""].map(str::to_owned).into(),
            sizes: [-1, 0, 70_000].into(),
            series: vec![1.5, -0.0, f64::INFINITY].into(),
            items: vec![0, 127, 128, -33, 65536],
            pair: (7, "seven".into()),
            by_name: [("BTC".to_owned(), decimal("1E+400")), (String::new(), decimal("0.00"))].into(),
            by_price: [(decimal("99.50"), 1.0), (decimal("100"), 2.5)].into(),
            nested: Nested {
                deep: vec![Deep {
                    amount: decimal("Infinity"),
                    ids: vec![Uuid::from_u128(0), Uuid::from_u128(1)],
                }],
            },
            at: "2026-11-21T06:15:00.25+01:00".parse().unwrap(),
            note: Some("given".into()),
            absent: None,
        }
    }

    /// Refuses what is not the sample, to the last digit of a decimal.
    fn check(&self) -> Result<()> {
        let bytes = |all: &Self| wire::encode(all, Encoding::MessagePack).unwrap();
        if bytes(self) == bytes(&Self::sample()) {
            return Ok(());
        }
        Err(Error::msg(format!("not the sample: {self:?}")))
    }
}

#[derive(Model)]
struct Returned {
    values: All,
}

/// What Python answers: the values again, and each as Python shows it.
#[derive(Model)]
struct Answered {
    values: All,
    seen: BTreeMap<String, String>,
}

#[derive(Model)]
struct Seen {
    seen: BTreeMap<String, String>,
}

#[derive(Model)]
struct Number {
    number: f64,
}

#[derive(Model)]
struct Half {
    number: f64,
    /// Which process answered.
    process: Option<u32>,
}

#[derive(Model)]
struct Patience {
    number: f64,
    within_s: f64,
}

/// From here on, requests wait until the door is open.
const WAITS: f64 = 1_000_000.0;

#[derive(Model, Clone, Copy)]
struct Door {
    is_open: bool,
}

#[derive(Model)]
struct Waiting {
    waiting: u64,
}

/// Stands where `replyer.py` could.
pub(crate) struct Answerer {
    is_open: watch::Sender<bool>,
    waiting: Cell<u64>,
}

#[service]
impl Answerer {
    fn new() -> Result<Self> {
        Ok(Self { is_open: watch::Sender::new(false), waiting: Cell::new(0) })
    }

    #[replyer]
    fn values(&self, args: All) -> Result<Returned> {
        args.check()?;
        Ok(Returned { values: args })
    }

    #[replyer]
    async fn halve(&self, args: Number) -> Result<Half> {
        if args.number < 0.0 {
            return Err(Error::msg("too cold to halve"));
        }
        if args.number >= WAITS {
            self.waiting.set(self.waiting.get() + 1);
            self.is_open.subscribe().wait_for(|is_open| *is_open).await?;
            self.waiting.set(self.waiting.get() - 1);
        }
        Ok(Half { number: args.number / 2.0, process: None })
    }

    /// Opens or shuts the door, and says how many wait at it.
    #[replyer]
    fn door(&self, args: Door) -> Result<Waiting> {
        self.is_open.send_replace(args.is_open);
        Ok(Waiting { waiting: self.waiting.get() })
    }
}

service_framework::link!(Answerer);

/// Starts an [`Answerer`] whose `halve` listens at that port.
pub(crate) fn answerer(halve: u16) -> Service {
    let python = |port: u16| value!({"address": (format!("127.0.0.1:{port}")), "peer": "python"});
    let addresses = value!({"in": {
        "values": {"replyer": (python(0))},
        "halve": {"replyer": (python(halve))},
        "door": {"replyer": "127.0.0.1:0"},
    }});
    let mut service = Service::of::<Answerer>(wired(addresses));
    service.start().unwrap();
    service
}

const VALUES: Requester<All, Answered> = Requester::new("values").deadline_s(30.0);
const HALVE: Requester<Number, Half> = Requester::new("halve");

/// Stands where `requester.py` could: what it is asked to, it asks.
pub(crate) struct Asker;

#[service(uses(VALUES, HALVE))]
impl Asker {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn ask_values(&self, cx: &Context) -> Result<Seen> {
        let answered = cx.request(&VALUES, &All::sample()).await?;
        answered.values.check()?;
        Ok(Seen { seen: answered.seen })
    }

    #[replyer]
    async fn ask_half(&self, args: Patience, cx: &Context) -> Result<Half> {
        let within = Duration::from_secs_f64(args.within_s);
        cx.request_within(&HALVE, &Number { number: args.number }, within).await
    }
}

service_framework::link!(Asker);

/// Starts an [`Asker`] that asks at those ports; `peer` is the setting of its requesters.
pub(crate) fn asker([values, halve]: [u16; 2], peer: &str) -> Service {
    let to = |port: u16| value!({"address": (format!("127.0.0.1:{port}")), "peer": peer});
    let addresses = value!({
        "in": {"ask_values": {"replyer": "127.0.0.1:0"}, "ask_half": {"replyer": "127.0.0.1:0"}},
        "out": {"values": {"requester": (to(values))}, "halve": {"requester": (to(halve))}},
    });
    let mut service = Service::of::<Asker>(wired(addresses));
    service.start().unwrap();
    service
}

/// The port of a connection that listens.
pub(crate) fn port(service: &Service, connection: &str) -> u16 {
    let address = service.endpoints()[connection].to_string();
    address.rsplit(':').next().unwrap().parse().unwrap()
}
