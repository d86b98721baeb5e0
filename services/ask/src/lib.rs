//! Asks the board what it knows, and prints it: a table for people, JSON for programs.

mod table;

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _, stdout};

use service_framework::prelude::*;

/// How often to ask, and how to print.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds from one question to the next.
    #[model(default = 1.0)]
    pub every_s: f64,
    /// How many questions; without it there is no end.
    pub times: Option<u64>,
    /// Whether to print one line of JSON for each answer, instead of a table.
    #[model(default)]
    pub json: bool,
}

/// What the board knows of one reading. It says more; `open` lets that pass.
#[derive(Model, Debug)]
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

/// All that the board knows.
#[derive(Model, Debug)]
pub struct Current {
    /// By kind, then by name.
    pub readings: BTreeMap<String, BTreeMap<String, Summary>>,
}

/// The board. It takes no arguments.
pub const CURRENT: Requester<Empty, Current> =
    Requester::new("current").doc("Asks the board for all it knows.");

/// The one who asks.
#[derive(Debug)]
pub struct Ask {
    config: Config,
}

/// Asks the board and prints what it knows.
#[service(uses(CURRENT))]
impl Ask {
    fn new(config: Config) -> Result<Self> {
        if !(0.0..=86_400.0).contains(&config.every_s) {
            return Err(Error::msg(format!("every_s is {}, and must be 0 to 86400", config.every_s)));
        }
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        for question in 0..self.config.times.unwrap_or(u64::MAX) {
            if question > 0 {
                cx.sleep(Duration::from_secs_f64(self.config.every_s)).await;
            }
            let text = if self.config.json { json(cx).await? } else { table(cx).await? };
            match stdout().lock().write_all(text.as_bytes()) {
                // Whoever stops reading, as `head` does, has read enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                written => written?,
            }
        }
        Ok(())
    }
}

/// The answer as a table, which takes the place of the last one on a terminal, and stands apart from it elsewhere.
async fn table(cx: &Context) -> Result<String> {
    const CLEAR: &str = "\x1b[H\x1b[2J";
    let table = table::write(&cx.request(&CURRENT, &()).await?);
    Ok(if stdout().is_terminal() { format!("{CLEAR}{table}") } else { format!("{table}\n") })
}

/// The answer as it came, whatever is in it: what is sent by name is of any shape.
async fn json(cx: &Context) -> Result<String> {
    let current = cx.send(CURRENT.name(), &value!({})).await?;
    Ok(format!("{current}\n"))
}

export!(Ask);

#[cfg(test)]
mod tests;
