//! What is measured: the rows of the page.

use self::names::{
    ENGINE, FRAMEWORK, LIBZMQ, LIBZMQ_MESSAGEPACK, NATS, OMQ, PYTHON, REDIS, TARPC, TCP, TONIC, ZEROMQ,
};

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
    /// Who takes part, by name.
    pub(crate) contenders: &'static [&'static str],
    /// Where its figures are shown.
    pub(crate) shown: Shown,
}

/// Where the figures of a case are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In the tables, and perhaps as the first point of a picture.
    InTables,
    /// As a point of a picture alone.
    InPictures,
    /// In the section of states.
    AmongStates,
}

impl Case {
    /// A point of a picture.
    const fn point(name: &'static str, title: &'static str, connections: u32, bytes: u32) -> Self {
        Self {
            name,
            title,
            work: Work::Request { connections, calls: 1, bytes },
            cores: Cores::One,
            contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ],
            shown: Shown::InPictures,
        }
    }

    /// What states do.
    const fn of_states(name: &'static str, title: &'static str, work: Work) -> Self {
        let cores = if matches!(work, Work::Join { .. }) { Cores::Apart } else { Cores::Two };
        Self { name, title, work, cores, contenders: &[FRAMEWORK, REDIS, NATS], shown: Shown::AmongStates }
    }

    /// The same with so many keys in its state, if it is about one.
    pub(crate) fn with_keys(self, keys: u32) -> Self {
        let work = match self.work {
            Work::Changes { readers, .. } => Work::Changes { keys, readers },
            Work::Join { readers, .. } => Work::Join { keys, readers },
            Work::Resync { .. } => Work::Resync { keys },
            Work::Memory { .. } => Work::Memory { keys },
            other => other,
        };
        Self { work, ..self }
    }
}

/// What the processes of a case do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// One process asks another over so many connections, with so many calls in flight on each, and so many bytes in each.
    Request { connections: u32, calls: u32, bytes: u32 },
    /// One process publishes to so many subscribers, each a process of its own.
    Publish { subscribers: u32 },
    /// A replyer that nobody asks.
    Idle,
    /// So many replyers in one process, each of which is asked once.
    Crowd { services: u32 },
    /// One process changes a state of so many keys, which so many readers follow, each a process of its own.
    Changes { keys: u32, readers: u32 },
    /// One process has a state of so many keys, and another one gets a copy of it.
    Resync { keys: u32 },
    /// The same with many readers in one process, which begin at once, while the first is asked for something else.
    Join { keys: u32, readers: u32 },
    /// What so many keys take, of the one who has the state and of one who has a copy of it.
    Memory { keys: u32 },
}

/// Where the processes of a case run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// All on one: a client with one connection, on two, measures the scheduler.
    One,
    /// Free on two, so that machines with more compare.
    Two,
    /// What serves on the one, and its clients on the other.
    Apart,
}

