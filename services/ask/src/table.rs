//! Writes what the board knows as a table.

use crate::{Current, Summary};

/// One line for each reading, in columns.
pub(crate) fn write(current: &Current) -> String {
    let rows: Vec<(String, &Summary)> = current
        .readings
        .iter()
        .flat_map(|(kind, names)| {
            names.iter().map(move |(name, summary)| (format!("{kind} {name}"), summary))
        })
        .collect();
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
