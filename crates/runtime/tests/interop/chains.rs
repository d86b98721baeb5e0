//! Chains in which Python services and ours take turns put the same bytes on every hop as chains of Python alone.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::json;
use service_framework::prelude::*;
use service_framework_runtime::{Mode as OurMode, Service};

use crate::codec::from_hex;
use crate::peers::port;
use crate::python::{Mode, Place, Python, Version};
use crate::support::wired;

/// How many requests the first link makes.
const REQUESTS: usize = 5_000;
/// Every so many, the two links in the middle ask twice.
const TWICE_EVERY: usize = 10;
/// A chain that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Model, Clone, Copy)]
struct Step {
    number: i64,
    is_twice: bool,
}

#[derive(Model)]
struct Walked {
    number: i64,
    seen: Vec<String>,
}

#[derive(Model, Clone, Copy)]
struct Config {
    requests: Option<i64>,
}

const NEXT: Requester<Step, Walked> = Requester::new("next").deadline_s(60.0).python();

fn seen(cx: &Context) -> String {
    cx.workflow_id().unwrap_or("none").to_owned()
}

struct First {
    requests: i64,
}

#[service(uses(NEXT))]
impl First {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { requests: config.requests.unwrap_or_default() })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        for number in 0..self.requests {
            let is_twice = number % TWICE_EVERY as i64 == 0;
            let walked = cx.request(&NEXT, &Step { number, is_twice }).await?;
            let expected = if is_twice { (8 * number + 8, 7) } else { (2 * number, 3) };
            if (walked.number, walked.seen.len()) != expected {
                return Err(Error::msg(format!("{number}: {} {:?}", walked.number, walked.seen)));
            }
        }
        Ok(())
    }
}

service_framework::link!(First);

struct Middle;

#[service(uses(NEXT))]
impl Middle {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer(peer = "python")]
    async fn step(&self, args: Step, cx: &Context) -> Result<Walked> {
        let mut answer = Walked { number: 0, seen: vec![seen(cx)] };
        for turn in 0..=i64::from(args.is_twice) {
            let step = Step { number: args.number + turn, is_twice: args.is_twice };
            let walked = cx.request(&NEXT, &step).await?;
            answer.number += walked.number;
            answer.seen.extend(walked.seen);
        }
        Ok(answer)
    }
}

service_framework::link!(Middle);

struct Last;

#[service]
impl Last {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer(peer = "python")]
    fn step(&self, args: Step, cx: &Context) -> Result<Walked> {
        Ok(Walked { number: args.number * 2, seen: vec![seen(cx)] })
    }
}

service_framework::link!(Last);

/// Who stands at a place of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Python(Version),
    Us,
}

/// A link that runs.
enum Link {
    Python(Python),
    Us(Service),
}

/// What went over one hop in both directions, in order.
type Hop = Vec<Vec<u8>>;

/// Runs a chain of four, and gives what went over its hops, the last hop first.
fn run([first, second, third, last]: [By; 4]) -> [Hop; 3] {
    let (_last, last_port) = answering(last, None);
    let (mut last_tap, next) = tap(last_port);
    let (_third, third_port) = answering(third, Some(next));
    let (mut third_tap, next) = tap(third_port);
    let (_second, second_port) = answering(second, Some(next));
    let (mut second_tap, next) = tap(second_port);
    let mut first = asking(first, next);
    match &mut first {
        Link::Python(python) => {
            let end = Instant::now() + LONGEST;
            let done = python.line_within(end.saturating_duration_since(Instant::now()));
            assert_eq!(done.as_deref(), Some("done"));
        }
        Link::Us(service) => {
            service.wait().unwrap();
        }
    }
    let twice = REQUESTS / TWICE_EVERY;
    let once = REQUESTS - twice;
    let hop = |tap: &mut Python, requests: usize| -> Hop {
        (0..2 * requests).map(|_| from_hex(&tap.line())).collect()
    };
    [
        hop(&mut last_tap, once + 4 * twice),
        hop(&mut third_tap, once + 2 * twice),
        hop(&mut second_tap, once + twice),
    ]
}

fn tap(target: u16) -> (Python, u16) {
    let mut tap = Python::script(Version::V18, "tap.py", &[target.to_string()]);
    let port = tap.line().parse().unwrap();
    (tap, port)
}