/// Every case, in the order of the page.
pub(crate) const CASES: [Case; 28] = [
    Case {
        name: "request-1",
        title: "Request/reply 64 B, 1 client, both processes on one core",
        work: Work::Request { connections: 1, calls: 1, bytes: 64 },
        cores: Cores::One,
        contenders: &[
            FRAMEWORK,
            ENGINE,
            TCP,
            LIBZMQ,
            LIBZMQ_MESSAGEPACK,
            ZEROMQ,
            OMQ,
            TARPC,
            TONIC,
            NATS,
            PYTHON,
        ],
        shown: Shown::InTables,
    },
    Case {
        name: "request-16",
        title: "Request/reply 64 B, 16 clients (16 connections from one process)",
        work: Work::Request { connections: 16, calls: 1, bytes: 64 },
        cores: Cores::Two,
        contenders: &[
            FRAMEWORK,
            ENGINE,
            TCP,
            LIBZMQ,
            LIBZMQ_MESSAGEPACK,
            ZEROMQ,
            OMQ,
            TARPC,
            TONIC,
            NATS,
            PYTHON,
        ],
        shown: Shown::InTables,
    },
    Case {
        name: "request-128",
        title: "Request/reply 64 B, 128 clients (128 connections from one process)",
        work: Work::Request { connections: 128, calls: 1, bytes: 64 },
        cores: Cores::Two,
        contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ, ZEROMQ, OMQ, TARPC, TONIC, NATS],
        shown: Shown::InTables,
    },
    Case {
        name: "calls-16",
        title: "Request/reply 64 B, 16 calls over one connection, both processes on one core",
        work: Work::Request { connections: 1, calls: 16, bytes: 64 },
        // Calls over one connection travel together, which is lock step again: on two cores raw TCP
        // runs at one speed or at four times that, as the scheduler pleases.
        cores: Cores::One,
        contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ, LIBZMQ_MESSAGEPACK, PYTHON],
        shown: Shown::InTables,
    },
    Case {
        name: "pipelined",
        title: "Request/reply 64 B, 1,000 calls over one connection",
        work: Work::Request { connections: 1, calls: 1_000, bytes: 64 },
        // So many that neither side runs out of work while the other one has its turn.
        cores: Cores::Two,
        contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ, LIBZMQ_MESSAGEPACK, ZEROMQ, OMQ, TARPC, TONIC],
        shown: Shown::InTables,
    },
    Case {
        name: "publish-1",
        title: "Publish/subscribe 64 B, 1 subscriber",
        work: Work::Publish { subscribers: 1 },
        cores: Cores::Two,
        contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ, LIBZMQ_MESSAGEPACK, ZEROMQ, OMQ, NATS, PYTHON],
        shown: Shown::InTables,
    },
    Case {
        name: "publish-4",
        title: "Publish/subscribe 64 B, 4 subscribers",
        work: Work::Publish { subscribers: 4 },
        cores: Cores::Two,
        contenders: &[FRAMEWORK, ENGINE, TCP, LIBZMQ, LIBZMQ_MESSAGEPACK, ZEROMQ, OMQ, NATS, PYTHON],
        shown: Shown::InTables,
    },
    Case {
        name: "publish-16",
        title: "Publish/subscribe 64 B, 16 subscribers",
        work: Work::Publish { subscribers: 16 },
        cores: Cores::Two,
        contenders: &[ENGINE, TCP, LIBZMQ, ZEROMQ, OMQ, NATS],
        shown: Shown::InTables,
    },
    Case {
        name: "idle",
        title: "Idle service",
        work: Work::Idle,
        cores: Cores::Two,
        contenders: &[FRAMEWORK, TCP, LIBZMQ, LIBZMQ_MESSAGEPACK, PYTHON],
        shown: Shown::InTables,
    },
    Case {
        name: "crowd",
        title: "1,000 services in one process",
        work: Work::Crowd { services: 1_000 },
        cores: Cores::Two,
        contenders: &[FRAMEWORK],
        shown: Shown::InTables,
    },
    Case::point("connections-4", "Request/reply 64 B, 4 clients, on one core", 4, 64),
    Case::point("connections-16", "Request/reply 64 B, 16 clients, on one core", 16, 64),
    Case::point("connections-64", "Request/reply 64 B, 64 clients, on one core", 64, 64),
    Case::point("connections-256", "Request/reply 64 B, 256 clients, on one core", 256, 64),
    Case::point("connections-1000", "Request/reply 64 B, 1,000 clients, on one core", 1_000, 64),
    Case::point("payload-1k", "Request/reply 1 KiB, 1 client, on one core", 1, 1 << 10),
    Case::point("payload-16k", "Request/reply 16 KiB, 1 client, on one core", 1, 16 << 10),
    Case::point("payload-256k", "Request/reply 256 KiB, 1 client, on one core", 1, 256 << 10),
    Case::point("payload-1m", "Request/reply 1 MiB, 1 client, on one core", 1, 1 << 20),
    Case::of_states("states-10", "10 keys, 1 reader", Work::Changes { keys: 10, readers: 1 }),
    Case::of_states("states-1k", "1,000 keys, 1 reader", Work::Changes { keys: 1_000, readers: 1 }),
    Case::of_states("states-100k", "100,000 keys, 1 reader", Work::Changes { keys: 100_000, readers: 1 }),
    Case::of_states("states-1k-4", "1,000 keys, 4 readers", Work::Changes { keys: 1_000, readers: 4 }),
    Case::of_states("states-1k-16", "1,000 keys, 16 readers", Work::Changes { keys: 1_000, readers: 16 }),
    Case::of_states("states-resync-1k", "A copy of 1,000 keys", Work::Resync { keys: 1_000 }),
    Case::of_states("states-resync", "A copy of 100,000 keys", Work::Resync { keys: 100_000 }),
    Case::of_states(
        "states-join",
        "200 copies of 10,000 keys (1 MB) at once",
        Work::Join { keys: 10_000, readers: 200 },
    ),
    Case::of_states("states-memory", "100,000 keys", Work::Memory { keys: 100_000 }),
];

