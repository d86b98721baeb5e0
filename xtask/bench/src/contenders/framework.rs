//! Ours: the real command, with real plugins loaded over their boundary, on both sides.
//!
//! It runs six services, found beside the command as `lib<name>.so`. Their messages are those of the other
//! typed contenders, `{number: int, price: float, text: str}` in 64 bytes:
//!
//! | service | connections | does |
//! |---|---|---|
//! | `bench_echo` | replyer `echo` | returns its arguments |
//! | `bench_ask` | requesters `echo_0`, `echo_1`, .. | keeps `calls` requests of `bytes` in flight on each |
//! | `bench_publish` | publisher `numbers` | publishes without pause, numbered from 1 |
//! | `bench_count` | subscriber `numbers` | counts; what its numbers skip was lost |
//! | `bench_own` | delta state `book`, replyers `applied` and `echo` | changes the state as fast as its readers follow |
//! | `bench_copy` | copy of `book`, requester `applied` | counts changes, or says when it is live |
//!
//! All but `bench_echo` are run with `-m`. `bench_own` has the config `keys` and `readers` (integers). `bench_ask`, `bench_count` and `bench_copy` have the config `warm_up_s` and `seconds`
//! (floats; `bench_ask` also `calls` and `bytes`, integers). Their `main` waits for the first message,
//! warms up, counts, prints one [`Sample`](crate::sample::Sample) as a JSON line on stdout and returns.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    case::{Case, Work, names},
    contender::{Contender, Server},
    options::Options,
    process::Process,
    sample::Window,
};

/// How many requesters the client declares, which cannot wait for its config.
const REQUESTERS: &str = "BENCH_ASK_REQUESTERS";

/// What the command writes when the sockets are open.
const READY: &str = "ready.json";

/// The services of the bench, run by the command.
#[derive(Debug)]
pub(crate) struct Framework {
    command: PathBuf,
    plugins: PathBuf,
}

impl Framework {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program, and what lies beside it")?;
        let command = match &options.framework {
            Some(command) => std::path::absolute(command)?,
            None => program.with_file_name(format!("service_framework{EXE_SUFFIX}")),
        };
        let plugins = match &options.plugins {
            Some(plugins) => std::path::absolute(plugins)?,
            None => command.with_file_name(""),
        };
        Ok(Self { command, plugins })
    }

    fn plugin(&self, service: &str) -> PathBuf {
        self.plugins.join(format!("{DLL_PREFIX}{service}{DLL_SUFFIX}"))
    }

    /// Starts many services in one process of this program, which ends by itself.
    fn crowd(&self, services: u32, folder: &Path) -> anyhow::Result<Server> {
        let book = folder.join("crowd.addresses.json");
        write(&book, &json!({"in": {"echo": {"replyer": "127.0.0.1:0"}}, "out": {}}))?;
        let program = std::env::current_exe().context("cannot find this program, to run it as a crowd")?;
        let mut command = Command::new(program);
        command.arg("crowd").arg("--plugin").arg(self.plugin("bench_echo")).arg("--addresses").arg(book);
        command.args(["--services", &services.to_string()]);
        let process = Process::start(format!("the crowd of {}", self.name()), command)?;
        Ok(Server { process, broker: None, endpoint: String::new(), beside: None })
    }

    /// Starts the owner of a state of so many keys.
    fn own(&self, case: &Case, keys: u32, folder: &Path) -> anyhow::Result<Server> {
        let address = "127.0.0.1:0";
        let addresses = json!({
            "connections": {"in": {"applied": {"replyer": address}, "echo": {"replyer": address}}},
            "states": {"out": {"book": {"publisher": address, "replyer": address}}},
        });
        let readers = if let Work::Changes { readers, .. } = case.work { readers } else { 0 };
        let (config, ready) = (folder.join("bench_own.config.json"), folder.join(READY));
        write(&config, &json!({"keys": keys, "readers": readers}))?;
        let mut command = self.run(folder, "bench_own", &addresses)?;
        command.arg("-m").arg("-c").arg(config).arg("--ready").arg(&ready);
        let mut process = Process::start(format!("the owner of {}", self.name()), command)?;
        let of = |name| endpoint(&fs::read_to_string(&ready).ok()?, name);
        let (endpoint, beside) = process.until(|| Some((of("book.publisher")?, of("echo")?)))?;
        Ok(Server { process, broker: None, endpoint, beside: Some(beside) })
    }

    /// The command of many services in one process of this program that have copies; their files are written already.
    fn join(&self, services: u32, folder: &Path, config: &Path) -> anyhow::Result<Command> {
        let program =
            std::env::current_exe().context("cannot find this program, to run it as many readers")?;
        let mut command = Command::new(program);
        command.arg("join").arg("--plugin").arg(self.plugin("bench_copy")).arg("--config").arg(config);
        command.arg("--addresses").arg(folder.join("bench_copy.addresses.json"));
        command.args(["--services", &services.to_string()]);
        Ok(command)
    }

    /// The command that runs a service, with its files written into the folder.
    fn run(&self, folder: &Path, service: &str, addresses: &Value) -> anyhow::Result<Command> {
        let book = folder.join(format!("{service}.addresses.json"));
        write(&book, addresses)?;
        let mut command = Command::new(&self.command);
        command.arg("-s").arg(self.plugin(service)).arg("-a").arg(book).args(["-cl", "CRITICAL"]);
        Ok(command)
    }
}

