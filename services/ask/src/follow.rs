//! Looks at the copy of what the board knows, and says how far that is.

use std::time::Duration;

use service_framework::prelude::*;

use crate::{READINGS, table};

/// The last look at the copy.
#[derive(Debug, Default)]
pub(crate) struct Look(Option<(Status, Option<i64>)>);

impl Look {
    /// Looks, and says whether there is anything to be told: something has changed, or the copy is not live, and has not been for longer.
    pub(crate) fn is_new(&mut self, cx: &Context) -> Result<bool> {
        let now = cx.state_status(&READINGS)?;
        let is_new = self.0.replace((now.status, now.number)) != Some((now.status, now.number));
        Ok(is_new || now.status != Status::Live)
    }

    /// How far the copy is, and what it has.
    pub(crate) fn table(&self, cx: &Context) -> Result<String> {
        let now = cx.state_status(&READINGS)?;
        let standing = standing(now.status, now.since, now.number);
        // Before the first value nothing is known of what the board knows.
        let Ok(readings) = cx.state(&READINGS) else { return Ok(format!("{standing}\n")) };
        let table = table::write(readings.iter().map(|(key, summary)| (key.clone(), summary)));
        Ok(format!("{standing}\n{table}"))
    }

    /// The same for programs.
    pub(crate) fn json(&self, cx: &Context) -> Result<Value> {
        let now = cx.state_status(&READINGS)?;
        let readings = cx.state(&READINGS).ok();
        let rows = readings.iter().flat_map(|readings| readings.iter());
        let rows: Map = rows.map(|(key, summary)| (key.clone(), summary.value())).collect();
        Ok(value!({
            "status": (now.status.name()),
            "since_s": (now.since.as_secs_f64()),
            "number": (now.number),
            "readings": (Value::Map(rows)),
        }))
    }
}

/// How far a copy is, for people.
pub(crate) fn standing(status: Status, since: Duration, number: Option<i64>) -> String {
    let at = number.map_or_else(|| "without a value".to_owned(), |number| format!("at number {number}"));
    match status {
        Status::Live => format!("live {at}"),
        Status::Stale | Status::Syncing => format!("{status} for {} s {at}", since.as_secs()),
    }
}
