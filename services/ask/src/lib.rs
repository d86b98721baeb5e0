//! Prints what the board knows, by asking it or from a copy that follows it: a table for people, JSON for programs.

mod follow;
mod table;

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _, stdout};
use std::ops::ControlFlow;

use service_framework::prelude::*;

use follow::Look;

/// How often to ask or to look, and how to print.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds from one question to the next, or from one look at the copy.
    #[model(default = 1.0)]
    pub every_s: f64,
    /// How many answers or tables; without it there is no end.
    pub times: Option<u64>,
    /// Whether to print one line of JSON for each, instead of a table.
    #[model(default)]
    pub json: bool,
    /// Whether to hold a copy of the readings and print it when it has changed, instead of asking.
    #[model(default)]
    pub follow: bool,
}

/// What the board knows of one reading. It says more; `open` lets that pass.
#[derive(Model, Clone, Debug)]
#[model(open)]
pub struct Summary {
    /// The latest.
    pub last: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean of all.
    pub mean: f64,
}

impl Summary {
    fn value(&self) -> Value {
        value!({"last": (self.last), "min": (self.min), "max": (self.max), "mean": (self.mean)})
    }
}

/// All that the board knows.
#[derive(Model, Debug)]
pub struct Current {
    /// By kind, then by name.
    pub readings: BTreeMap<String, BTreeMap<String, Summary>>,
}

/// The board. It takes no arguments.
pub const CURRENT: Requester<Empty, Current> =
    Requester::new("current").doc("Asks the board for all it knows.");

/// A copy of what the board knows, by kind and name.
pub const READINGS: DeltaUpdateIn<BTreeMap<String, Summary>> =
    DeltaUpdateIn::new("readings").doc("What the board knows of each reading, to follow it.");

/// The one who asks.
#[derive(Debug)]
pub struct Ask {
    config: Config,
}

/// Prints what the board knows, by asking it or from a copy that follows it.
#[service(uses(CURRENT, READINGS))]
impl Ask {
    fn new(config: Config) -> Result<Self> {
        let (least, why) = if config.follow { (0.05, " where it follows") } else { (0.0, "") };
        if !(least..=86_400.0).contains(&config.every_s) {
            return Err(Error::msg(format!(
                "every_s is {}, and must be {least} to 86400{why}",
                config.every_s
            )));
        }
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let every = Duration::from_secs_f64(self.config.every_s);
        let mut look = Look::default();
        if self.config.follow {
            // A board that is there is known in a moment. One that is not is said to be missing.
            _ = cx.timeout(every, cx.live(&READINGS)).await;
        }
        let mut left = self.config.times.unwrap_or(u64::MAX);
        while left > 0 {
            if let Some(text) = self.text(cx, &mut look).await? {
                if print(&text)?.is_break() {
                    break;
                }
                left -= 1;
            }
            if left > 0 {
                cx.sleep(every).await;
            }
        }
        Ok(())
    }
}

impl Ask {
    /// What is to be printed next, if anything is.
    async fn text(&self, cx: &Context, look: &mut Look) -> Result<Option<String>> {
        let Config { follow, json, .. } = self.config;
        Ok(Some(match (follow, json) {
            (false, false) => in_place(&table::of_answer(&cx.request(&CURRENT, &()).await?)),
            // As it came, whatever is in it: what is sent by name is of any shape.
            (false, true) => format!("{}\n", cx.send(CURRENT.name(), &value!({})).await?),
            (true, _) if !look.is_new(cx)? => return Ok(None),
            (true, false) => in_place(&look.table(cx)?),
            (true, true) => format!("{}\n", look.json(cx)?),
        }))
    }
}

/// A table that takes the place of the last one on a terminal, and stands apart from it elsewhere.
fn in_place(table: &str) -> String {
    const CLEAR: &str = "\x1b[H\x1b[2J";
    if stdout().is_terminal() { format!("{CLEAR}{table}") } else { format!("{table}\n") }
}

/// Prints, until nobody reads any more.
fn print(text: &str) -> Result<ControlFlow<()>> {
    match stdout().lock().write_all(text.as_bytes()) {
        // Whoever stops reading, as `head` does, has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        written => Ok(ControlFlow::Continue(written?)),
    }
}

export!(Ask);

#[cfg(test)]
mod tests;