/// The service that serves in a case, and the one that loads it.
fn services(case: &Case) -> (&'static str, &'static str) {
    match case.work {
        Work::Request { .. } | Work::Idle | Work::Crowd { .. } => ("bench_echo", "bench_ask"),
        Work::Publish { .. } => ("bench_publish", "bench_count"),
        Work::Changes { .. } | Work::Resync { .. } | Work::Join { .. } | Work::Memory { .. } => {
            ("bench_own", "bench_copy")
        }
    }
}

impl Contender for Framework {
    fn name(&self) -> &'static str {
        names::FRAMEWORK
    }

    fn refuses(&self, case: &Case) -> Option<String> {
        let (server, client) = services(case);
        [self.command.clone(), self.plugin(server), self.plugin(client)]
            .into_iter()
            .find(|file| !file.is_file())
            .map(|file| {
                // Where one machine keeps its files says nothing on a page.
                let name = file.file_name().unwrap_or(file.as_os_str());
                format!("`{}` is not built", name.display())
            })
    }

    fn start(&self, case: &Case, folder: &Path) -> anyhow::Result<Server> {
        if let Work::Crowd { services } = case.work {
            return self.crowd(services, folder);
        }
        if let Work::Changes { keys, .. }
        | Work::Resync { keys }
        | Work::Join { keys, .. }
        | Work::Memory { keys } = case.work
        {
            return self.own(case, keys, folder);
        }
        let (service, _) = services(case);
        let (addresses, connection) = match case.work {
            Work::Publish { .. } => {
                (json!({"in": {}, "out": {"numbers": {"publisher": "127.0.0.1:0"}}}), "numbers")
            }
            _ => (json!({"in": {"echo": {"replyer": "127.0.0.1:0"}}, "out": {}}), "echo"),
        };
        let mut command = self.run(folder, service, &addresses)?;
        let ready = folder.join(READY);
        command.arg("--ready").arg(&ready);
        if matches!(case.work, Work::Publish { .. }) {
            command.arg("-m");
        }
        let mut process = Process::start(format!("the server of {}", self.name()), command)?;
        let endpoint = process.until(|| endpoint(&fs::read_to_string(&ready).ok()?, connection))?;
        Ok(Server { process, broker: None, endpoint, beside: None })
    }

    fn client(&self, case: &Case, server: &Server, window: Window, folder: &Path) -> anyhow::Result<Command> {
        let (_, service) = services(case);
        let mut config = json!({
            "warm_up_s": window.warm_up.as_secs_f64(),
            "seconds": window.counted.as_secs_f64(),
        });
        let addresses = match case.work {
            Work::Request { connections, calls, bytes } => {
                config["calls"] = calls.into();
                config["bytes"] = bytes.into();
                let requesters: serde_json::Map<String, Value> = (0..connections)
                    .map(|index| (format!("echo_{index}"), json!({"requester": server.endpoint})))
                    .collect();
                json!({"in": {}, "out": requesters})
            }
            Work::Publish { .. } | Work::Idle | Work::Crowd { .. } => {
                json!({"in": {"numbers": {"subscriber": server.endpoint}}, "out": {}})
            }
            Work::Changes { .. } | Work::Resync { .. } | Work::Join { .. } | Work::Memory { .. } => {
                let ready = ready_file(folder)?;
                let at =
                    |name| endpoint(&ready, name).context("the owner of the state has not said where it is");
                json!({
                    "connections": {"in": {}, "out": {"applied": {"requester": at("applied")?}}},
                    "states": {"in": {"book": {
                        "subscriber": at("book.publisher")?, "requester": at("book.replyer")?
                    }}},
                })
            }
        };
        let mut command = self.run(folder, service, &addresses)?;
        let path = folder.join(format!("{service}.config.json"));
        write(&path, &config)?;
        if let Work::Join { readers, .. } = case.work {
            return self.join(readers, folder, &path);
        }
        command.arg("-m").arg("-c").arg(path);
        if let Work::Request { connections, .. } = case.work {
            command.env(REQUESTERS, connections.to_string());
        }
        Ok(command)
    }
}

/// Reads the line that the command writes when the sockets are open; `None` while there is none.
fn endpoint(ready: &str, connection: &str) -> Option<String> {
    let ready: Value = serde_json::from_str(ready).ok()?;
    Some(ready["endpoints"][connection].as_str()?.to_owned())
}

fn ready_file(folder: &Path) -> anyhow::Result<String> {
    fs::read_to_string(folder.join(READY)).context("cannot read where the owner of the state is")
}

fn write(path: &Path, value: &Value) -> anyhow::Result<()> {
    fs::write(path, value.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_read_when_the_line_is_whole() {
        let line = r#"{"service": "bench_echo", "pid": 7, "endpoints": {"echo": "tcp://127.0.0.1:4000"}}"#;
        assert_eq!(endpoint(line, "echo").as_deref(), Some("tcp://127.0.0.1:4000"));
        assert_eq!(endpoint(&line[..40], "echo"), None);
        assert_eq!(endpoint("", "echo"), None);
    }
}
