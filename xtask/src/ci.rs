//! `cargo xtask ci`: everything that a change must pass, what fails soonest first.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::say::say;
use crate::step::step;
use crate::workspace::{self, Workspace};
use crate::{bench, examples, fuzz, peers, test, tidy};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs everything.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    step("format", || workspace.cargo(["fmt", "--all", "--check"]))?;
    step("tidy", || tidy::run(workspace))?;
    step("a C++ compiler", bench::compiler)?;
    step("clippy", || workspace.cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step("the protocol without sockets", || {
        let zmtp = "service-framework-zmtp";
        workspace.cargo(["clippy", "--package", zmtp, "--no-default-features", "--", "-D", "warnings"])
    })?;
    step("peers that nothing else builds", || {
        let mut command = workspace.cargo_command();
        command.args(["clippy", "--package", bench::PACKAGE, "--package", peers::PACKAGE]);
        workspace::run(command.args(["--all-features", "--all-targets", "--", "-D", "warnings"]))
    })?;
    step("deny", || deny(workspace))?;
    step("documentation", || documentation(workspace))?;
    step("examples", || examples::run(workspace))?;
    step("fuzz", || fuzz::briefly(workspace))?;
    test::run(workspace)
}

fn documentation(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = workspace.cargo_command();
    workspace::run(command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Holds dependencies to `deny.toml`, with a cargo-deny of our own if there is none.
fn deny(workspace: &Workspace) -> anyhow::Result<()> {
    let tools = workspace.target.join("tools");
    let ours = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    let found = [PathBuf::from("cargo-deny"), ours.clone()].into_iter().find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    });
    let program = match found {
        Some(program) => program,
        None => {
            say(format_args!(
                "    cargo-deny {CARGO_DENY} is not there: it is built into {}",
                tools.display()
            ));
            install_deny(workspace, &tools)?;
            ours
        }
    };
    let mut command = Command::new(program);
    command.current_dir(&workspace.root);
    workspace::run(command.args(["--all-features", "check", "bans", "licenses", "sources"]))
}

fn install_deny(workspace: &Workspace, tools: &Path) -> anyhow::Result<()> {
    let mut command = workspace.cargo_command();
    // It runs for a second, and would be optimised for several minutes.
    command.args(["install", "--quiet", "--locked", "--debug"]).env("CARGO_PROFILE_DEV_DEBUG", "none");
    command.args(["--version", CARGO_DENY, "cargo-deny", "--root"]).arg(tools);
    // What it is built of is of no more use.
    workspace::run(command.env_remove("CARGO_TARGET_DIR"))
}
