//! Compares the flags that the command knows with those that the guide names.

use std::collections::BTreeSet;

use anyhow::bail;

/// Fails if the help has a flag that the page's table lacks, or the other way round.
pub(super) fn compare(help: &str, page: &str) -> anyhow::Result<()> {
    let (known, named) = (of_help(help), of_page(page));
    let differing: Vec<&str> = known.symmetric_difference(&named).copied().collect();
    if !differing.is_empty() {
        bail!("the command or the page lacks {}", differing.join(", "));
    }
    Ok(())
}

/// The words that begin with a dash, on lines that do.
fn of_help(help: &str) -> BTreeSet<&str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_end_matches(','));
    words.filter(|word| word.starts_with('-')).collect()
}

/// The code in the first two columns of tables that begins with a dash.
fn of_page(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix('|'));
    let columns = rows.flat_map(|row| row.split('|').take(2)).map(|column| column.trim().trim_matches('`'));
    columns.filter(|word| word.strip_prefix('-').is_some_and(|rest| !rest.starts_with("--"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "Usage: x [--any <VALUE>]\n\nOptions:\n  -s, --service <PATH>\n          A path, not -x\n -wt, --wait\n";

    #[test]
    fn the_same_flags_pass() {
        compare(HELP, "| flag | |\n|---|---|\n| `-s` | `--service` |\n| `-wt` | `--wait` | `--no` |\n")
            .unwrap();
    }

    #[test]
    fn what_differs_is_named() {
        let error = compare(HELP, "| `-s` | `--service` |\n| `-wt` | `--wate` |\n").unwrap_err();
        assert_eq!(error.to_string(), "the command or the page lacks --wait, --wate");
    }
}
