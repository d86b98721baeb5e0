//! What a reader must know of the machine to make anything of a figure.

use std::{fs, process::Command};

use crate::{contenders::nats, cpus::Cpus, options::Options};

/// Facts for the top of the page, each with its name.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Name and value.
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// Reads them; what cannot be read is said to be unknown.
    pub(crate) fn read(cpus: &Cpus, options: &Options) -> Self {
        let window = options.window();
        let (major, minor, patch) = zmq::version();
        let python = options.python.as_ref().map(|environment| environment.join("bin/python"));
        let mut facts = vec![
            ("date", time::OffsetDateTime::now_utc().date().to_string()),
            ("commit", commit()),
            ("processor", processor()),
            ("cores", format!("{} of this machine, 2 used", cpus.count())),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("rustc", said_by("rustc", &["--version"])),
            ("libzmq", format!("{major}.{minor}.{patch}, built with this bench")),
        ];
        facts.push(("crates", PEERS.map(|name| format!("{name} {}", version(name))).join(", ")));
        facts.push(("NATS", said_by(nats::PROGRAM, &["--version"])));
        if let Some(python) = python {
            facts.push(("Python", said_by(&python.display().to_string(), &["--version"])));
        }
        let quick = if options.quick { ", quick: these figures say nothing" } else { "" };
        facts.push((
            "rounds",
            format!(
                "{}, each contender {} s in each, after {} s of warm-up{quick}",
                options.rounds(),
                window.counted.as_secs_f64(),
                window.warm_up.as_secs_f64(),
            ),
        ));
        Self { facts }
    }
}

fn commit() -> String {
    let commit = said_by("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said_by("git", &["status", "--porcelain", "--untracked-files=no"]);
    if changed == UNKNOWN { commit } else { format!("{commit}, with changes") }
}

fn processor() -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or(UNKNOWN.to_owned(), |model| model.trim_start_matches([' ', '\t', ':']).to_owned())
}

/// The peers that are crates.
const PEERS: [&str; 7] = ["tokio", "zeromq", "omq-tokio", "tarpc", "tonic", "async-nats", "rmp-serde"];

/// Which version of a crate the workspace is built with.
fn version(name: &str) -> String {
    let lock = include_str!("../../../Cargo.lock");
    let found = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
    found.and_then(|(_, after)| after.split('"').next()).unwrap_or(UNKNOWN).to_owned()
}

const UNKNOWN: &str = "unknown";

fn read(path: &str) -> String {
    known(&fs::read_to_string(path).unwrap_or_default())
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(crate::options::workspace()).output();
    known(&output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default())
}

fn known(text: &str) -> String {
    if text.trim().is_empty() { UNKNOWN.to_owned() } else { text.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for peer in PEERS {
            assert!(version(peer).starts_with(|first: char| first.is_ascii_digit()), "{peer}");
        }
    }
}
