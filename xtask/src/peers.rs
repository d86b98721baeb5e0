//! `cargo xtask peers`: the tests of our engine with all others in Rust, also with those that take long to build.

use crate::step::step;
use crate::workspace::Workspace;

/// The package of these tests.
pub(crate) const PACKAGE: &str = "service-framework-zmtp-peers";

/// Runs them.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    step("other engines in Rust", || workspace.cargo(["test", "--package", PACKAGE, "--all-features"]))
}
