//! What the tests share: owners, copies that are watched, and a way between them that loses what it is told to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{
    Engine, EngineOptions, Publisher, Replyer, Requester, Subscriber, engine_by_name, publisher, requester,
};
use service_framework_core::address::Address;
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Value, value};
use service_framework_states::delta::reader::{Settings, Status};
use service_framework_states::news::{self, Figures, News, Standing};
use service_framework_states::{DeltaOwner, DeltaUpdateIn, DeltaUpdateOut, OwnerOptions, ReaderOptions};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Generous: a test that comes near it has failed.
const DEADLINE: Duration = Duration::from_secs(300);
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// Runs a test as a service would: on a current-thread runtime, inside a local set, with a deadline.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    on_runtime(Builder::new_current_thread().enable_all(), test)
}

/// The same on another runtime.
pub(crate) fn on_runtime<T>(runtime: &mut Builder, test: impl Future<Output = T>) -> T {
    let runtime = runtime.build().unwrap();
    let test = async { tokio::time::timeout(DEADLINE, test).await.expect("the test takes too long") };
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

pub(crate) fn engine() -> Rc<dyn Engine> {
    engine_by_name("zmtp", EngineOptions::default()).unwrap()
}

pub(crate) fn any_port() -> Address {
    "127.0.0.1:0".parse().unwrap()
}

/// A place that is the same whoever listens there, one after the other, and that nobody else takes in between.
pub(crate) struct Place {
    pub(crate) address: Address,
    /// Holds the port: it listens to nobody, and leaves room for one who does.
    _port: TcpSocket,
}

impl Place {
    pub(crate) fn new() -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self { address: port.local_addr().unwrap().to_string().parse().unwrap(), _port: port }
    }
}

pub(crate) async fn publisher(at: &Address) -> Publisher {
    Publisher::bind(&engine(), "updates", at, publisher::Options::default()).await.unwrap()
}

pub(crate) async fn replyer(at: &Address) -> Replyer {
    Replyer::bind(&engine(), "snapshots", at).await.unwrap()
}

pub(crate) fn subscriber(to: &Address) -> Subscriber {
    Subscriber::connect(&engine(), "updates", to, Bytes::new()).unwrap()
}

pub(crate) fn requester(to: &Address) -> Requester {
    let breaker = requester::BreakerOptions { failures: 0, ..Default::default() };
    let options = requester::Options { breaker, ..Default::default() };
    Requester::connect(&engine(), "snapshots", to, options).unwrap()
}

/// Where an owner lives.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) updates: Address,
    pub(crate) snapshots: Address,
}

/// An owner on sockets.
pub(crate) struct Owned {
    pub(crate) state: DeltaUpdateOut,
    pub(crate) home: Home,
}

impl Owned {
    pub(crate) async fn start(heartbeat: Option<Duration>) -> Self {
        Self::start_at(&Home { updates: any_port(), snapshots: any_port() }, heartbeat).await
    }

    pub(crate) async fn start_at(home: &Home, heartbeat: Option<Duration>) -> Self {
        let options = OwnerOptions { name: "book".into(), heartbeat, ..Default::default() };
        Self::with(home, options).await
    }

    pub(crate) async fn with(home: &Home, options: OwnerOptions) -> Self {
        let (publisher, replyer) = (publisher(&home.updates).await, replyer(&home.snapshots).await);
        Self::on(publisher, replyer, options)
    }

    /// One that publishes and answers by these.
    pub(crate) fn on(publisher: Publisher, replyer: Replyer, options: OwnerOptions) -> Self {
        let home = Home { updates: publisher.address().clone(), snapshots: replyer.address().clone() };
        let owner = Arc::new(DeltaOwner::new(options));
        Self { state: DeltaUpdateOut::open(owner, Rc::new(publisher), Rc::new(replyer)), home }
    }

    pub(crate) fn change(&self, change: Value) {
        self.publish(change, false);
    }

    pub(crate) fn set(&self, state: Value) {
        self.publish(state, true);
    }

    /// Publishes a change by the owner's own number.
    pub(crate) fn by_hand(&self, number: i64, change: Value) -> Result<(), Failure> {
        let args = value!({"state": change, "is_snapshot": false, "current_num": number});
        let args = wire::encode(&args, Encoding::MessagePack).unwrap();
        self.state.owner().publish(&args, &WorkflowId::new())?;
        self.state.flush();
        Ok(())
    }

    pub(crate) fn try_change(&self, change: Value) -> Result<(), Failure> {
        self.try_publish(change, false)
    }

    fn publish(&self, state: Value, is_snapshot: bool) {
        self.try_publish(state, is_snapshot).unwrap();
    }

    fn try_publish(&self, state: Value, is_snapshot: bool) -> Result<(), Failure> {
        let args = value!({"state": state, "is_snapshot": is_snapshot});
        let args = wire::encode(&args, Encoding::MessagePack).unwrap();
        self.state.owner().publish(&args, &WorkflowId::new())?;
        self.state.flush();
        Ok(())
    }

    pub(crate) fn number(&self) -> i64 {
        self.state.owner().number()
    }

    pub(crate) fn value(&self) -> Entries {
        self.state.owner().snapshot().copy.iter().map(|(key, value)| (key.into(), value.into())).collect()
    }

    pub(crate) async fn close(self) {
        self.state.close(LINGER).await;
    }
}

