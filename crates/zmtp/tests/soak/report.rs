//! Writes what a long run has measured to where `cargo xtask soak` wants it.

use std::fmt::Write as _;
use std::path::PathBuf;

/// Names the folder that results are written to, if they are.
const VARIABLE: &str = "SERVICE_FRAMEWORK_SOAK";

/// Writes a table to a file of this name, one row for each fact.
pub(crate) fn write(name: &str, facts: &[(&str, String)]) {
    let mut table = String::from("| | |\n|---|---|\n");
    for (fact, value) in facts {
        writeln!(table, "| {fact} | {value} |").expect("a text takes all");
    }
    eprint!("{table}");
    if let Some(folder) = std::env::var_os(VARIABLE) {
        std::fs::write(PathBuf::from(folder).join(name).with_extension("md"), table).expect("it is written");
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: impl TryInto<i128>) -> String {
    let number = number.try_into().unwrap_or_else(|_| panic!("it is not that large"));
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn thousands_stand_apart() {
    let text = |number: i64| grouped(number);
    assert_eq!([0, 999, 1_000, -60_000, 1_234_567].map(text), ["0", "999", "1,000", "-60,000", "1,234,567"]);
}
