//! `cargo xtask ci`: everything that a change must pass, what fails soonest first.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::step::step;
use crate::workspace::{self, Workspace};
use crate::{test, tidy};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs everything.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    step("format", || workspace.cargo(["fmt", "--all", "--check"]))?;
    step("tidy", || tidy::run(workspace))?;
    step("clippy", || workspace.cargo(["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    step("deny", || deny(workspace))?;
    step("documentation", || documentation(workspace))?;
    step("examples", || examples(workspace))?;
    test::run(workspace)
}

fn documentation(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = workspace.cargo_command();
    workspace::run(command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Runs every example to its end.
fn examples(workspace: &Workspace) -> anyhow::Result<()> {
    let is_default = |package: &&Value| {
        let defaults = workspace.metadata["workspace_default_members"].as_array();
        defaults.is_some_and(|members| members.contains(&package["id"]))
    };
    for package in workspace.packages().filter(is_default) {
        let name = package["name"].as_str().context("a package has a name")?;
        for target in package["targets"].as_array().into_iter().flatten() {
            if target["kind"] == serde_json::json!(["example"]) {
                let example = target["name"].as_str().context("an example has a name")?;
                workspace.cargo(["run", "--quiet", "--package", name, "--example", example])?;
            }
        }
    }
    Ok(())
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
            println!("    cargo-deny {CARGO_DENY} is not there: it is built into {}", tools.display());
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