/// A state, as the bytes of its entries.
pub(crate) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// A copy on sockets, and what it was told.
pub(crate) struct Copied {
    pub(crate) state: DeltaUpdateIn,
    pub(crate) seen: Rc<Seen>,
}

/// What a copy was told.
#[derive(Default)]
pub(crate) struct Seen {
    entries: RefCell<Entries>,
    statuses: RefCell<Vec<Status>>,
    number: Cell<Option<i64>>,
    changed: Notify,
    /// Says of each value what is wrong with it.
    judge: RefCell<Option<Judge>>,
}

type Judge = Box<dyn Fn(&Entries) -> Result<(), Failure>>;

impl Seen {
    fn take(&self, news: &News<'_>) -> Result<(), Failure> {
        match *news {
            News::Status(Standing { status, .. }) => self.statuses.borrow_mut().push(status),
            News::Value { value, number, .. } => {
                let mut entries = self.entries.borrow().clone();
                match value {
                    news::Value::Whole(copy) => {
                        entries = copy.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
                    }
                    news::Value::Change(change) => change.iter().for_each(|(key, value)| match value {
                        Some(value) => _ = entries.insert(key.to_vec(), value.to_vec()),
                        None => _ = entries.remove(key),
                    }),
                    news::Value::Full(_) => panic!("a delta state is not a full one"),
                }
                if let Some(judge) = &*self.judge.borrow() {
                    judge(&entries)?;
                }
                self.entries.replace(entries);
                self.number.set(number);
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    pub(crate) fn status(&self) -> Status {
        self.statuses.borrow().last().copied().unwrap_or(Status::Syncing)
    }

    pub(crate) fn value(&self) -> Entries {
        self.entries.borrow().clone()
    }

    pub(crate) fn number(&self) -> Option<i64> {
        self.number.get()
    }
}

impl Copied {
    pub(crate) fn of(home: &Home) -> Self {
        Self::with(home, protocol())
    }

    pub(crate) fn with(home: &Home, protocol: Settings) -> Self {
        Self::judging(home, protocol, |_| Ok(()))
    }

    /// A copy for a service that refuses some values.
    pub(crate) fn judging(
        home: &Home,
        protocol: Settings,
        judge: impl Fn(&Entries) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self::on(subscriber(&home.updates), requester(&home.snapshots), protocol, judge)
    }

    /// One that hears and asks by these.
    pub(crate) fn on(
        subscriber: Subscriber,
        requester: Requester,
        protocol: Settings,
        judge: impl Fn(&Entries) -> Result<(), Failure> + 'static,
    ) -> Self {
        let seen = Rc::new(Seen::default());
        seen.judge.replace(Some(Box::new(judge)));
        let told = Rc::clone(&seen);
        let options = ReaderOptions {
            topic: None,
            limits: Limits::default(),
            reply_limits: Limits::default(),
            deadline: DEADLINE,
            max_workflow_id_bytes: 1_024,
            protocol,
        };
        let take = Box::new(move |news: &News<'_>| told.take(news));
        Self { state: DeltaUpdateIn::open(Rc::new(subscriber), requester, options, take), seen }
    }

    pub(crate) fn figures(&self) -> Figures {
        self.state.figures().lock().clone()
    }

    /// Waits until what it was told has led to something.
    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool) {
        while !condition(self) {
            self.seen.changed.notified().await;
        }
    }

    pub(crate) async fn is(&self, status: Status) {
        self.until(|copied| copied.seen.status() == status).await;
    }

    /// Waits until it is live at the owner's number, and checks that it is right.
    pub(crate) async fn catches_up_with(&self, owned: &Owned) {
        self.until(|copied| {
            copied.seen.status() == Status::Live && copied.seen.number() == Some(owned.number())
        })
        .await;
        assert_eq!(self.seen.value(), owned.value());
    }
}

/// How copies behave here: pauses are short, since nobody is to wait for them.
pub(crate) fn protocol() -> Settings {
    Settings {
        first_pause: Duration::from_millis(5),
        max_pause: Duration::from_millis(50),
        ..Settings::default()
    }
}

/// A way for updates that loses those for which `is_lost` says so, by their position.
pub(crate) struct Way {
    pub(crate) home: Home,
    pub(crate) lost: Rc<Cell<u64>>,
    _task: Ends,
}

struct Ends(JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Way {
    pub(crate) async fn from(owned: &Owned, is_lost: impl Fn(u64) -> bool + 'static) -> Self {
        let (from, to) = (subscriber(&owned.home.updates), publisher(&any_port()).await);
        let home = Home { updates: to.address().clone(), snapshots: owned.home.snapshots.clone() };
        let lost = Rc::new(Cell::new(0));
        let counted = Rc::clone(&lost);
        let task = tokio::task::spawn_local(async move {
            for position in 0.. {
                let frame = from.recv().await;
                if is_lost(position) {
                    counted.set(counted.get() + 1);
                } else {
                    to.publish(frame);
                }
            }
        });
        Self { home, lost, _task: Ends(task) }
    }
}

/// So many entries of about so many bytes each.
pub(crate) fn entries(count: usize, bytes: usize) -> Value {
    Value::Map((0..count).map(|number| (format!("key {number:08}"), "x".repeat(bytes))).collect::<Map>())
}
