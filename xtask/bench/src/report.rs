//! The page of results: ratios first, then what else was seen, absolute figures last and small.

mod curves;
mod figures;
mod ratios;
mod states;

use std::fmt::Write as _;

use crate::{case::Shown, machine::Machine, round::CaseResult};

pub(crate) use self::curves::{FOLDER, pictures};

/// The whole page, as Markdown.
pub(crate) fn page(machine: &Machine, results: &[CaseResult]) -> String {
    let in_tables: Vec<&CaseResult> =
        results.iter().filter(|result| result.case.shown == Shown::InTables).collect();
    let mut page = String::from(HEAD);
    page.push_str("| | |\n|---|---|\n");
    for (name, value) in &machine.facts {
        // A `String` takes whatever is written.
        let _ = writeln!(page, "| {name} | {value} |");
    }
    for part in [
        ratios::framework(&in_tables),
        ratios::engine(&in_tables),
        curves::section(results),
        ratios::peers(&in_tables),
        figures::lost(results),
        figures::idle(results),
        figures::crowd(results),
        states::section(results),
        figures::absent(results),
    ] {
        page.push_str(&part);
    }
    page.push_str(METHOD);
    page.push_str(&figures::absolute(&in_tables));
    page
}

/// A section with a table; nothing when it has no rows.
fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("\n## {title}\n\n{}", self::rows(head, rows))
}

/// A table.
fn rows(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = String::new();
    let line =
        |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    table.push_str(&line(&mut head.iter().copied()));
    table.push_str(&line(&mut head.iter().map(|_| "---")));
    for row in rows {
        table.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    table
}

const HEAD: &str = "\
# Benchmarks

`cargo xtask bench` writes this page; nobody edits it. Read the ratios: absolute figures move with the
machine, and stand at the end. A ratio is the median of ratios pair by pair, each of two runs of one round,
with the least and the most of them in parentheses.

";

const METHOD: &str = "
## How it is measured

- Every server and every client is a process of its own, built for release, started anew for each run, on loopback.
  The contenders take turns: A B C, A B C, ..
- A client with one connection waits for its server in lock step, also when many calls travel together, and on two
  cores that measures the scheduler; so it is compared on one core only, with its server. All other cases run
  free on two cores.
- The pictures are of shorter runs on one core, where a request costs what both processes do for it and nobody is waited for;
  their first points are those of the tables. The clients of `service_framework` are one service with as many requesters as there are
  connections, of libzmq as many REQ sockets.
- `service_framework` is the command with plugins loaded over their boundary, on both sides; messages are
  MessagePack, checked against the model, with a workflow id. It allocates by mimalloc, as shipped, all others
  as the system does.
- `zmtp (our engine alone)` is the crate that carries the framework's messages, without the framework: 64 bytes, DEALER
  to ROUTER, answered where they are read, one thread on either side. Its publisher waits for slow subscribers.
- `raw tokio TCP` sends 64 bytes behind their length, one thread on either side; what one read brought is
  answered by one write.
- `raw libzmq` sends 64 bytes, REQ to REP, or DEALER to ROUTER for many calls over one connection. Many REQ sockets
  are polled by one thread.
- `libzmq + MessagePack` is the same with typed structs of 64 bytes (rmp-serde, named), the envelope and the
  workflow id of the framework's wire.
- `zeromq` is the crate of that name, DEALER to ROUTER; its publisher never waits.
- `omq-tokio` is another ZeroMQ in Rust, DEALER to ROUTER; its publisher waits for slow subscribers (`xpub_nodrop`).
- `tarpc` speaks bincode, `tonic` gRPC whose messages are bytes as they are; a connection has one channel, however many calls.
- `NATS` has its server between the two sides, on the same cores, and its own client on either side of it.
- These five run on current-thread runtimes, but for the server of NATS, and send 64 bytes without a model or an id.
- `Python 0.0.20` is the original with its own command on both sides, 16 clients being 16 threads; its subscriber cannot start as
  published, so libzmq + MessagePack reads its publications.
- Subscribers are a process each. Publishers send as fast as they can and number their messages; a number that
  does not arrive while counting is lost. The libzmq publishers wait for slow subscribers (`ZMQ_XPUB_NODROP`).
  Their queues hold 1,000 messages, as libzmq's do by itself; with 65,536, as ours, it is a tenth slower. No requests wait that long.
- An idle service is a replyer that nobody has asked; CPU is what the kernel's scheduler counted, over all threads.
- Copies that join at once are services in one process, on another core than the owner, which is asked by libzmq over a connection of its own.
  Those of Redis and NATS are tasks on one thread.
- Redis and NATS send bytes that nobody checks, and have the state in their server alone; a service has it twice, typed and as it is on the wire.
- The services of a crowd are one plugin, each a `Service` of the runtime in a program that allocates as the system does, started
  and stopped one after the other. Each is asked once by libzmq; what they use is read when all have answered.

## What it needs

A C++ compiler (`g++` of a plain Debian): the `zmq` crate builds libzmq from source. Linux, for cores and `/proc`. Two cores.
For the Python row, `python3` with `venv` and a way to PyPI: `cargo xtask bench` sets up `service_framework==0.0.20` by itself, in `target/interop`.
For the rows of NATS and Redis, `nats-server` and `redis-server` (Debian: `apt install nats-server redis-server`).
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_rows_is_left_out() {
        assert_eq!(table("Lost", &["a", "b"], &[]), "");
        let rows = [vec!["1".to_owned(), "2".to_owned()]];
        assert_eq!(table("Lost", &["a", "b"], &rows), "\n## Lost\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }
}
