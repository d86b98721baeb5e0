//! Where things are in this workspace, and how cargo is run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// This workspace, as cargo sees it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// What `cargo metadata --no-deps` says.
    pub(crate) metadata: Value,
}

impl Workspace {
    /// Finds the workspace that this program was built in.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.context("the folder of xtask lies in the workspace")?.to_owned();
        let mut command = cargo(&root);
        command.args(["metadata", "--format-version=1", "--no-deps"]).stderr(Stdio::inherit());
        let output = command.output().context("cannot run cargo")?;
        if !output.status.success() {
            bail!("`cargo metadata` ended with {}", output.status);
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let target =
            metadata["target_directory"].as_str().context("cargo names its target directory")?.into();
        Ok(Self { root, target, metadata })
    }

    /// Runs cargo, and fails if it does.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> anyhow::Result<()> {
        run(cargo(&self.root).args(args))
    }

    /// A cargo to be run.
    pub(crate) fn cargo_command(&self) -> Command {
        cargo(&self.root)
    }

    /// The packages in it.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Value> {
        self.metadata["packages"].as_array().into_iter().flatten()
    }
}

fn cargo(root: &Path) -> Command {
    // cargo sets CARGO to itself for programs that it runs.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).stdin(Stdio::null());
    command
}

/// Runs a command, and fails if it does.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(|word| word.display().to_string()).collect();
    let words = words.join(" ");
    let status = command.status().with_context(|| format!("cannot run `{words}`"))?;
    if !status.success() {
        bail!("`{words}` ended with {status}");
    }
    Ok(())
}
