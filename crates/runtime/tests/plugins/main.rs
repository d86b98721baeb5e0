//! Services from libraries: those that are loaded, and those that are refused, each with its reason.

#[path = "../support/peers.rs"]
mod support;

mod c;
mod loaded;
mod refused;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use service_framework_core::{Value, value};
use service_framework_runtime::{Options, Service};

use support::wired;

/// The folder of the plugin's crate.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plugins/clerk")
}

/// The plugin's library, built once, and out of the way of whoever builds it again.
fn library() -> &'static Path {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = build();
        // A library that is open is replaced, never written over.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (whole, copy) =
            (folder.path().join("whole"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("libclerk.so"));
        std::fs::copy(&built, &whole).unwrap();
        std::fs::rename(&whole, &copy).unwrap();
        copy
    });
    &LIBRARY
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json", "--manifest-path"]).arg(folder().join("Cargo.toml"));
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let files = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let files = files.filter(|message| message["target"]["name"] == "clerk");
    let mut files = files.flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let is_library =
        |file: &serde_json::Value| file.as_str().unwrap().ends_with(std::env::consts::DLL_SUFFIX);
    files.find(is_library).unwrap().as_str().unwrap().into()
}

const REPLYERS: [&str; 8] =
    ["add", "rest", "dial", "relay", "delegate", "stumble", "stumble_later", "length_of"];

fn options(config: Value) -> Options {
    options_beside(config, "127.0.0.1:9")
}

/// The options of a clerk that another one is next to.
fn options_beside(config: Value, next: &str) -> Options {
    let entries: value::Map =
        REPLYERS.iter().map(|name| (*name, value!({"replyer": "127.0.0.1:0"}))).collect();
    let book = value!({"in": (Value::Map(entries)), "out": {"next": {"requester": next}}});
    Options { config: config.into(), ..wired(book) }
}

fn clerk(at: impl Into<PathBuf>) -> Service {
    Service::at(at, options(value!({})))
}
