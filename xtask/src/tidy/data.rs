//! Checks that each shipped service has an address book and a config, and that neither is left over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Says what is missing or left over below `root`.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let services = stems(&root.join("services"))?;
    let mut faults = Vec::new();
    for folder in ["addresses", "configs"] {
        let files = stems(&root.join(folder))?;
        faults.extend(
            services.difference(&files).map(|name| format!("service {name} has no {folder}/{name}.json")),
        );
        faults
            .extend(files.difference(&services).map(|name| format!("{folder}/{name}.json is of no service")));
    }
    Ok(faults)
}

fn stems(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries
        .map(|entry| Ok(entry?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_services_go_together() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["services/echo", "addresses", "configs"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["addresses/echo.json", "configs/old.json"] {
            fs::write(root.path().join(file), "{}").unwrap();
        }
        let faults = check(root.path()).unwrap();
        assert_eq!(faults, ["service echo has no configs/echo.json", "configs/old.json is of no service"]);
    }
}
