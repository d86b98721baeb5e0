//! Builds the crate of a service with cargo.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Builds the crate in `folder` and gives its shared library. What the compiler says goes to stderr as it comes.
pub(crate) fn library(folder: &Path) -> Result<PathBuf, Error> {
    let refused = |why: String| Error::Build { path: folder.to_owned(), why };
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(refused(
            "there is no Cargo.toml in it: give the folder of a service's crate, or a shared library".into(),
        ));
    }
    // cargo sets CARGO to itself for programs that it runs.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--message-format=json-render-diagnostics", "--manifest-path"]).arg(&manifest);
    // Debug services under a debug command, optimised ones under an optimised command.
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| refused(format!("cannot run {}: {error}", cargo.display())))?;
    if !output.status.success() {
        return Err(refused(format!("`cargo build` ended with {}", output.status)));
    }
    let manifest = manifest.canonicalize().map_err(|error| refused(error.to_string()))?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    let library = libraries.lines().filter_map(|line| artifact(line, &manifest)).next_back();
    library.ok_or_else(|| {
        refused("it builds no shared library: write `[lib] crate-type = [\"cdylib\", \"rlib\"]` in its Cargo.toml".into())
    })
}

/// The shared library in a line of cargo's messages, if it is one about the crate of `manifest`.
fn artifact(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_of_crate = message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    if message["reason"] != "compiler-artifact" || !is_of_crate {
        return None;
    }
    let position = message["target"]["crate_types"].as_array()?.iter().position(|kind| kind == "cdylib")?;
    // One file for each crate type, debug information beside them.
    let files: Vec<&str> = message["filenames"].as_array()?.iter().filter_map(|file| file.as_str()).collect();
    let is_library = |file: &&str| file.ends_with(std::env::consts::DLL_SUFFIX);
    files
        .get(position)
        .copied()
        .filter(is_library)
        .or_else(|| files.into_iter().find(is_library))
        .map(PathBuf::from)
}
