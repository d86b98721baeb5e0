//! How long it takes to publish beside a subscriber that is too slow, held against how long it takes beside quick ones alone.

use crate::report;
use crate::slow_subscriber::{Pressing, QUEUE_BYTES, Subscriber, be_the_press};
use crate::support::run;

/// How often both are measured, in turns.
const PAIRS: usize = 21;
/// So many times a hundred are published each time, three times as much as may wait for the slow one.
const BATCHES: u64 = 40;
const BATCH: u64 = 100;
/// How much of the 99th percentile beside quick subscribers alone it may be.
const MOST: f64 = 1.1;

/// How much one of the two subscribers takes; the other takes all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pace {
    All,
    /// One of a hundred.
    Few,
}

/// How many nanoseconds it took to publish, but for the slowest of a hundred.
async fn p99(press: &mut Pressing, quick: &mut Subscriber, other: &mut Subscriber, pace: Pace) -> u64 {
    let mut taken = Vec::new();
    for _ in 0..BATCHES {
        taken.extend(press.publish_timed(BATCH).await);
        quick.take_until(press.published).await;
        match pace {
            Pace::All => other.take_until(press.published).await,
            Pace::Few => drop(other.take().await),
        }
    }
    taken.sort_unstable();
    taken[taken.len() * 99 / 100]
}

fn median<T: Copy + PartialOrd>(of: impl Iterator<Item = T>) -> T {
    let mut all: Vec<T> = of.collect();
    all.sort_unstable_by(|one, other| one.partial_cmp(other).expect("numbers"));
    all[all.len() / 2]
}

const THIS: &str = "publish_times::publishing_takes_no_longer_beside_a_slow_subscriber";

#[test]
#[ignore = "takes a minute, and a machine that has nothing else to do"]
fn publishing_takes_no_longer_beside_a_slow_subscriber() {
    be_the_press();
    run(async {
        let mut press = Pressing::start(THIS);
        let (mut quick, mut other) = (press.subscriber().await, press.subscriber().await);
        press.until_taken(&mut other).await;
        press.until_taken(&mut quick).await;
        other.take_until(press.published).await;

        let (mut pairs, mut waited) = (Vec::new(), 0);
        for pair in 0..PAIRS {
            let turns = if pair % 2 == 0 { [Pace::All, Pace::Few] } else { [Pace::Few, Pace::All] };
            let mut taken = [0; 2];
            for pace in turns {
                let (before, dropped) = (press.held().await, press.dropped());
                taken[pace as usize] = p99(&mut press, &mut quick, &mut other, pace).await;
                match pace {
                    Pace::All => assert_eq!(press.dropped(), dropped, "both were quick enough"),
                    Pace::Few => {
                        assert!(press.dropped() > dropped, "it was too slow");
                        waited = waited.max(press.held().await.most_allocated - before.allocated);
                        press.until_taken(&mut other).await;
                        quick.take_until(press.published).await;
                    }
                }
            }
            pairs.push(taken);
        }
        let lost = press.published - other.first.unwrap() - other.received;
        let dropped = press.dropped();
        let ratios = || pairs.iter().map(|[all, few]| *few as f64 / *all as f64);
        let ratio = median(ratios());
        let micros =
            |pace: Pace| format!("{:.1}", median(pairs.iter().map(|pair| pair[pace as usize])) as f64 / 1e3);
        report::write(
            "slow_subscriber",
            &[
                ("pairs of rounds", PAIRS.to_string()),
                ("publications of 32 KiB in each round", (BATCHES * BATCH).to_string()),
                ("µs for 99 of 100 publications, beside two quick ones", micros(Pace::All)),
                ("the same, beside a quick one and the slow one", micros(Pace::Few)),
                (
                    "the second of the first, of 1.1 at most; in each pair from and to",
                    format!(
                        "{ratio:.2}; {:.2} to {:.2}",
                        ratios().fold(f64::INFINITY, f64::min),
                        ratios().fold(0.0, f64::max),
                    ),
                ),
                ("verdict", if ratio <= MOST { "kept" } else { "missed" }.to_owned()),
                ("lost by the slow one, and counted", format!("{lost}, {dropped}")),
                (
                    "MiB that waited for it at most, of 32 and what is on its way",
                    format!("{:.1}", waited as f64 / f64::from(1 << 20)),
                ),
            ],
        );
        assert_eq!(lost, dropped);
        assert!(waited < QUEUE_BYTES + QUEUE_BYTES / 4, "{waited} bytes waited for the slow one");
        assert!(ratio <= MOST, "{ratio} times as long");
    });
}
