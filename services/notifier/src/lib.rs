//! Tells people what happened: appends a line to a file for each notice.

use std::fs::OpenOptions;
use std::io::Write as _;

use service_framework::prelude::*;

/// Where notices go.
#[derive(Model, Debug)]
pub struct Config {
    /// The file that they are appended to.
    pub file: String,
}

/// Something to tell people.
#[derive(Model, Debug)]
pub struct Notice {
    /// When it happened.
    pub at: DateTime,
    /// What happened.
    pub text: String,
}

/// A line for a file.
#[derive(Model, Debug, PartialEq)]
pub struct Line {
    /// Which file.
    pub file: String,
    /// What to append, without its end.
    pub text: String,
}

/// The file. Files block, so its function runs on a thread of a pool.
pub const APPEND: ExternalTarget<Line, Empty> =
    ExternalTarget::new("append_to_file", append).doc("Appends a line.");

/// The notifier.
#[derive(Debug)]
pub struct Notifier {
    config: Config,
}

/// Appends notices to a file.
#[service(uses(APPEND))]
impl Notifier {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    /// Appends a notice; the answer means that it stands in the file.
    #[replyer]
    async fn notify(&self, notice: Notice, cx: &Context) -> Result<()> {
        // One notice is one line, whatever its text.
        let text = format!("{} {}", notice.at, notice.text.escape_debug());
        cx.call(&APPEND, &Line { file: self.config.file.clone(), text }).await
    }
}

fn append(Line { file, text }: Line) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    // One call of `write`, so that lines of several notifiers do not mix.
    file.write_all(format!("{text}\n").as_bytes())?;
    Ok(())
}

export!(Notifier);

#[cfg(test)]
mod tests;
