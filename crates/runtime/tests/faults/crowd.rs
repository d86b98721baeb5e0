//! A service that thousands connect to: what each of them takes, and what is left when they have gone.
#![cfg(target_os = "linux")]

use std::rc::Rc;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Socket, Stream};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::held::{Held, returns_to};
use crate::remote::{self, Remote};
use crate::report;
use crate::support::{Answer, Client, request, run, until_async};

/// Answers whoever comes.
struct Desk;

#[service]
impl Desk {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    #[replyer]
    fn held(&self) -> Result<Held> {
        Ok(Held::now())
    }
}

service_framework::link!(Desk);

/// The most that an idle client may take, in bytes.
const PER_CLIENT: u64 = 40 << 10;

/// The room in tables that stays for each client that has gone, for the next one; and what other things grow by once.
const KEPT: (u64, u64) = (384, 64 << 10);

pub(crate) fn be_the_desk() {
    remote::be::<Desk>(|_| {
        value!({"in": {
            "echo": {"replyer": {"address": "127.0.0.1:0", "max_peers": 20_000}},
            "held": {"replyer": "127.0.0.1:0"},
        }})
    });
}

pub(crate) async fn held(desk: &Remote) -> Held {
    Client::to(&desk.address("held")).ask(value!({})).await.model()
}

/// Lets this process, and those that it starts, have as many descriptors as the system allows.
#[expect(unsafe_code, reason = "the limit of descriptors is set by the system's own call")]
pub(crate) fn allow_descriptors(count: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is written to a place of ours, and read from there.
    let is_set = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0
        }
    };
    assert!(
        is_set && limit.rlim_max > count,
        "it takes {count} descriptors: raise the limit by `ulimit -Hn`"
    );
}

/// A connection from one of many addresses of this machine, as one of them alone has too few ports for those who have just gone.
pub(crate) async fn connect(to: &Address, number: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(([127, 0, 0, 2 + (number % 200) as u8], 0).into()).unwrap();
    socket.connect(to.to_string().parse().unwrap()).await.unwrap()
}

/// One of four asks and is answered, one leaves after the handshake, one within it, and one breaks the connection at once.
async fn come_and_go(to: Address, number: usize) {
    let mut stream = connect(&to, number).await;
    match number % 4 {
        way @ (0 | 1) => {
            let socket = Socket::new(Options::new(SocketType::Dealer));
            socket.connect(Stream::Tcp(stream)).await.unwrap();
            if way == 0 {
                let payload = request(&value!({"number": (number as i64)}));
                socket.send([b"1".to_vec(), Vec::new(), payload].into()).unwrap();
                let reply = socket.recv().await;
                assert_eq!(Answer::read(&reply[2]).ok(), value!({"number": (number as i64)}));
            }
        }
        2 => stream.write_all(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03").await.unwrap(),
        _ => stream.set_zero_linger().unwrap(),
    }
}

/// Lets a thousand come and go in a second or, on a slow machine, longer, while one who means well is served.
fn churn_for_a_second(desk: &Remote) {
    run(async {
        let at = desk.address("echo");
        let client = Rc::new(Client::to(&at));
        let good = Rc::clone(&client);
        let serving = tokio::task::spawn_local(async move {
            loop {
                good.ask(value!({})).await.ok();
            }
        });
        let (begun, mut strangers) = (Instant::now(), JoinSet::new());
        for number in 0..1_000_u32 {
            tokio::time::sleep_until((begun + Duration::from_millis(number.into())).into()).await;
            while strangers.len() >= 300 {
                strangers.join_next().await.unwrap().unwrap();
            }
            strangers.spawn_local(come_and_go(at.clone(), number as usize));
        }
        while let Some(done) = strangers.join_next().await {
            done.unwrap();
        }
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled(), "all was answered");
        client.close().await;
    });
}

