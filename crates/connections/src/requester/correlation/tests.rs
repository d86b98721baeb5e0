//! Laws of the account of calls: each call ends once, in the way that a plain model says.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const WAITING_MAX: usize = 3;

/// What may happen to a requester, in any order.
#[derive(Clone, Debug)]
enum Step {
    Begin { deadline_s: Option<u64> },
    SendFails { keeps_payload: bool },
    Connect,
    Disconnect,
    Reply { number: u64 },
    Forget { number: u64 },
    Wait { s: u64 },
    Close,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => proptest::option::of(0_u64..10).prop_map(|deadline_s| Step::Begin { deadline_s }),
        1 => any::<bool>().prop_map(|keeps_payload| Step::SendFails { keeps_payload }),
        3 => Just(Step::Connect),
        2 => Just(Step::Disconnect),
        6 => (0_u64..20).prop_map(|number| Step::Reply { number }),
        2 => (0_u64..20).prop_map(|number| Step::Forget { number }),
        2 => (0_u64..5).prop_map(|s| Step::Wait { s }),
        1 => Just(Step::Close),
    ]
}

/// The state of one call, as the model has it. The ticket of a call is its number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Waiting,
    Sent,
    Over,
}

#[derive(Default)]
struct Model {
    /// What is left for tries, in tenths of one, if calls may be tried again.
    budget: Option<u32>,
    calls: Vec<(Is, Option<u64>)>,
    /// Those that were sent, lost and put back once.
    tried: Vec<u64>,
    is_connected: bool,
    is_closed: bool,
    now_s: u64,
}

impl Model {
    fn numbers(&self, is: Is) -> Vec<u64> {
        (1..).zip(&self.calls).filter(|(_, call)| call.0 == is).map(|(number, _)| number).collect()
    }

    fn begin(&mut self, is: Is, deadline: Option<u64>) {
        self.budget = self.budget.map(|left| (left + 1).min(100));
        self.calls.push((is, deadline));
    }

    /// The connection is lost: the oldest calls that were sent wait for the next as far as they may. Gives the others.
    fn lose(&mut self) -> Vec<u64> {
        let mut lost = self.numbers(Is::Sent);
        lost.retain(|number| {
            let has_room = !self.is_closed && self.numbers(Is::Waiting).len() < WAITING_MAX;
            let may = has_room && !self.tried.contains(number);
            match self.budget.filter(|left| *left >= 10 && may) {
                None => true,
                Some(left) => {
                    self.budget = Some(left - 10);
                    self.calls[*number as usize - 1].0 = Is::Waiting;
                    self.tried.push(*number);
                    false
                }
            }
        });
        lost
    }

    fn end(&mut self, number: u64) {
        self.calls[number as usize - 1].0 = Is::Over;
    }

    fn is(&self, number: u64) -> Option<Is> {
        self.calls.get((number as usize).checked_sub(1)?).map(|call| call.0)
    }
}

