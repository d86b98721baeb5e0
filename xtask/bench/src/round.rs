//! Runs every case in rounds, each contender once in each round.

use std::{fmt, path::Path, process::Command, time::Duration};

use anyhow::Context as _;

use crate::{
    case::{CASES, Case, Shown, Work},
    contender::{Contender, Server},
    cpus::Cpus,
    crowd::Crowd,
    idle::{self, Idle},
    joining::{Joined, Prober},
    options::Options,
    process::Process,
    sample::{Sample, Window},
};

/// What a case gave.
#[derive(Debug)]
pub(crate) struct CaseResult {
    /// Which one.
    pub(crate) case: Case,
    /// One for each contender, in the order in which they ran.
    pub(crate) contenders: Vec<ContenderResult>,
}

/// What a contender gave in a case.
#[derive(Debug)]
pub(crate) struct ContenderResult {
    /// Which one.
    pub(crate) name: &'static str,
    /// One for each round; `None` where the run failed, or there was none.
    pub(crate) rounds: Vec<Option<Outcome>>,
    /// Why there are no figures, or fewer.
    pub(crate) trouble: Option<Trouble>,
}

/// Why a contender does not run, or no longer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It said that it cannot.
    Refused(String),
    /// It said that it can, and could not.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// Of all clients together: messages a second, and which part of those sent did not arrive.
    Load { rate: f64, lost: f64 },
    /// Of the server alone.
    Idle(Idle),
    /// Of many services in one process.
    Crowd(Crowd),
    /// Of readers that have copies now.
    Joined(Joined),
    /// Bytes for each key, of who has a state and of who has a copy of it.
    Memory { owner: f64, reader: f64 },
}

impl ContenderResult {
    /// Messages a second, round by round.
    pub(crate) fn rates(&self) -> Vec<Option<f64>> {
        let rate = |outcome: &Option<Outcome>| match outcome {
            Some(Outcome::Load { rate, .. }) => Some(*rate),
            _ => None,
        };
        self.rounds.iter().map(rate).collect()
    }

    /// Whether anything that was sent did not arrive, in any round.
    pub(crate) fn has_lost(&self) -> bool {
        self.rounds.iter().any(|outcome| matches!(outcome, Some(Outcome::Load { lost, .. }) if *lost > 0.0))
    }
}

/// What lies idle is the same in every round; a few show that.
const IDLE_ROUNDS_MAX: u32 = 3;

/// The points of a picture bear each other out.
const POINT_ROUNDS_MAX: u32 = 3;

/// Long enough for a crowd to start, answer and stop on a slow machine.
const CROWD_TIME: Duration = Duration::from_secs(60);

/// Long enough for many copies to be made on a slow machine.
const COPIES_TIME: Duration = Duration::from_secs(60);

/// Runs what the options ask for, and says on stderr how far it is.
pub(crate) fn run_all(
    options: &Options,
    cpus: &Cpus,
    contenders: &[Box<dyn Contender>],
) -> anyhow::Result<Vec<CaseResult>> {
    let wanted = |case: &&Case| {
        options.case.is_empty() || options.case.iter().any(|part| case.name.contains(part.as_str()))
    };
    let cases: Vec<&Case> = CASES.iter().filter(wanted).collect();
    anyhow::ensure!(
        !cases.is_empty(),
        "no case has such a name; there are {}",
        CASES.map(|c| c.name).join(", ")
    );
    anyhow::ensure!(!contenders.is_empty(), "no contender has such a name");
    cases.into_iter().map(|case| run_case(case, options, cpus, contenders)).collect()
}

