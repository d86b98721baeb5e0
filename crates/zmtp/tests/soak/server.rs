//! A ROUTER that answers whoever asks, and one good peer that never stops to ask.

use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use service_framework_zmtp::socket::{Listener, Options, Receiver, Redial, Socket};
use service_framework_zmtp::{Message, SocketType};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::timeout;

/// How long anything may take. Nothing is as slow as that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// One at a time in this process, as they count what is the process's.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs something on this thread alone, in a runtime that counts its tasks, and in this process while nothing else of the kind is.
#[track_caller]
pub(crate) fn run_alone(limit: Duration, test: impl Future<Output = ()>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = block_on(async { timeout(limit, test).await });
    assert!(done.is_ok(), "it is not done after {limit:?}");
}

/// Runs something on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    runtime.expect("a runtime").block_on(work)
}

/// A ROUTER that answers whoever asks.
pub(crate) struct Server {
    pub(crate) socket: Rc<Socket>,
    pub(crate) address: SocketAddr,
    /// It is held by whoever wants to be called.
    _echo: Rc<dyn Receiver>,
}

struct Echo(Rc<Socket>);

impl Receiver for Echo {
    fn receive(&self, message: Message) {
        // Who does not wait for the answer is gone already.
        _ = self.0.send(message);
    }
}

impl Server {
    /// One that takes so many peers.
    pub(crate) async fn start(peers: usize) -> Self {
        let mut options = Options::new(SocketType::Router);
        options.connections = peers + 100;
        let socket = Rc::new(Socket::new(options));
        let echo: Rc<dyn Receiver> = Rc::new(Echo(Rc::clone(&socket)));
        socket.deliver_to(Rc::downgrade(&echo));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        socket.listen(Listener::Tcp(listener));
        Self { socket, address, _echo: echo }
    }

    /// Waits until it is so, which may change with each thing that happens to a peer.
    pub(crate) async fn until(&self, is_so: impl Fn() -> bool) {
        while !is_so() {
            poll_fn(|context| self.socket.poll_event(context)).await;
        }
    }
}

/// A peer on a thread of its own, which asks again as soon as it was answered.
pub(crate) struct GoodPeer {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Served>,
}

/// How it was served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) answers: u64,
    /// The longest time that it waited for an answer.
    pub(crate) longest: Duration,
}

impl GoodPeer {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || block_on(ask(address, &over)));
        Self { is_over, thread }
    }

    /// Stops it, and says how it was served. The thread that serves it must go on meanwhile.
    pub(crate) async fn stop(self) -> Served {
        self.is_over.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await.expect("it waits");
        joined.expect("each question was answered")
    }
}

async fn ask(address: SocketAddr, is_over: &AtomicBool) -> Served {
    let socket = Socket::new(Options::new(SocketType::Dealer));
    let met = socket.dial(address.into(), Redial::default()).met();
    timeout(PATIENCE, met).await.expect("in time").expect("a peer");
    let mut served = Served::default();
    while !is_over.load(Ordering::Relaxed) {
        let question = Message::from([served.answers.to_be_bytes().to_vec()]);
        let begun = Instant::now();
        socket.send(question.clone()).map_err(|unsent| unsent.why).expect("it is taken");
        let answer = timeout(PATIENCE, socket.recv()).await.expect("an answer");
        assert_eq!(answer, question);
        served = Served { answers: served.answers + 1, longest: served.longest.max(begun.elapsed()) };
    }
    assert_eq!(socket.counts().disconnected.total(), 0, "it was never put out");
    socket.close().await;
    served
}
