//! `cargo xtask tidy`: what no compiler checks.

mod arrows;
mod authors;
mod data;
mod engines;
mod sources;

use anyhow::bail;

use crate::workspace::Workspace;

/// Checks everything, and says all that is wrong at once.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut faults = sources::check(&workspace.root)?;
    faults.extend(arrows::check(&workspace.metadata));
    faults.extend(authors::check(workspace)?);
    faults.extend(data::check(&workspace.root)?);
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} faults:\n  {}", faults.len(), faults.join("\n  "))
}
