//! Strangers that come and go in numbers, while one good peer is served.

use std::time::{Duration, Instant};

use crate::crowd::{PER_SECOND, come_and_go};
use crate::measure::Held;
use crate::report::{grouped, write};
use crate::server::{GoodPeer, PATIENCE, Served, Server, run_alone};

/// What the runtime frees not at once but in groups.
const SLACK: isize = 32 << 10;

#[test]
fn a_second_of_strangers_leaves_nothing_behind() {
    churn(1);
}

#[test]
#[ignore = "it takes a minute: `cargo xtask soak churn`"]
fn a_minute_of_strangers_leaves_nothing_behind() {
    churn(60);
}

fn churn(seconds: usize) {
    // A machine that is slow takes longer for as many.
    run_alone(PATIENCE + Duration::from_secs(10) * seconds as u32, async {
        let server = Server::start(PER_SECOND).await;
        let good = GoodPeer::start(server.address);
        server.until(|| server.socket.peers() == 1).await;
        // What grows once, and is used again, grows now.
        come_and_go(&server, PER_SECOND / 2).await;
        let (before, begun) = (Held::now(), Instant::now());
        let counts = server.socket.counts();

        come_and_go(&server, seconds * PER_SECOND).await;
        let (after, took) = (Held::now(), begun.elapsed());

        assert_eq!((server.socket.peers(), server.socket.peer_counts().len()), (1, 1), "the good one alone");
        assert_eq!((after.descriptors, after.tasks), (before.descriptors, before.tasks));
        assert!(after.bytes - before.bytes <= SLACK, "{before:?}, {after:?}");
        let now = server.socket.counts();
        let (met, missed) = (
            now.connected - counts.connected,
            now.handshakes_failed.total() - counts.handshakes_failed.total(),
        );
        assert_eq!(met, (seconds * PER_SECOND / 2) as u64, "half of them do the handshake");
        assert!(missed > 0, "others do not");
        assert_eq!(now.accept_errors, 0);
        let Served { answers, longest } = serve(&server, good).await;
        assert!(answers > 0);
        write(
            "churn",
            &[
                ("strangers", grouped(seconds * PER_SECOND)),
                ("seconds, 60 being aimed at", format!("{:.1}", took.as_secs_f64())),
                ("met", grouped(met)),
                ("left before they were met, and seen to", grouped(missed)),
                ("descriptors before and after", format!("{} and {}", before.descriptors, after.descriptors)),
                ("tasks before and after", format!("{} and {}", before.tasks, after.tasks)),
                (
                    "bytes allocated before and after",
                    format!("{} and {}", grouped(before.bytes), grouped(after.bytes)),
                ),
                (
                    "resident KiB before and after",
                    format!(
                        "{} and {}",
                        grouped(before.resident_bytes >> 10),
                        grouped(after.resident_bytes >> 10)
                    ),
                ),
                ("answers to the good peer", grouped(answers)),
                ("its longest wait", format!("{:.0} ms", longest.as_secs_f64() * 1e3)),
            ],
        );
    });
}

/// Stops the good peer, and says how it was served.
async fn serve(server: &Server, good: GoodPeer) -> Served {
    let served = good.stop().await;
    server.until(|| server.socket.peers() == 0).await;
    served
}