/// The most CPU that an idle service may use, in percent of one core. Below it, the clock of the kernel
/// and the start of the process are all there is to see.
pub(crate) const IDLE_CPU_MAX_PERCENT: f64 = 0.05;

/// The most memory that an idle service may keep resident, in MB of 1,000,000 bytes.
pub(crate) const IDLE_RESIDENT_MAX_MB: f64 = 10.0;

/// The most time that all services of a crowd may take to start, in seconds.
pub(crate) const CROWD_START_MAX_S: f64 = 5.0;

/// The most memory that each of them may make resident, in MB of 1,000,000 bytes.
pub(crate) const CROWD_RESIDENT_MAX_MB: f64 = 2.0;

/// The most time that a copy of 100,000 keys may take, in seconds.
pub(crate) const RESYNC_MAX_S: f64 = 1.0;

/// The most time that many copies may take which are asked for at once, in seconds.
pub(crate) const JOIN_MAX_S: f64 = 5.0;

/// How much longer than usual the answers of their owner may take meanwhile, of which 99 in 100 are faster.
pub(crate) const JOIN_P99_MAX_RATIO: f64 = 2.0;

/// Where raw TCP over raw libzmq at 16 clients has to be, for a run to be like the ones the targets
/// were set by.
pub(crate) const USUAL_TCP_OVER_LIBZMQ: std::ops::RangeInclusive<f64> = 2.5..=5.0;

/// What the contenders are called.
pub(crate) mod names {
    /// Ours.
    pub(crate) const FRAMEWORK: &str = "service_framework";
    /// The transport of ours, alone.
    pub(crate) const ENGINE: &str = "zmtp (our engine alone)";
    /// The floor: nothing but sockets.
    pub(crate) const TCP: &str = "raw tokio TCP";
    /// The original transport, alone.
    pub(crate) const LIBZMQ: &str = "raw libzmq";
    /// The original transport, with what a framework does.
    pub(crate) const LIBZMQ_MESSAGEPACK: &str = "libzmq + MessagePack";
    /// The other engine that ours can run on, alone.
    pub(crate) const ZEROMQ: &str = "zeromq";
    /// Another ZeroMQ in Rust.
    pub(crate) const OMQ: &str = "omq-tokio";
    /// Calls between Rust programs.
    pub(crate) const TARPC: &str = "tarpc";
    /// gRPC.
    pub(crate) const TONIC: &str = "tonic";
    /// Messages by way of a broker.
    pub(crate) const NATS: &str = "NATS";
    /// A database in memory that publishes, too.
    pub(crate) const REDIS: &str = "Redis";
    /// The original.
    pub(crate) const PYTHON: &str = "Python 0.0.20";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_cases_have_the_same_name() {
        assert_eq!(CASES.iter().map(|case| case.name).collect::<HashSet<_>>().len(), CASES.len());
    }
}
