//! `cargo xtask bench`: builds the framework as its users run it, and measures it against its peers.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::interop;
use crate::step::step;
use crate::workspace::{self, Workspace};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What the bench is told, `--help` for what that may be.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

/// The package of the benchmark.
pub(crate) const PACKAGE: &str = "service-framework-bench";

/// Finds the compiler that the benchmark's peer libzmq and the fuzzer are built with.
pub(crate) fn compiler() -> anyhow::Result<()> {
    let name = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let mut command = Command::new(&name);
    let found = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        bail!(
            "there is no C++ compiler `{}`, which the benchmark's peer libzmq and the fuzzer are built with: \
             install one (Debian: `apt install g++`), or name one in CXX",
            name.display()
        );
    }
    Ok(())
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    step("a C++ compiler", compiler)?;
    step("the Python original", || interop::set_up(workspace))?;
    // Apart, so that what the peers ask of crates that both have does not become part of the framework.
    step("the framework", || {
        let command = &mut workspace.cargo_command();
        command.args(["build", "--release", "-p", "service-framework-cli"]);
        let services = ["bench_echo", "bench_ask", "bench_publish", "bench_count", "bench_own", "bench_copy"];
        workspace::run(command.args(services.iter().flat_map(|service| ["-p", service])))
    })?;
    step("its peers", || workspace.cargo(["build", "--release", "-p", PACKAGE, "--features", "peers"]))?;
    let bench = workspace.target.join("release").join(format!("{PACKAGE}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(bench);
    command.current_dir(&workspace.root).arg("--python").arg(interop::folder(workspace).join("py20"));
    workspace::run(command.args(&options.args))
}
