//! `cargo xtask bench`: builds the framework as its users run it, and measures it against its peers.

use std::ffi::OsString;

use crate::interop;
use crate::step::step;
use crate::workspace::{self, Workspace};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What the bench is told, `--help` for what that may be.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    step("the Python original", || interop::set_up(workspace))?;
    step("the framework and its peers", || {
        let command = &mut workspace.cargo_command();
        command.args(["build", "--release", "-p", "service-framework-cli", "-p", "service-framework-bench"]);
        let services = ["bench_echo", "bench_ask", "bench_publish", "bench_count"];
        workspace::run(command.args(services.iter().flat_map(|service| ["-p", service])))
    })?;
    let bench = workspace
        .target
        .join("release")
        .join(format!("service-framework-bench{}", std::env::consts::EXE_SUFFIX));
    let mut command = std::process::Command::new(bench);
    command.current_dir(&workspace.root).arg("--python").arg(interop::folder(workspace).join("py20"));
    workspace::run(command.args(&options.args))
}
