//! NATS: a server of its own for each run, and a client of this program on either side of it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::own_peer::OwnPeer;
use crate::{
    case::{Case, Shown, names},
    contender::{Contender, Server},
    peers::Peer,
    process::Process,
    sample::Window,
};

/// The server, looked for where commands are.
pub(crate) const PROGRAM: &str = "nats-server";

/// NATS, through a server on this machine.
#[derive(Debug)]
pub(crate) struct Nats {
    clients: OwnPeer,
}

impl Nats {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { clients: OwnPeer::new(names::NATS, Peer::Nats)? })
    }
}

impl Contender for Nats {
    fn name(&self) -> &'static str {
        names::NATS
    }

    fn refuses(&self, case: &Case) -> Option<String> {
        self.clients.refuses_through(PROGRAM, case)
    }

    fn start(&self, case: &Case, folder: &Path) -> anyhow::Result<Server> {
        let mut command = Command::new(PROGRAM);
        // Port -1 is a free one, which it writes into a file.
        command.args(["--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir"]).arg(folder);
        if case.shown == Shown::AmongStates {
            command.arg("--jetstream").arg("--store_dir").arg(folder);
        }
        command.stderr(Stdio::null());
        let mut broker = Process::start(format!("the server of {}", self.name()), command)?;
        let ports = folder.join(format!("{PROGRAM}_{}.ports", broker.id()));
        let endpoint = broker.until(|| endpoint(&fs::read_to_string(&ports).ok()?))?;
        let mut server = self.clients.start_through(case, Some(&endpoint))?;
        server.broker = Some(broker);
        Ok(server)
    }

    fn client(&self, case: &Case, server: &Server, window: Window, folder: &Path) -> anyhow::Result<Command> {
        self.clients.client(case, server, window, folder)
    }
}

/// Reads what the server wrote; `None` while that is not whole.
fn endpoint(ports: &str) -> Option<String> {
    let ports: Value = serde_json::from_str(ports).ok()?;
    Some(ports["nats"][0].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_read_when_the_file_is_whole() {
        let ports = r#"{"nats": ["nats://127.0.0.1:4000"]}"#;
        assert_eq!(endpoint(ports).as_deref(), Some("nats://127.0.0.1:4000"));
        assert_eq!(endpoint(&ports[..20]), None);
        assert_eq!(endpoint(""), None);
    }
}
