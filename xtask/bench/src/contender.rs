//! What a contender brings: a server, and clients that load it.

use std::{path::Path, process::Command};

use crate::{case::Case, process::Process, sample::Window};

/// One of those that are compared.
///
/// The harness does the rest for all of them alike: cores, rounds, waiting, stopping, counting up.
pub(crate) trait Contender {
    /// What the page calls it.
    fn name(&self) -> &'static str;

    /// Why it cannot run a case, if so: it is not installed, or knows no such thing.
    fn refuses(&self, case: &Case) -> Option<String>;

    /// Starts the serving process of a case, a replyer or a publisher, and waits until it is ready.
    ///
    /// `folder` is empty and for this run alone.
    fn start(&self, case: &Case, folder: &Path) -> anyhow::Result<Server>;

    /// The command of one client process: it connects to the server, warms up, counts as long as it is
    /// told, prints a [`Sample`](crate::sample::Sample) as a JSON line and ends.
    ///
    /// A publisher gets one for each subscriber, a replyer one that holds all connections. An owner of a state gets one for
    /// each reader, or one for all if they join at once; without time to count in, the process prints how many seconds it took
    /// until all copies were live, and stays.
    fn client(&self, case: &Case, server: &Server, window: Window, folder: &Path) -> anyhow::Result<Command>;
}

/// A serving process that is ready.
#[derive(Debug)]
pub(crate) struct Server {
    /// The process.
    pub(crate) process: Process,
    /// What stands between the two sides, if anything does.
    pub(crate) broker: Option<Process>,
    /// Where it, or what stands between, listens: `tcp://HOST:PORT`.
    pub(crate) endpoint: String,
    /// Where the owner of a state answers to something else meanwhile, if it does.
    pub(crate) beside: Option<String>,
}