fn answering(by: By, next: Option<u16>) -> (Link, u16) {
    let next_place = next.map(|port| Place::requester("next", port));
    match by {
        By::Python(version) => {
            let config = if next.is_none() { json!({"is_last": true}) } else { json!({}) };
            let (python, [port]) = Python::listening(version, "chain.py", Mode::Loop, &config, |[port]| {
                [Place::replyer("step", port)].into_iter().chain(next_place).collect()
            });
            (Link::Python(python), port)
        }
        By::Us => {
            let step = value!({"step": {"replyer": "127.0.0.1:0"}});
            let mut service = match next {
                None => Service::of::<Last>(wired(value!({"in": step}))),
                Some(next) => {
                    let next = format!("127.0.0.1:{next}");
                    let addresses = value!({"in": step, "out": {"next": {"requester": next}}});
                    Service::of::<Middle>(wired(addresses))
                }
            };
            service.start().unwrap();
            let port = port(&service, "step");
            (Link::Us(service), port)
        }
    }
}

fn asking(by: By, next: u16) -> Link {
    match by {
        By::Python(version) => {
            let config = json!({"is_first": true, "requests": REQUESTS});
            let places = [Place::requester("next", next)];
            Link::Python(Python::connecting(version, "chain.py", Mode::Main, &config, &places))
        }
        By::Us => {
            let next = format!("127.0.0.1:{next}");
            let mut options = wired(value!({"out": {"next": {"requester": next}}}));
            options.config = value!({"requests": (REQUESTS as i64)}).into();
            let mut service = Service::of::<First>(options);
            service.start_as(OurMode::Main).unwrap();
            Link::Us(service)
        }
    }
}

/// The same with each UUID replaced by its number in order of appearance, since no two runs have the same.
fn without_uuids(hop: &Hop) -> Hop {
    let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    let renumber = |message: &Vec<u8>| {
        let mut message = message.clone();
        let mut at = 0;
        while let Some(uuid) = message.get(at..at + UUID_LENGTH) {
            if is_uuid(uuid) {
                let next = numbers.len();
                let number = *numbers.entry(uuid.to_vec()).or_insert(next);
                message[at..at + UUID_LENGTH].copy_from_slice(format!("{number:036}").as_bytes());
                at += UUID_LENGTH;
            } else {
                at += 1;
            }
        }
        message
    };
    hop.iter().map(renumber).collect()
}

const UUID_LENGTH: usize = 36;

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

static ALL_PYTHON: LazyLock<[Hop; 3]> = LazyLock::new(|| {
    let python = By::Python(Version::V18);
    run([python; 4]).map(|hop| without_uuids(&hop))
});

#[track_caller]
fn check(chain: [By; 4]) {
    let hops = run(chain).map(|hop| without_uuids(&hop));
    for (number, (hop, expected)) in hops.iter().zip(&*ALL_PYTHON).enumerate() {
        assert_eq!(hop.len(), expected.len());
        for (at, (message, expected)) in hop.iter().zip(expected).enumerate() {
            assert!(
                message == expected,
                "{chain:?}: message {at} of hop {number} from the end is\n{}, of Python alone\n{}",
                message.escape_ascii(),
                expected.escape_ascii(),
            );
        }
    }
}

#[test]
fn the_tapped_chain_of_python_alone_has_the_workflow_ids_it_documents() {
    let [last, ..] = &*ALL_PYTHON;
    let seen = |suffix: &str| {
        let id = format!("{:036}{suffix}", 0);
        last.iter().take(8).any(|message| message.windows(id.len()).any(|part| part == id.as_bytes()))
    };
    // The first request is one that asks twice on two hops.
    assert!(["", "_1", "_1_1"].into_iter().all(seen));
    assert!(!seen("_2"));
}

#[test]
fn python_ours_python_ours_is_the_same_on_every_hop() {
    check([By::Python(Version::V18), By::Us, By::Python(Version::V20), By::Us]);
}

#[test]
fn ours_python_ours_python_is_the_same_on_every_hop() {
    check([By::Us, By::Python(Version::V18), By::Us, By::Python(Version::V20)]);
}
