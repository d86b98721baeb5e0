//! Sets up the Python originals, which the interoperability tests talk with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::say::say;
use crate::workspace::{self, Workspace};

/// Tells tests where the originals are, if not in `target/interop` of the workspace.
pub(crate) const VARIABLE: &str = "SERVICE_FRAMEWORK_PYTHON";

/// What stands in each environment beside the original, which names no dependencies of its own.
const PACKAGES: [&str; 3] = ["pyzmq==27.3.0", "msgpack==1.2.4", "numpy==2.4.6"];

/// The environments and the version of the original in each.
const ENVIRONMENTS: [(&str, &str); 2] = [("py18", "0.0.18"), ("py20", "0.0.20")];

/// The folder of the environments.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    match std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => workspace.root.join(folder),
        None => workspace.root.join("target").join("interop"),
    }
}

/// Makes the environments that are not there yet.
pub(crate) fn set_up(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = folder(workspace);
    for (environment, version) in ENVIRONMENTS {
        let environment = folder.join(environment);
        if imports(&environment) {
            continue;
        }
        say(format_args!("    service_framework {version} goes into {}", environment.display()));
        make(&environment, version)?;
    }
    Ok(())
}

/// Whether the original in an environment is whole.
fn imports(environment: &Path) -> bool {
    let python = environment.join("bin").join("python");
    let output = Command::new(python).args(["-c", "import service_framework"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn make(environment: &Path, version: &str) -> anyhow::Result<()> {
    let python = OsStr::new("python3");
    let found = Command::new(python).args(["-c", "import venv, ensurepip"]).output();
    let found = found.context(
        "`python3` is not there: install Python 3.11 or later (Debian: apt install python3 python3-venv)",
    )?;
    if !found.status.success() {
        bail!("`python3` cannot make virtual environments: install them (Debian: apt install python3-venv)");
    }
    workspace::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(environment))?;
    let mut pip = Command::new(environment.join("bin").join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("service_framework=={version}"));
    workspace::run(pip.args(PACKAGES)).context("pip cannot install the original: is there a network?")?;
    if !imports(environment) {
        bail!(
            "the original in {} cannot be imported: remove that folder and try again",
            environment.display()
        );
    }
    Ok(())
}
