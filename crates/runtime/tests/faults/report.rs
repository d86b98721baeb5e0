//! Writes down what was measured, as a table with a row for each fact.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Names the folder that the tables are written to, if they are.
const VARIABLE: &str = "SERVICE_FRAMEWORK_SOAK";

/// What a timer, and a machine that has other things to do, may add to a time that is promised.
pub(crate) const SLACK: Duration = Duration::from_millis(50);

/// How long something took, each time, and how long it may.
#[derive(Debug)]
pub(crate) struct Times {
    what: &'static str,
    bound: Duration,
    taken: Vec<Duration>,
}

impl Times {
    pub(crate) fn new(what: &'static str, bound: Duration) -> Self {
        Self { what, bound, taken: Vec::new() }
    }

    pub(crate) fn add(&mut self, taken: Duration) {
        self.taken.push(taken);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Whether it was measured, and never took longer than it may.
    pub(crate) fn are_kept(&self) -> bool {
        !self.is_empty() && self.taken.iter().all(|taken| *taken <= self.bound)
    }

    /// The median and the longest.
    pub(crate) fn median_and_longest(&self) -> [Duration; 2] {
        let mut taken = self.taken.clone();
        taken.sort_unstable();
        [taken.get(taken.len() / 2), taken.last()].map(|taken| taken.copied().unwrap_or_default())
    }
}

/// Writes a table to a file of this name.
pub(crate) fn write(name: &str, facts: &[(&str, String)]) {
    let mut table = String::from("| | |\n|---|---|\n");
    for (fact, value) in facts {
        writeln!(table, "| {fact} | {value} |").expect("a text takes all");
    }
    keep(name, &table);
}

/// Writes a table of times.
pub(crate) fn write_times(name: &str, times: &[Times]) {
    let mut table =
        String::from("| milliseconds | times | median | longest | at most |\n|---|--:|--:|--:|--:|\n");
    for times in times {
        let [median, longest] = times.median_and_longest().map(|taken| taken.as_secs_f64() * 1e3);
        let (what, count, bound) = (times.what, times.taken.len(), times.bound.as_millis());
        writeln!(table, "| {what} | {count} | {median:.1} | {longest:.1} | {bound} |")
            .expect("a text takes all");
    }
    keep(name, &table);
}

fn keep(name: &str, table: &str) {
    eprint!("{table}");
    if let Some(folder) = std::env::var_os(VARIABLE) {
        std::fs::write(Path::new(&folder).join(name).with_extension("md"), table).unwrap();
    }
}
