//! Reads the command line and does what it says.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use service_framework_core::shown::named;
use service_framework_runtime::Source;

use crate::failure::Failure;
use crate::flags::{self, Cli, Command, Run};
use crate::slip::{self, Place, Slip};
use crate::{bus, check, describe, keys, new, print, run, words};

/// Does what the words say, the name of the program being the first; gives the exit code.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.skip(1).collect();
    let failure = match obey(&words) {
        Ok(code) => return code,
        Err(failure) => failure,
    };
    match &failure {
        // Help and version were asked for.
        Failure::Usage(error) if !error.use_stderr() => {
            _ = print::data(&flags::with_short_names(&error.to_string()));
        }
        failure => print::message(&failure.to_string()),
    }
    failure.exit_code()
}

fn obey(words: &[OsString]) -> Result<u8, Failure> {
    let subcommand = words.first().and_then(|first| first.to_str()).filter(|first| !first.starts_with('-'));
    // All words of the others are clap's to know, as is a first word that is no subcommand.
    if subcommand.is_some_and(|name| name != CHECK) {
        return match parse(subcommand, &flags::with_long_names(words))?.command {
            Some(Command::Describe(asked)) => describe::describe(&asked),
            Some(Command::New(asked)) => new::new(&asked),
            Some(Command::Bus(asked)) => bus::bus(asked),
            Some(Command::Keys(asked)) => keys::keys(&asked),
            Some(Command::Check(_)) | None => unreachable!("the first word is neither `check` nor a flag"),
        };
    }
    let known = flags::flags_of(subcommand);
    let taken = &words[usize::from(subcommand.is_some())..];
    let split = words::split(taken, &known).map_err(|odd| {
        let slips = slip::slips(&odd.keys, &known).iter().map(Slip::to_string).collect::<Vec<_>>();
        let late = SUBCOMMANDS.iter().find(|name| odd.word == **name);
        let late = late.map(|name| format!("a subcommand is the first word: `service_framework {name} ..`"));
        let tips: String = slips.into_iter().chain(late).map(|tip| format!("\n\n  tip: {tip}")).collect();
        usage(subcommand, &format!("{}{tips}", odd.text))
    })?;
    let slips = slip::slips(&split.keys, &known);
    let flags: Vec<OsString> = subcommand.map(OsString::from).into_iter().chain(split.flags).collect();
    let cli = parse(subcommand, &flags)?;
    match cli.command {
        Some(Command::Check(asked)) => {
            refuse_slips(&asked.run, subcommand, &slips)?;
            check::check(&asked, split.arguments)
        }
        _ => {
            refuse_slips(&cli.run, subcommand, &slips)?;
            run::run(&cli.run, split.arguments)
        }
    }
}

const CHECK: &str = "check";

const SUBCOMMANDS: [&str; 5] = ["describe", CHECK, "new", "bus", "keys"];

fn parse(subcommand: Option<&str>, words: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([OsString::from("service_framework")].iter().chain(words)).map_err(|error| {
        let text = error.to_string();
        let is_usage_due = error.use_stderr() && !text.contains("\nUsage: ");
        let said = text.strip_prefix("error: ").and_then(|text| text.split_once("\n\nFor more information"));
        match said {
            // clap leaves the usage out where the value of a flag is wrong.
            Some((said, _)) if is_usage_due => usage(subcommand, said),
            _ => error,
        }
    })
}

/// An error that ends with how the command is used.
fn usage(subcommand: Option<&str>, text: &str) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    let command = match subcommand {
        Some(name) => command.find_subcommand_mut(name).expect("clap has parsed its words"),
        None => &mut command,
    };
    command.error(ErrorKind::UnknownArgument, text)
}

/// Refuses the keys that look like flags and have no place in the config. Whatever else is wrong may follow from them, so they are told alone.
fn refuse_slips(run: &Run, subcommand: Option<&str>, slips: &[Slip]) -> Result<(), Failure> {
    if slips.is_empty() {
        return Ok(());
    }
    let model = Source::path(run.service()).describe()?.config;
    for slip in slips {
        match slip.place_in(&model) {
            Place::Field => {}
            Place::Anywhere => print::message(&format!("note: {slip} It goes into the config.\n")),
            Place::Nowhere => {
                let key = named(&slip.key);
                let text = format!("{key} is neither a flag nor a key of the config\n\n  tip: {slip}");
                return Err(usage(subcommand, &text).into());
            }
        }
    }
    Ok(())
}
