//! Peers that are there and do nothing.

use crate::crowd::{Crowd, come_and_go};
use crate::measure::{Held, allow_descriptors, tasks};
use crate::report::{grouped, write};
use crate::server::{GoodPeer, PATIENCE, Server, run_alone};

/// The most that an idle peer may take, in bytes.
const PER_PEER: isize = 40 << 10;

/// The room in tables that stays for each peer that is gone, for the next one; and what other things grow by once.
const KEPT: (isize, isize) = (256, 64 << 10);

/// How many come and go before anything is looked at, at the same time if the machine is slow.
const WARM: usize = 500;

/// What is allocated here and freed by another thread, which does not count for this one.
const SLACK: isize = 32 << 10;

#[test]
fn two_hundred_idle_peers_take_little_and_give_it_back() {
    idle(200);
}

#[test]
#[ignore = "it takes a while: `cargo xtask soak idle`"]
fn ten_thousand_idle_peers_take_little_and_give_it_back() {
    idle(10_000);
}

fn idle(count: usize) {
    allow_descriptors(count + 100);
    run_alone(PATIENCE * (1 + count as u32 / 1_000), async {
        let server = Server::start(count + WARM).await;
        // What grows once, and is used again, grows now.
        come_and_go(&server, WARM).await;
        let mut held = vec![Held::now()];
        for _ in 0..3 {
            held.push(wave(&server, count).await);
            held.push(Held::now());
        }
        assert_eq!((server.socket.peers(), server.socket.peer_counts().len()), (0, 0));
        let [before, with, without, _, without_again, with_more, without_more] = held[..] else {
            unreachable!("three waves")
        };

        let peers = count as isize;
        assert!(with.bytes - before.bytes <= peers * PER_PEER, "{held:?}");
        assert!(with.resident_bytes - before.resident_bytes <= peers * PER_PEER, "{held:?}");
        for without in [without, without_again, without_more] {
            assert_eq!((without.descriptors, without.tasks), (before.descriptors, before.tasks), "{held:?}");
            assert!(without.bytes - before.bytes <= peers * KEPT.0 + KEPT.1, "{held:?}");
        }
        // Those who come later find the room of those who have gone, and leave it as it was.
        assert!(with_more.bytes - with.bytes <= KEPT.1 + SLACK, "{held:?}");
        assert!(without_more.bytes - without_again.bytes <= SLACK, "{held:?}");
        tell(count, &held);
    });
}

fn tell(count: usize, held: &[Held]) {
    let per_peer = |of: fn(&Held) -> isize| {
        format!("{:.1} KiB", (of(&held[1]) - of(&held[0])) as f64 / 1024.0 / count as f64)
    };
    let each = |show: &dyn Fn(&Held) -> String| held.iter().map(show).collect::<Vec<_>>().join(", ");
    let mib = |bytes: isize| format!("{:.1}", bytes as f64 / 1024.0 / 1024.0);
    write(
        "idle",
        &[
            ("peers of one socket", grouped(count)),
            ("resident memory per peer, of 40 KiB", per_peer(|held| held.resident_bytes)),
            ("allocated per peer", per_peer(|held| held.bytes)),
            (
                "MiB allocated before, with them, without; with and without as many again, twice",
                each(&|held| mib(held.bytes)),
            ),
            ("MiB resident then", each(&|held| mib(held.resident_bytes))),
            ("descriptors then", each(&|held| grouped(held.descriptors))),
            ("tasks then", each(&|held| grouped(held.tasks))),
        ],
    );
}

/// Lets so many peers come, looks what is held while they are there and a good one is served, and lets them go.
async fn wave(server: &Server, count: usize) -> Held {
    let before = tasks();
    let crowd = Crowd::Idle { count }.start(server.address);
    server.until(|| server.socket.peers() == count).await;
    let held = Held::now();
    let answered = server.socket.counts().sent;
    let good = GoodPeer::start(server.address);
    server.until(|| server.socket.peers() == count + 1).await;
    while server.socket.counts().sent == answered {
        tokio::task::yield_now().await;
    }
    good.stop().await;
    server.until(|| server.socket.peers() == count).await;
    crowd.end().await;
    server.until(|| tasks() == before).await;
    held
}
