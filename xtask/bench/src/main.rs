//! Measures the framework against its peers, interleaved, and writes the page of results.
//!
//! Every server and every client is a process of its own. The bench starts them, pins them where the case
//! asks for it, lets each contender run once per round (A B C, A B C, ..), and compares within a round only.

mod options;

mod case;
mod curve;
mod contender;
mod contenders;
mod round;
mod target;

mod cpus;
mod crowd;
mod idle;
mod joining;
mod many;
mod meter;
mod process;
mod sample;

mod peers;

mod machine;
mod report;
mod statistics;

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.command {
        Some(Command::Peer(peer)) => peers::run(peer),
        Some(Command::Crowd(crowd)) => crowd::run(crowd),
        Some(Command::Join(join)) => joining::run(join),
        None => measure(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> anyhow::Result<()> {
    let cpus = cpus::Cpus::of_this_process()?;
    let contenders = contenders::all(options)?;
    let results = round::run_all(options, &cpus, &contenders)?;
    let page = report::page(&machine::Machine::read(&cpus, options), &results);
    std::io::stdout().write_all(page.as_bytes())?;
    if let Some(path) = options.page() {
        write(&path, &page)?;
        let folder = path.with_file_name(report::FOLDER);
        for picture in report::pictures(&results)? {
            write(&folder.join(picture.file), &picture.svg)?;
        }
    }
    let troubles = results.iter().flat_map(|result| &result.contenders).filter_map(|it| it.trouble.as_ref());
    let failed = troubles.filter(|trouble| matches!(trouble, round::Trouble::Failed(_))).count();
    anyhow::ensure!(failed == 0, "{failed} runs failed; the page says which");
    Ok(())
}

/// Writes a file, and the folder that it lies in.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
