//! Writes down what was measured, as a table with a row for each fact.

use std::fmt::Write as _;
use std::path::Path;

/// Names the folder that the tables are written to, if they are.
const VARIABLE: &str = "SERVICE_FRAMEWORK_SOAK";

/// Writes a table to a file of this name.
pub(crate) fn write(name: &str, facts: &[(&str, String)]) {
    let mut table = String::from("| | |\n|---|---|\n");
    for (fact, value) in facts {
        writeln!(table, "| {fact} | {value} |").expect("a text takes all");
    }
    eprint!("{table}");
    if let Some(folder) = std::env::var_os(VARIABLE) {
        std::fs::write(Path::new(&folder).join(name).with_extension("md"), table).unwrap();
    }
}
