//! What is measured: the rows of the page.

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Short, for `--case` and progress.
    pub(crate) name: &'static str,
    /// Long, for the page.
    pub(crate) title: &'static str,
    /// What the processes do.
    pub(crate) work: Work,
    /// Where they run.
    pub(crate) cores: Cores,
}

/// What the processes of a case do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// One process asks another over so many connections, with so many calls in flight on each.
    Request { connections: u32, calls: u32 },
    /// One process publishes to so many subscribers, each a process of its own.
    Publish { subscribers: u32 },
    /// A replyer that nobody asks.
    Idle,
}

/// Where the processes of a case run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// All on one: a client with one connection, on two, measures the scheduler.
    One,
    /// Free on two, so that machines with more compare.
    Two,
}

/// Every case, in the order of the page.
pub(crate) const CASES: [Case; 6] = [
    Case {
        name: "request-1",
        title: "Request/reply 64 B, 1 client, both processes on one core",
        work: Work::Request { connections: 1, calls: 1 },
        cores: Cores::One,
    },
    Case {
        name: "request-16",
        title: "Request/reply 64 B, 16 clients (16 connections from one process)",
        work: Work::Request { connections: 16, calls: 1 },
        cores: Cores::Two,
    },
    Case {
        name: "calls-16",
        title: "Request/reply 64 B, 16 calls over one connection, both processes on one core",
        work: Work::Request { connections: 1, calls: 16 },
        // Calls over one connection travel together, which is lock step again: on two cores raw TCP
        // runs at one speed or at four times that, as the scheduler pleases.
        cores: Cores::One,
    },
    Case {
        name: "publish-1",
        title: "Publish/subscribe 64 B, 1 subscriber",
        work: Work::Publish { subscribers: 1 },
        cores: Cores::Two,
    },
    Case {
        name: "publish-4",
        title: "Publish/subscribe 64 B, 4 subscribers",
        work: Work::Publish { subscribers: 4 },
        cores: Cores::Two,
    },
    Case { name: "idle", title: "Idle service", work: Work::Idle, cores: Cores::Two },
];

/// How far ahead of a peer the framework should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    /// The case.
    pub(crate) case: &'static str,
    /// The peer.
    pub(crate) peer: &'static str,
    /// The least ratio, ours over the peer's.
    pub(crate) ratio_min: f64,
}

/// What the framework should reach.
pub(crate) const TARGETS: [Target; 4] = [
    Target { case: "request-1", peer: names::PYTHON, ratio_min: 4.0 },
    Target { case: "request-16", peer: names::TCP, ratio_min: 0.6 },
    Target { case: "request-16", peer: names::LIBZMQ_MESSAGEPACK, ratio_min: 2.5 },
    Target { case: "request-16", peer: names::PYTHON, ratio_min: 4.0 },
];

/// The most CPU that an idle service may use, in percent of one core. Below it, the clock of the kernel
/// and the start of the process are all there is to see.
pub(crate) const IDLE_CPU_MAX_PERCENT: f64 = 0.05;

/// The most memory that an idle service may keep resident, in MB of 1,000,000 bytes.
pub(crate) const IDLE_RESIDENT_MAX_MB: f64 = 10.0;

/// Where raw TCP over raw libzmq at 16 clients has to be, for a run to be like the ones the targets
/// were set by.
pub(crate) const USUAL_TCP_OVER_LIBZMQ: std::ops::RangeInclusive<f64> = 2.5..=5.0;

/// What the contenders are called.
pub(crate) mod names {
    /// Ours.
    pub(crate) const FRAMEWORK: &str = "service_framework";
    /// The floor: nothing but sockets.
    pub(crate) const TCP: &str = "raw tokio TCP";
    /// The original transport, alone.
    pub(crate) const LIBZMQ: &str = "raw libzmq";
    /// The original transport, with what a framework does.
    pub(crate) const LIBZMQ_MESSAGEPACK: &str = "libzmq + MessagePack";
    /// The original.
    pub(crate) const PYTHON: &str = "Python 0.0.20";
}