fn run_case(
    case: &Case,
    options: &Options,
    cpus: &Cpus,
    contenders: &[Box<dyn Contender>],
) -> anyhow::Result<CaseResult> {
    let mut results = Vec::new();
    let contenders: Vec<_> =
        contenders.iter().filter(|contender| case.contenders.contains(&contender.name())).collect();
    for contender in &contenders {
        let trouble = contender.refuses(case).map(Trouble::Refused);
        if let Some(trouble) = &trouble {
            eprintln!("{}: {} is left out: {trouble}", case.name, contender.name());
        }
        results.push(ContenderResult { name: contender.name(), rounds: Vec::new(), trouble });
    }
    let rounds = match case.work {
        Work::Idle | Work::Crowd { .. } => options.rounds().min(IDLE_ROUNDS_MAX),
        Work::Request { .. } | Work::Publish { .. } if case.shown == Shown::InPictures => {
            options.rounds().min(POINT_ROUNDS_MAX)
        }
        Work::Join { .. } | Work::Memory { .. } => options.rounds().min(POINT_ROUNDS_MAX),
        Work::Request { .. } | Work::Publish { .. } | Work::Changes { .. } | Work::Resync { .. } => {
            options.rounds()
        }
    };
    for round in 1..=rounds {
        for (contender, result) in contenders.iter().zip(&mut results) {
            // One that failed would fail again, and takes its time for that.
            if result.trouble.is_some() {
                result.rounds.push(None);
                continue;
            }
            match run_once(case, options, cpus, contender.as_ref()) {
                Ok(outcome) => {
                    eprintln!("{} {round}/{rounds}: {}: {}", case.name, contender.name(), words(&outcome));
                    result.rounds.push(Some(outcome));
                }
                Err(error) => {
                    eprintln!("{} {round}/{rounds}: {} failed: {error:#}", case.name, contender.name());
                    result.trouble = Some(Trouble::Failed(format!("{error:#}, in round {round}")));
                    result.rounds.push(None);
                }
            }
        }
    }
    Ok(CaseResult { case: *case, contenders: results })
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Load { rate, lost } if *lost > 0.0 => format!("{rate:.0}/s, {:.1}% lost", lost * 100.0),
        Outcome::Load { rate, .. } => format!("{rate:.0}/s"),
        Outcome::Crowd(crowd) => {
            format!("{} up in {:.2} s, {:.2} MB each", crowd.services, crowd.start_s, crowd.resident_mb_each)
        }
        Outcome::Idle(idle) => format!("{:.3}% CPU, {:.1} MB", idle.cpu_percent, idle.resident_mb),
        Outcome::Joined(joined) => joined.to_string(),
        Outcome::Memory { owner, reader } => format!("{owner:.0} and {reader:.0} bytes for each key"),
    }
}

fn run_once(
    case: &Case,
    options: &Options,
    cpus: &Cpus,
    contender: &dyn Contender,
) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir().context("cannot make a folder for a run")?;
    let folder = folder.path();
    if let Work::Memory { keys } = case.work {
        let ((owner, reader), (owner_before, reader_before)) =
            (memory(&case.with_keys(keys), cpus, contender)?, memory(&case.with_keys(0), cpus, contender)?);
        let each = |after: f64, before: f64| (after - before) * 1e6 / f64::from(keys);
        return Ok(Outcome::Memory { owner: each(owner, owner_before), reader: each(reader, reader_before) });
    }
    let mut server = cpus.with(case.cores, || contender.start(case, folder))?;
    let outcome = match case.work {
        Work::Idle => {
            std::thread::sleep(options.window().warm_up);
            Outcome::Idle(Idle::watch(server.process.id(), options.idle_time())?)
        }
        // It ends by itself, when it has told.
        Work::Crowd { .. } => {
            return Ok(Outcome::Crowd(server.process.line(CROWD_TIME, Crowd::of_line)?));
        }
        Work::Resync { .. } | Work::Join { .. } => {
            let prober = match &server.beside {
                Some(endpoint) => Some(cpus.with(case.cores, || Prober::start(endpoint))?),
                None => None,
            };
            std::thread::sleep(options.window().counted);
            let mut client = start_copies(case, cpus, contender, &server, folder)?;
            let live_s = client.line(COPIES_TIME, Sample::of_line)?.seconds;
            let p99_ms = prober.map(|prober| prober.end(Duration::from_secs_f64(live_s))).transpose()?;
            Outcome::Joined(Joined { live_s, p99_ms })
        }
        Work::Memory { .. } => unreachable!("it was measured above"),
        Work::Request { .. } | Work::Publish { .. } | Work::Changes { .. } => {
            let window = match case.shown {
                Shown::InTables | Shown::AmongStates => options.window(),
                Shown::InPictures => options.window().half(),
            };
            let clients = match case.work {
                Work::Publish { subscribers } => subscribers,
                Work::Changes { readers, .. } => readers,
                _ => 1,
            };
            let commands: Vec<Command> = (0..clients)
                .map(|_| contender.client(case, &server, window, folder))
                .collect::<anyhow::Result<_>>()?;
            let what = format!("a client of {}", contender.name());
            let clients: Vec<Process> = cpus.with_clients(case.cores, || {
                commands.into_iter().map(|command| Process::start(what.as_str(), command)).collect()
            })?;
            sum(&collect(clients, window)?)?
        }
    };
    server.process.must_run()?;
    Ok(outcome)
}

