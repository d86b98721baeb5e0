//! Redis: a server of its own for each run, and a client of this program on either side of it.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
};

use super::own_peer::OwnPeer;
use crate::{
    case::{Case, names},
    contender::{Contender, Server},
    peers::Peer,
    process::Process,
    sample::Window,
};

/// The server, looked for where commands are.
const PROGRAM: &str = "redis-server";

/// Redis, through a server on this machine.
#[derive(Debug)]
pub(crate) struct Redis {
    clients: OwnPeer,
}

impl Redis {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { clients: OwnPeer::new(names::REDIS, Peer::Redis)? })
    }
}

impl Contender for Redis {
    fn name(&self) -> &'static str {
        names::REDIS
    }

    fn refuses(&self, case: &Case) -> Option<String> {
        self.clients.refuses_through(PROGRAM, case)
    }

    fn start(&self, case: &Case, folder: &Path) -> anyhow::Result<Server> {
        // It does not choose a free one by itself.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(PROGRAM);
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        // Subscribers that are slow would be hung up on.
        command.args(["--client-output-buffer-limit", "pubsub 0 0 0"]).arg("--dir").arg(folder);
        command.args(["--loglevel", "warning"]);
        let mut broker = Process::start(format!("the server of {}", self.name()), command)?;
        broker.until(|| TcpStream::connect(("127.0.0.1", port)).ok())?;
        let mut server = self.clients.start_through(case, Some(&format!("redis://127.0.0.1:{port}/")))?;
        server.broker = Some(broker);
        Ok(server)
    }

    fn client(&self, case: &Case, server: &Server, window: Window, folder: &Path) -> anyhow::Result<Command> {
        self.clients.client(case, server, window, folder)
    }
}
