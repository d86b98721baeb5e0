//! The peers that are part of this program, which runs itself as theirs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{
    case::{Case, Work},
    contender::{Contender, Server},
    peers::{self, Peer},
    process::Process,
    sample::Window,
};

/// A peer whose processes are this program's.
#[derive(Debug)]
pub(crate) struct OwnPeer {
    name: &'static str,
    peer: Peer,
    program: PathBuf,
}

impl OwnPeer {
    pub(crate) fn new(name: &'static str, peer: Peer) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program, to run it as a peer")?;
        Ok(Self { name, peer, program })
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["peer", self.peer.word(), role]);
        command
    }

    /// Why a case cannot be run through a server of that program: there is none on this machine, or as [`refuses`](Contender::refuses) says.
    pub(crate) fn refuses_through(&self, program: &str, case: &Case) -> Option<String> {
        let mut command = Command::new(program);
        let is_there = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        let absent = || format!("there is no `{program}` on this machine");
        if is_there { self.refuses(case) } else { Some(absent()) }
    }

    /// Starts the serving process, which is reached through a broker if one is named.
    pub(crate) fn start_through(&self, case: &Case, broker: Option<&str>) -> anyhow::Result<Server> {
        let mut command = match case.work {
            Work::Publish { .. } => self.command("publish"),
            Work::Request { .. } | Work::Idle | Work::Crowd { .. } => self.command("reply"),
            Work::Changes { keys, .. }
            | Work::Resync { keys }
            | Work::Join { keys, .. }
            | Work::Memory { keys } => {
                let readers = if let Work::Changes { readers, .. } = case.work { readers } else { 0 };
                let mut command = self.command("own");
                command.args(["--keys", &keys.to_string(), "--readers", &readers.to_string()]);
                command
            }
        };
        if let Work::Request { calls, .. } = case.work {
            command.args(["--calls", &calls.to_string()]);
        }
        if let Some(broker) = broker {
            command.args(["--broker", broker]);
        }
        let mut process = Process::start(format!("the server of {}", self.name), command)?;
        let endpoint = process.line(std::time::Duration::ZERO, peers::endpoint_of_line)?;
        Ok(Server { process, broker: None, endpoint, beside: None })
    }

    /// The command of a client, which others may borrow.
    pub(crate) fn client_command(&self, case: &Case, endpoint: &str, window: Window) -> Command {
        let mut command = match case.work {
            Work::Request { connections, calls, bytes } => {
                let mut command = self.command("request");
                for (name, value) in [("--connections", connections), ("--calls", calls), ("--bytes", bytes)]
                {
                    command.arg(name).arg(value.to_string());
                }
                command
            }
            Work::Publish { .. } | Work::Idle | Work::Crowd { .. } => self.command("subscribe"),
            Work::Changes { keys, .. }
            | Work::Resync { keys }
            | Work::Join { keys, .. }
            | Work::Memory { keys } => {
                let copies = if let Work::Join { readers, .. } = case.work { readers } else { 1 };
                let mut command = self.command("follow");
                command.args(["--keys", &keys.to_string(), "--copies", &copies.to_string()]);
                command
            }
        };
        command
            .args(["--endpoint", endpoint])
            .args(["--warm-up", &window.warm_up.as_secs_f64().to_string()])
            .args(["--seconds", &window.counted.as_secs_f64().to_string()]);
        command
    }
}

impl Contender for OwnPeer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn refuses(&self, _case: &Case) -> Option<String> {
        (!self.peer.is_built()).then(|| "this bench was built without the feature `peers`".to_owned())
    }

    fn start(&self, case: &Case, _folder: &Path) -> anyhow::Result<Server> {
        self.start_through(case, None)
    }

    fn client(
        &self,
        case: &Case,
        server: &Server,
        window: Window,
        _folder: &Path,
    ) -> anyhow::Result<Command> {
        Ok(self.client_command(case, &server.endpoint, window))
    }
}
