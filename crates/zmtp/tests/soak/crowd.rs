//! The others: a process of its own, since each of them takes a descriptor at both ends.

use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use service_framework_zmtp::socket::{Options, Socket, Stream};
use service_framework_zmtp::{Message, SocketType};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::measure::{allow_descriptors, tasks};
use crate::server::{Server, block_on};

/// How many come and go in a second.
pub(crate) const PER_SECOND: usize = 1_000;

/// Tells the process what to do.
const VARIABLE: &str = "SERVICE_FRAMEWORK_CROWD";

/// What a crowd does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crowd {
    /// So many come and go, [so many a second](PER_SECOND).
    Churn { count: usize },
    /// So many come, and do nothing until all of them go.
    Idle { count: usize },
}

/// A process that is a crowd.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
}

/// This test program is started once more, to be the crowd; alone, this does nothing.
#[test]
#[ignore = "it is a part of the others"]
fn as_told() {
    let Ok(told) = std::env::var(VARIABLE) else { return };
    let [what, address, count] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("it is told {told}") };
    let (address, count) = (address.parse().expect("an address"), count.parse().expect("a number"));
    match what {
        "churn" => block_on(churn(address, count)),
        _ => block_on(idle(address, count)),
    }
}

impl Crowd {
    /// Sends them to who listens there.
    pub(crate) fn start(self, address: SocketAddr) -> Running {
        let told = match self {
            Self::Churn { count } => format!("churn {address} {count}"),
            Self::Idle { count } => format!("idle {address} {count}"),
        };
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["crowd::as_told", "--exact", "--ignored", "--nocapture"]);
        command.env(VARIABLE, told);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        let stdin = child.stdin.take();
        Running { child, stdin }
    }
}

impl Running {
    /// Lets those who are idle go, and waits until all are gone.
    pub(crate) async fn end(mut self) {
        drop(self.stdin.take());
        let ended = tokio::task::spawn_blocking(move || self.child.wait()).await.expect("it waits");
        assert!(ended.as_ref().is_ok_and(ExitStatus::success), "{ended:?}; what is wrong stands above");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Lets so many strangers come, and waits until the server has seen to all of them.
pub(crate) async fn come_and_go(server: &Server, count: usize) {
    let before = tasks();
    // Nobody asks what happens meanwhile, so that as much of it is kept as ever is.
    Crowd::Churn { count }.start(server.address).end().await;
    server.until(|| tasks() == before).await;
}

/// How many of those who come and go may be there at a time.
const AT_A_TIME: usize = 500;

async fn churn(address: SocketAddr, count: usize) {
    allow_descriptors(AT_A_TIME + 100);
    let begun = Instant::now();
    let mut strangers = JoinSet::new();
    for number in 0..count {
        let due = begun + Duration::from_secs_f64(number as f64 / PER_SECOND as f64);
        sleep_until(due.into()).await;
        while strangers.len() >= AT_A_TIME {
            strangers.join_next().await.expect("there are some").expect("it was served");
        }
        strangers.spawn_local(stranger(address, number));
        while let Some(done) = strangers.try_join_next() {
            done.expect("it was served");
        }
    }
    while let Some(done) = strangers.join_next().await {
        done.expect("it was served");
    }
}

/// Each in its own way: one in four asks and is answered, one leaves after the handshake, one within it, and one breaks the connection at once.
async fn stranger(address: SocketAddr, number: usize) {
    let mut stream = connect(address, number).await;
    match number % 4 {
        way @ (0 | 1) => {
            let socket = Socket::new(Options::new(SocketType::Dealer));
            socket.connect(Stream::Tcp(stream)).await.expect("a peer");
            if way == 0 {
                socket.send(Message::from(["hello"])).map_err(|unsent| unsent.why).expect("it is taken");
                assert_eq!(socket.recv().await, Message::from(["hello"]));
            }
        }
        2 => stream.write_all(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03").await.expect("it is taken"),
        _ => stream.set_zero_linger().expect("it may be broken"),
    }
}

/// A connection from one of many addresses of this machine, as one of them alone has too few ports for those who have just gone.
async fn connect(address: SocketAddr, number: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("it may be used again");
    let host = 2 + u8::try_from(number % 200).expect("it is small");
    socket.bind(([127, 0, 0, host], 0).into()).expect("an address of this machine");
    socket.connect(address).await.expect("a listener")
}

async fn idle(address: SocketAddr, count: usize) {
    allow_descriptors(count + 100);
    let socket = Socket::new(Options::new(SocketType::Dealer));
    for _ in 0..count {
        let stream = TcpStream::connect(address).await.expect("a listener");
        socket.connect(Stream::Tcp(stream)).await.expect("a peer");
    }
    // They do nothing at all, until whoever has sent them has no more use for them.
    _ = std::io::stdin().read_to_end(&mut Vec::new());
}
