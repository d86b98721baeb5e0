//! Checks how source files open, where they lie, where `unsafe` may stand, and which may name an engine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::engines;

/// The only files but for tests that may have `unsafe` code in them. Everywhere else the workspace's lints refuse it.
const UNSAFE: &[&str] = &[
    "crates/core/src/plugin/guest/host.rs",
    "crates/core/src/plugin/guest/table.rs",
    "crates/core/src/plugin/host/instance.rs",
    "crates/core/src/plugin/host/plugin.rs",
    "crates/core/src/plugin/host/table.rs",
    "crates/core/src/plugin/lend.rs",
    "crates/runtime/src/load.rs",
    "xtask/bench/src/peers/libzmq/no_drop.rs",
];

/// Says what is wrong with the source files below `root`.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for top in ["crates", "services", "xtask"] {
        for path in sources(&root.join(top))? {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let found = faults_of(&name, &text).into_iter().map(str::to_owned);
            let found = found.chain(engines::faults_of(&name, &text));
            faults.extend(found.map(|fault| format!("{name}: {fault}")));
        }
    }
    Ok(faults)
}

/// All Rust files in a folder, but for what was built, and what tests show to the compiler.
fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != "compile_errors" {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn faults_of(name: &str, text: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if !text.starts_with("//! ") {
        faults.push("it opens without a sentence on what it is for: write `//! ..` in its first line");
    }
    if name.ends_with("/mod.rs") {
        faults.push("a module is a file beside its folder: call it as the folder");
    }
    // The workspace's lints deny `unsafe`, and this is how a file gets around them.
    let lifts = |line: &str| {
        line.trim_start().starts_with("#") && line.contains("unsafe_code") && !line.contains("forbid(")
    };
    let may = UNSAFE.contains(&name) || name.contains("/tests/");
    if !may && text.lines().any(lifts) {
        faults.push("it allows `unsafe` code, which stands in the plugin boundary alone");
    }
    faults
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &Expect) {
        expected.assert_eq(&faults_of(name, text).join("\n"));
    }

    #[test]
    fn a_file_as_it_should_be_has_no_faults() {
        check("crates/core/src/lib.rs", "//! What.\n\nmod a;\n", &expect![""]);
        let boundary = "//! What.\n#![expect(unsafe_code, reason = \"..\")]\n";
        check("crates/core/src/plugin/guest/table.rs", boundary, &expect![""]);
    }

    #[test]
    fn faults_are_named() {
        check(
            "crates/core/src/wire/mod.rs",
            "use std;\n    #[expect(unsafe_code, reason = \"..\")]\n",
            &expect![[r#"
                it opens without a sentence on what it is for: write `//! ..` in its first line
                a module is a file beside its folder: call it as the folder
                it allows `unsafe` code, which stands in the plugin boundary alone"#]],
        );
    }
}
