//! Writes what is known as a table.

use crate::{Current, Summary};

/// What the board answered.
pub(crate) fn of_answer(current: &Current) -> String {
    let kinds = current.readings.iter();
    write(kinds.flat_map(|(kind, names)| {
        names.iter().map(move |(name, summary)| (format!("{kind} {name}"), summary))
    }))
}

/// One line for each reading, in columns.
pub(crate) fn write<'s>(rows: impl Iterator<Item = (String, &'s Summary)>) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return "the board knows nothing yet\n".into();
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max("reading".len());
    let mut table =
        format!("{:width$} {:>12} {:>12} {:>12} {:>12}\n", "reading", "last", "min", "max", "mean");
    for (name, Summary { last, min, max, mean }) in rows {
        table += &format!("{name:width$} {last:12.1} {min:12.1} {max:12.1} {mean:12.1}\n");
    }
    table
}
