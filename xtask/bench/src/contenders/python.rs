//! The Python original, 0.0.20, with its own command on both sides.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::own_peer::OwnPeer;
use crate::{
    case::{Case, Work, names},
    contender::{Contender, Server},
    options::Options,
    peers::Peer,
    process::Process,
    sample::Window,
};

/// How many requesters its client declares: a model cannot wait for its config.
const CONNECTIONS: u32 = 16;

/// Python services, run by the published framework.
#[derive(Debug)]
pub(crate) struct Python {
    environment: Option<PathBuf>,
    /// Reads its publications: its own subscriber cannot start as published.
    subscriber: OwnPeer,
}

impl Python {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Self> {
        // The services run in folders of their own.
        let environment = options.python.as_ref().map(std::path::absolute).transpose()?;
        Ok(Self {
            environment,
            subscriber: OwnPeer::new(names::LIBZMQ_MESSAGEPACK, Peer::LibzmqMessagepack)?,
        })
    }

    fn program(&self) -> Option<PathBuf> {
        Some(self.environment.as_ref()?.join("bin/service_framework"))
    }

    /// The command that runs a service, with its files written into the folder.
    fn command(
        &self,
        folder: &Path,
        service: &str,
        source: &str,
        addresses: &Value,
    ) -> anyhow::Result<Command> {
        let mut command = Command::new(self.program().context("no Python environment was given")?);
        write(&folder.join(format!("{service}.py")), source)?;
        write(&folder.join(format!("{service}.addresses.json")), &addresses.to_string())?;
        // Its log is as quiet as it can be told to be, in its favour.
        command
            .current_dir(folder)
            .args(["-s", &format!("{service}.py"), "-a", &format!("{service}.addresses.json")])
            .args(["-cl", "CRITICAL"]);
        Ok(command)
    }
}

impl Contender for Python {
    fn name(&self) -> &'static str {
        names::PYTHON
    }

    fn refuses(&self, case: &Case) -> Option<String> {
        let Some(program) = self.program() else {
            return Some("no environment was given with --python".to_owned());
        };
        if !program.is_file() {
            return Some("the environment given with --python has no `bin/service_framework`".to_owned());
        }
        match case.work {
            Work::Request { calls: 2.., .. } => Some("a requester of it has one call at a time".to_owned()),
            Work::Request { connections, .. } if connections > CONNECTIONS => {
                Some(format!("its client has {CONNECTIONS} connections"))
            }
            _ => None,
        }
    }

    fn start(&self, case: &Case, folder: &Path) -> anyhow::Result<Server> {
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let command = match case.work {
            Work::Publish { .. } => {
                let addresses = json!({"out": {"numbers": {"publisher": address}}});
                let mut command =
                    self.command(folder, "publish", include_str!("../../python/publish.py"), &addresses)?;
                command.arg("-m");
                command
            }
            _ => {
                let addresses = json!({"in": {"echo": {"replyer": address}}});
                self.command(folder, "echo", include_str!("../../python/echo.py"), &addresses)?
            }
        };
        let mut process = Process::start(format!("the server of {}", self.name()), command)?;
        process.until(|| TcpStream::connect(&address).ok())?;
        Ok(Server { process, broker: None, endpoint: format!("tcp://{address}"), beside: None })
    }

    fn client(&self, case: &Case, server: &Server, window: Window, folder: &Path) -> anyhow::Result<Command> {
        let Work::Request { connections, .. } = case.work else {
            return Ok(self.subscriber.client_command(case, &server.endpoint, window));
        };
        let address = server.endpoint.strip_prefix("tcp://").context("an endpoint begins with tcp://")?;
        let requesters: serde_json::Map<String, Value> =
            (0..CONNECTIONS).map(|index| (format!("echo_{index}"), json!({"requester": address}))).collect();
        let addresses = json!({ "out": requesters });
        let config = json!({
            "connections": connections,
            "warm_up_s": window.warm_up.as_secs_f64(),
            "seconds": window.counted.as_secs_f64(),
        });
        let mut command = self.command(folder, "ask", include_str!("../../python/ask.py"), &addresses)?;
        write(&folder.join("ask.config.json"), &config.to_string())?;
        command.args(["-m", "-c", "ask.config.json"]);
        Ok(command)
    }
}

/// A port that was free a moment ago: the original cannot say which one it got.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
