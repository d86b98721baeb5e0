//! Reads the command line and does what it says.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use service_framework_runtime::Source;

use crate::failure::Failure;
use crate::flags::{self, Cli, Command, Run};
use crate::slip::{self, Place, Slip};
use crate::{print, run, words};

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
    if subcommand.is_some_and(|name| name != "check") {
        return match parse(words)?.command {
            _ => unreachable!("the first word is a subcommand, or clap refuses it"),
        };
    }
    let known = flags::flags_of(subcommand);
    let taken = &words[usize::from(subcommand.is_some())..];
    let split = words::split(taken, &known).map_err(|odd| {
        let slips = slip::slips(&odd.keys, &known);
        let tips: String = slips.iter().map(|slip| format!("\n\n  tip: {slip}")).collect();
        usage(subcommand, &format!("{}{tips}", odd.text))
    })?;
    let slips = slip::slips(&split.keys, &known);
    let flags: Vec<OsString> = subcommand.map(OsString::from).into_iter().chain(split.flags).collect();
    let cli = parse(&flags)?;
    match cli.command {
        Some(Command::Check(check)) => {
            refuse_slips(&check.run, subcommand, &slips)?;
            Ok(0)
        }
        _ => {
            refuse_slips(&cli.run, subcommand, &slips)?;
            run::run(&cli.run, split.arguments)
        }
    }
}

fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([OsString::from("service_framework")].iter().chain(words))
}

/// An error that ends with how the command is used.
fn usage(subcommand: Option<&str>, text: &str) -> Failure {
    let mut command = Cli::command();
    command.build();
    let command = match subcommand {
        Some(name) => command.find_subcommand_mut(name).expect("it is one of ours"),
        None => &mut command,
    };
    command.error(ErrorKind::UnknownArgument, text).into()
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
                let text = format!("`{}` is neither a flag nor a key of the config\n\n  tip: {slip}", slip.key);
                return Err(usage(subcommand, &text));
            }
        }
    }
    Ok(())
}