fn churn(test: &str, seconds: usize) {
    be_the_desk();
    allow_descriptors(1_000);
    let desk = Remote::start(test);
    churn_for_a_second(&desk);
    let before = run(held(&desk));
    (0..seconds).for_each(|_| churn_for_a_second(&desk));
    run(returns_to(before, KEPT.1, async || held(&desk).await));
    let after = run(held(&desk));
    report::write(
        "service_churn",
        &[
            ("connections", (1_000 * seconds).to_string()),
            (
                "KiB allocated before and after",
                format!("{}, {}", before.allocated >> 10, after.allocated >> 10),
            ),
            ("KiB resident then", format!("{}, {}", before.resident >> 10, after.resident >> 10)),
            ("descriptors then", format!("{}, {}", before.descriptors, after.descriptors)),
            ("tasks then", format!("{}, {}", before.tasks, after.tasks)),
        ],
    );
}

fn idle(test: &str, count: u64) {
    be_the_desk();
    allow_descriptors(count + 100);
    let desk = Remote::start(test);
    // What grows once, and is used again, grows now.
    churn_for_a_second(&desk);
    run(async {
        let now = async || held(&desk).await;
        let at = desk.address("echo");
        let before = now().await;
        let mut waves = Vec::new();
        for _ in 0..2 {
            let crowd = Socket::new(Options::new(SocketType::Dealer));
            for number in 0..count {
                crowd.connect(Stream::Tcp(connect(&at, number as usize).await)).await.unwrap();
            }
            let good = Client::to(&at);
            assert_eq!(
                good.ask(value!({"among": (count as i64)})).await.ok(),
                value!({"among": (count as i64)})
            );
            good.close().await;
            until_async(|| desk.counters("echo")["more_peers"] == count - 16).await;
            waves.push(now().await);
            drop(crowd);
            returns_to(before, count * KEPT.0 + KEPT.1, now).await;
            waves.push(now().await);
        }
        let [with, without, with_again, without_again] = waves[..] else { unreachable!("two waves") };
        let allocated = with.allocated.saturating_sub(before.allocated);
        let resident = with.resident.saturating_sub(before.resident);
        assert!(allocated <= count * PER_CLIENT, "{allocated} bytes of {count}");
        assert!(resident <= count * PER_CLIENT, "{resident} bytes of {count}");
        // Those who come later find the room of those who have gone.
        assert!(with_again.allocated <= with.allocated + count * 64 + KEPT.1, "{waves:?}");
        assert!(without_again.allocated <= without.allocated + KEPT.1, "{waves:?}");
        let held = [before, with, without, with_again, without_again];
        let each = |of: fn(&Held) -> u64| {
            held.iter().map(|held| of(held).to_string()).collect::<Vec<_>>().join(", ")
        };
        report::write(
            "service_idle",
            &[
                ("clients of one replyer", count.to_string()),
                ("resident bytes per client, of 40 KiB", (resident / count).to_string()),
                ("allocated bytes per client", (allocated / count).to_string()),
                (
                    "KiB allocated before, with them, without; with as many again, without",
                    each(|held| held.allocated >> 10),
                ),
                ("KiB resident then", each(|held| held.resident >> 10)),
                ("descriptors then", each(|held| held.descriptors)),
                ("tasks then", each(|held| held.tasks)),
            ],
        );
    });
}

#[test]
fn two_hundred_idle_clients_take_little_and_give_it_back() {
    idle("crowd::two_hundred_idle_clients_take_little_and_give_it_back", 200);
}

#[test]
#[ignore = "takes a while"]
fn ten_thousand_idle_clients_take_little_and_give_it_back() {
    idle("crowd::ten_thousand_idle_clients_take_little_and_give_it_back", 10_000);
}

#[test]
fn a_thousand_who_come_and_go_leave_nothing_behind() {
    churn("crowd::a_thousand_who_come_and_go_leave_nothing_behind", 1);
}

#[test]
#[ignore = "takes a minute"]
fn a_minute_of_those_who_come_and_go_leaves_nothing_behind() {
    churn("crowd::a_minute_of_those_who_come_and_go_leaves_nothing_behind", 60);
}