fn payload(number: u64) -> Bytes {
    Bytes::from(number.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_call_ends_once_and_as_it_should(
        is_idempotent in any::<bool>(),
        steps in proptest::collection::vec(any_step(), 0..60),
    ) {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut calls = Correlation::new(WAITING_MAX, is_idempotent);
        let mut model = Model { budget: is_idempotent.then_some(100), ..Model::default() };
        for step in steps {
            match step {
                Step::Begin { deadline_s } => {
                    let number = model.calls.len() as u64 + 1;
                    let deadline = deadline_s.map(|s| model.now_s + s);
                    let expected = if model.is_closed {
                        Err(CallError::Closed)
                    } else if model.is_connected {
                        model.begin(Is::Sent, deadline);
                        Ok(Begun::Send(number, payload(number)))
                    } else if model.numbers(Is::Waiting).len() < WAITING_MAX {
                        model.begin(Is::Waiting, deadline);
                        Ok(Begun::Waits(number))
                    } else {
                        Err(CallError::Full)
                    };
                    prop_assert_eq!(calls.begin(payload(number), deadline.map(at), number), expected);
                }
                Step::SendFails { keeps_payload } if model.is_connected => {
                    let number = model.calls.len() as u64 + 1;
                    let begun = calls.begin(payload(number), None, number);
                    prop_assert_eq!(begun, Ok(Begun::Send(number, payload(number))));
                    let has_room = model.numbers(Is::Waiting).len() < WAITING_MAX;
                    let (is, given_back) = match (keeps_payload, has_room) {
                        (true, true) => (Is::Waiting, None),
                        (true, false) => (Is::Over, Some((number, CallError::Full))),
                        (false, _) => (Is::Over, Some((number, CallError::PeerLost))),
                    };
                    model.begin(is, None);
                    model.is_connected = false;
                    prop_assert_eq!(calls.put_back(number, keeps_payload.then(|| payload(number))), given_back);
                    // Those sent before it are given up when the loss is reported.
                }
                Step::SendFails { .. } => {}
                Step::Connect => {
                    // As a link does it, a loss that a failed send has shown is reported first.
                    let lost = calls.disconnected();
                    prop_assert_eq!(&lost, &model.lose());
                    lost.into_iter().for_each(|number| model.end(number));
                    calls.connected();
                    model.is_connected = !model.is_closed;
                    let waited = std::iter::from_fn(|| calls.next_waiting()).collect::<Vec<_>>();
                    let numbers = if model.is_closed { Vec::new() } else { model.numbers(Is::Waiting) };
                    let deadline = |number: u64| model.calls[number as usize - 1].1.map(at);
                    let expected: Vec<_> =
                        numbers.iter().map(|&number| (number, payload(number), deadline(number))).collect();
                    prop_assert_eq!(waited, expected);
                    numbers.into_iter().for_each(|number| model.calls[number as usize - 1].0 = Is::Sent);
                }
                Step::Disconnect => {
                    let lost = calls.disconnected();
                    prop_assert_eq!(&lost, &model.lose());
                    lost.into_iter().for_each(|number| model.end(number));
                    model.is_connected = false;
                    prop_assert_eq!(calls.next_waiting(), None);
                }
                Step::Reply { number } => {
                    let expected = match model.is(number) {
                        Some(Is::Sent) => Ok(number),
                        Some(Is::Over) => Err(Was::Ended),
                        Some(Is::Waiting) | None => Err(Was::NeverSent),
                    };
                    prop_assert_eq!(&calls.replied(number), &expected);
                    if expected.is_ok() {
                        model.end(number);
                    }
                }
                Step::Forget { number } => {
                    let is_open = model.is(number).is_some_and(|is| is != Is::Over);
                    prop_assert_eq!(calls.forget(number), is_open.then_some(number));
                    if is_open {
                        model.end(number);
                    }
                }
                Step::Wait { s } => {
                    model.now_s += s;
                    let mut due: Vec<_> = (1..)
                        .zip(&model.calls)
                        .filter(|(_, call)| call.0 != Is::Over)
                        .filter_map(|(number, call)| Some((call.1?, number, call.0 == Is::Sent || model.tried.contains(&number))))
                        .filter(|(deadline_s, ..)| *deadline_s <= model.now_s)
                        .collect::<Vec<(u64, u64, bool)>>();
                    due.sort_unstable();
                    for (_, number, was_sent) in due {
                        prop_assert_eq!(calls.expired(at(model.now_s)), Some((number, was_sent)));
                        model.end(number);
                    }
                    prop_assert_eq!(calls.expired(at(model.now_s)), None);
                }
                Step::Close => {
                    let mut open = calls.close();
                    open.sort_unstable();
                    let mut expected = model.numbers(Is::Waiting);
                    expected.extend(model.numbers(Is::Sent));
                    expected.sort_unstable();
                    prop_assert_eq!(&open, &expected);
                    open.into_iter().for_each(|number| model.end(number));
                    model.is_closed = true;
                    model.is_connected = false;
                }
            }
            let earliest = model.calls.iter().filter(|call| call.0 != Is::Over).filter_map(|call| call.1).min();
            prop_assert_eq!(calls.earliest_deadline(), earliest.map(at));
            prop_assert_eq!(calls.waiting.keys().copied().collect::<Vec<_>>(), model.numbers(Is::Waiting));
            let open = model.calls.iter().filter(|call| call.0 != Is::Over).count();
            prop_assert_eq!(calls.calls.len(), open);
        }
    }
}

/// What happens to a call after it was sent, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Reply,
    Forget,
}

/// The next of a row of numbers that is the same each time: splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn of_a_million_calls_none_is_ended_by_the_reply_to_another() {
    const CALLS: u64 = 1_000_000;
    const DEADLINE_MS: u64 = 100;
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    // The ticket of a call is its number.
    let mut calls = Correlation::new(0, false);
    calls.connected();
    let mut chance = 1;
    let mut due = BinaryHeap::<Reverse<(u64, Happens, u64)>>::new();
    let mut open = HashSet::new();
    // Ended by a reply; by their deadline; forgotten; lost. And replies that came when their call had ended.
    let [mut replied, mut expired, mut forgotten, mut lost, mut late] = [0_u64; 5];
    for number in 1..=CALLS {
        let now = number / 10;
        while let Some(Reverse((when, what, of))) =
            due.peek().copied().filter(|Reverse((when, ..))| *when <= now)
        {
            due.pop();
            let is_open = open.remove(&of);
            match what {
                Happens::Reply if is_open => {
                    assert_eq!(calls.replied(of), Ok(of), "at {when}");
                    replied += 1;
                }
                Happens::Reply => {
                    assert_eq!(calls.replied(of), Err(Was::Ended), "at {when}");
                    late += 1;
                }
                Happens::Forget => {
                    assert_eq!(calls.forget(of), is_open.then_some(of));
                    forgotten += u64::from(is_open);
                }
            }
        }
        while let Some((ticket, was_sent)) = calls.expired(at(now)) {
            assert!(was_sent && open.remove(&ticket), "{ticket}");
            expired += 1;
        }
        if number.is_multiple_of(10_000) {
            for ticket in calls.disconnected() {
                assert!(open.remove(&ticket), "{ticket}");
                lost += 1;
            }
            assert!(open.is_empty());
            calls.connected();
        }
        let begun = calls.begin(Bytes::new(), Some(at(now + DEADLINE_MS)), number);
        assert_eq!(begun, Ok(Begun::Send(number, Bytes::new())));
        open.insert(number);
        let random = next(&mut chance);
        // In time or too late, once, twice or never; and some callers do not wait so long.
        for reply in 0..random % 3 {
            let after = (random >> (16 + 16 * reply)) % (2 * DEADLINE_MS);
            due.push(Reverse((now + after, Happens::Reply, number)));
        }
        if random.is_multiple_of(5) {
            due.push(Reverse((now + (random >> 48) % DEADLINE_MS, Happens::Forget, number)));
        }
    }
    assert_eq!(replied + expired + forgotten + lost + open.len() as u64, CALLS);
    for (what, times) in
        [("replied", replied), ("expired", expired), ("forgotten", forgotten), ("late", late)]
    {
        assert!(times > CALLS / 20, "{what}: {times}");
    }
}