/// After so long an allocator has given back what it does not need any more.
const SETTLING: Duration = Duration::from_secs(2);

/// Starts a process that has copies, prints when they are live, and stays.
fn start_copies(
    case: &Case,
    cpus: &Cpus,
    contender: &dyn Contender,
    server: &Server,
    folder: &Path,
) -> anyhow::Result<Process> {
    let window = Window { warm_up: Duration::ZERO, counted: Duration::ZERO };
    let command = contender.client(case, server, window, folder)?;
    cpus.with_clients(case.cores, || Process::start(format!("the copies of {}", contender.name()), command))
}

/// MB that are resident where a state is, and where a copy of it is.
fn memory(case: &Case, cpus: &Cpus, contender: &dyn Contender) -> anyhow::Result<(f64, f64)> {
    let folder = tempfile::tempdir().context("cannot make a folder for a run")?;
    let folder = folder.path();
    let server = cpus.with(case.cores, || contender.start(case, folder))?;
    let mut reader = start_copies(case, cpus, contender, &server, folder)?;
    reader.line(COPIES_TIME, Sample::of_line)?;
    std::thread::sleep(SETTLING);
    let owner = server.broker.as_ref().unwrap_or(&server.process);
    Ok((idle::resident_mb(owner.id())?, idle::resident_mb(reader.id())?))
}

fn collect(mut clients: Vec<Process>, window: Window) -> anyhow::Result<Vec<Sample>> {
    let time: Duration = window.warm_up + window.counted;
    clients.iter_mut().map(|client| client.line(time, Sample::of_line)).collect()
}

/// Adds up what the clients of one run have counted. One that has counted nothing is no slow one: it stands still.
fn sum(samples: &[Sample]) -> anyhow::Result<Outcome> {
    let messages: u64 = samples.iter().map(|sample| sample.messages).sum();
    let lost: u64 = samples.iter().map(|sample| sample.lost).sum();
    anyhow::ensure!(messages > 0, "it came to a standstill: no message was counted");
    Ok(Outcome::Load {
        rate: samples.iter().map(Sample::rate).sum(),
        lost: lost as f64 / (messages + lost) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_add_up() {
        let samples = [
            Sample { messages: 60, lost: 40, seconds: 1.0 },
            Sample { messages: 80, lost: 20, seconds: 2.0 },
        ];
        let Outcome::Load { rate, lost } = sum(&samples).unwrap() else { panic!("a load is summed") };
        assert_eq!((rate, lost), (100.0, 0.3));
    }

    #[test]
    fn a_standstill_is_a_failure() {
        let failure = sum(&[Sample { messages: 0, lost: 0, seconds: 0.4 }]).unwrap_err();
        assert_eq!(failure.to_string(), "it came to a standstill: no message was counted");
    }
}
