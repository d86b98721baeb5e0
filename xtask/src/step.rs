//! Announces the steps of a chore, with how long each took.

use std::time::Instant;

use anyhow::Context as _;

use crate::say::say;

/// Does one step of a chore.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(format_args!("==> {name}"));
    let begun = Instant::now();
    let done = work().with_context(|| format!("step `{name}` failed"))?;
    say(format_args!("    {name}: done in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(done)
}
