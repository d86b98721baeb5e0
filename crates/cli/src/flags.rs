//! The flags and subcommands, as clap reads them and as its help shows them.

mod settings;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Styles;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use service_framework_core::address::Address;
use service_framework_core::settings::{Plaintext, SlowSubscriber};
use service_framework_runtime::log::Level;
use service_framework_runtime::{Given, Mode, Options};

use crate::words::Flag;

/// The names of the original that have one dash and two letters, which clap has no place for.
const SHORT: [(&str, &str); 3] =
    [("-wt", "--service_loop_min_wait_time_s"), ("-cl", "--console_loglevel"), ("-bc", "--backup_count")];

/// Runs a service: a plugin, wired by an address book.
#[derive(Debug, Parser)]
#[command(
    name = "service_framework",
    bin_name = "service_framework",
    version,
    styles = Styles::plain(),
    next_line_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    disable_version_flag = true,
    override_usage = "service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...\n       service_framework <COMMAND>",
    after_help = AFTER
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) run: Run,
    /// Prints the version.
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const AFTER: &str = "\
Any other `--key value`, `-key value` or `--key=value` sets a key of the config, over the file;
`--a.b value` sets `b` inside `a`. The value is the next word even if it begins with a dash, unless
it is one of the flags above.
LEVEL is critical, error, warning, info, debug, notset or none, in any case; or as tracing has them.

Exit codes: 0 ended or drained, 1 the service failed, 2 wrong usage, 70 a fault of service_framework
itself, 75 stopped with work not drained, 78 config, addresses or plugin refused.
Signals: SIGINT and SIGTERM stop and drain, a second one stops at once; SIGUSR1 prints the counters.";

/// The subcommands, told by the first word.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Describe(Describe),
    Check(Check),
    New(New),
    Bus(Bus),
    Keys(Keys),
}

/// What a service is run with.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The service: its shared library, or the folder of its crate, which is built first.
    #[arg(short = 's', long = "service_path", alias = "service-path", value_name = "PATH", required = true)]
    service: Option<PathBuf>,
    /// Its config, a JSON file.
    #[arg(short = 'c', long = "config_path", alias = "config-path", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Its address book, a JSON file.
    #[arg(short = 'a', long = "addresses_path", alias = "addresses-path", value_name = "FILE")]
    addresses: Option<PathBuf>,
    /// Runs `main`, with the incoming connections beside it, and ends when it does.
    #[arg(short = 'm', long = "main_mode", alias = "main-mode")]
    main: bool,
    /// The least seconds between two rounds, each of one message per incoming connection.
    #[arg(
        long = "service_loop_min_wait_time_s",
        alias = "service-loop-min-wait-time-s",
        value_name = "SECONDS",
        default_value = "0",
        value_parser = seconds
    )]
    loop_wait: Duration,
    /// What is logged on stderr.
    #[arg(
        long = "console_loglevel",
        alias = "console-loglevel",
        value_name = "LEVEL",
        default_value = "info",
        value_parser = level
    )]
    console_level: Level,
    /// Logs to this file, or in this folder: one that is there, or a path that ends in `/`.
    #[arg(short = 'l', long = "log_path", alias = "log-path", value_name = "PATH")]
    log: Option<PathBuf>,
    /// What is logged to that file.
    #[arg(
        short = 'f',
        long = "file_loglevel",
        alias = "file-loglevel",
        value_name = "LEVEL",
        default_value = "info",
        value_parser = level
    )]
    file_level: Level,
    /// How many hourly log files are kept beside the current one; 0 keeps none.
    #[arg(
        long = "backup_count",
        alias = "backup-count",
        value_name = "COUNT",
        default_value = "24",
        value_parser = count
    )]
    backup_count: usize,
    /// Writes a line of JSON to this file when the sockets are open: service, pid, endpoints.
    #[arg(long, value_name = "FILE")]
    ready: Option<PathBuf>,
}

/// Says what a service is: its config, its connections with their models, its optional methods.
#[derive(Debug, Args)]
#[command(override_usage = "service_framework describe -s <PATH> [--json | --json-schema]")]
pub(crate) struct Describe {
    /// The service: its shared library, or the folder of its crate, which is built first.
    #[arg(short = 's', long = "service_path", alias = "service-path", value_name = "PATH")]
    pub(crate) service: PathBuf,
    /// As the JSON that models given as data are read from.
    #[arg(long)]
    pub(crate) json: bool,
    /// The JSON Schemas of its config, and of the args and returns of each connection.
    #[arg(long, alias = "json_schema", conflicts_with = "json")]
    pub(crate) json_schema: bool,
}

/// Checks a service with its config and addresses, and opens nothing.
#[derive(Debug, Args)]
#[command(
    override_usage = "service_framework check -s <PATH> [OPTIONS] [--any_key <VALUE>]...",
    after_help = "It takes what running the service takes, and prints each value with where it came from, or all that
is wrong."
)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) run: Run,
    /// As JSON, what is wrong included.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes the crate of a new service, with its address book and its config.
#[derive(Debug, Args)]
#[command(
    override_usage = "service_framework new <NAME>",
    after_help = "Inside the workspace of service_framework it joins that: services/NAME, addresses/NAME.json and
configs/NAME.json are made. Anywhere else all of it is made in the folder NAME."
)]
pub(crate) struct New {
    /// The name of the service: of its crate, its folder and its files.
    pub(crate) name: String,
}

/// Passes publications on: many publishers and many subscribers meet at it, who then know one address each.
#[derive(Debug, Args)]
#[command(
    override_usage = "service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]",
    after_help = "ADDRESS is HOST:PORT, *:PORT to listen on all interfaces, or ipc://PATH. Publishers connect to it with
`is_x_pub` in their address books, as those of pyzmq do; it is the XSUB/XPUB proxy of ZeroMQ.
What a subscriber is too slow for is dropped for it alone, and counted. All defaults are those of the
settings of the same names in an address book.

Signals: SIGINT and SIGTERM stop it, SIGUSR1 prints the counters, as the end does."
)]
pub(crate) struct Bus {
    /// Where publishers connect to.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) publishers: Address,
    /// Where subscribers connect to.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) subscribers: Address,
    /// Encrypts all connections, by the key pair in this file, as `service_framework keys` makes it.
    #[arg(long = "curve_keys", alias = "curve-keys", value_name = "FILE", requires = "curve_allow")]
    pub(crate) curve_keys: Option<PathBuf>,
    /// The public keys of those who are let in, separated by spaces, or `anybody`.
    #[arg(long = "curve_allow", alias = "curve-allow", value_name = "KEYS", requires = "curve_keys")]
    pub(crate) curve_allow: Option<String>,
    /// What becomes of an address that others than this machine can reach, without `--curve_keys`: it is warned of, allowed or refused.
    #[arg(long, value_name = "CHOICE", default_value = "warn", value_parser = settings::plaintext())]
    pub(crate) plaintext: Plaintext,
    /// The largest message, in bytes; a publisher of a much larger one is disconnected.
    #[arg(long = "max_message_bytes", alias = "max-message-bytes", value_name = "BYTES", default_value = settings::default("max_message_bytes"), value_parser = settings::count("max_message_bytes"))]
    pub(crate) max_message_bytes: usize,
    /// How many messages may wait for each subscriber.
    #[arg(long, value_name = "MESSAGES", default_value = settings::default("queue"), value_parser = settings::count("queue"))]
    pub(crate) queue: usize,
    /// How many bytes may wait for each subscriber; the last message may go beyond.
    #[arg(long = "queue_bytes", alias = "queue-bytes", value_name = "BYTES", default_value = settings::default("queue_bytes"), value_parser = settings::count("queue_bytes"))]
    pub(crate) queue_bytes: usize,
    /// What becomes of a message when either is full: the newest or the oldest is dropped for that subscriber, or it is disconnected.
    #[arg(long = "slow_subscriber", alias = "slow-subscriber", value_name = "CHOICE", default_value = settings::default("slow_subscriber"), value_parser = settings::slow_subscriber())]
    pub(crate) slow_subscriber: SlowSubscriber,
    /// How many publishers may connect, and how many subscribers; more are refused, and counted.
    #[arg(long = "max_peers", alias = "max-peers", value_name = "PEERS", default_value = settings::default("max_peers"), value_parser = settings::count("max_peers"))]
    pub(crate) max_peers: usize,
    /// How often each peer is asked for a sign of life; one that gives none for twice as long is disconnected; 0 for never.
    #[arg(long = "heartbeat_s", alias = "heartbeat-s", value_name = "SECONDS", default_value = settings::default("heartbeat_s"), value_parser = settings::seconds("heartbeat_s"))]
    pub(crate) heartbeat: Duration,
    /// What is logged on stderr.
    #[arg(long = "console_loglevel", alias = "console-loglevel", value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub(crate) console_level: Level,
    /// Writes a line of JSON to this file when the sockets are open: pid, endpoints.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready: Option<PathBuf>,
}

/// Makes the key pair of a service whose connections are encrypted, and prints its public key.
#[derive(Debug, Args)]
#[command(
    override_usage = "service_framework keys <FILE>",
    after_help = "The pair is kept in FILE, which its owner alone may read; of a FILE that is there, the public key is printed.
The address book names FILE as `curve_keys`. Others name the public key: as `curve_server` who connects to
the service, as `curve_allow` whom it connects to."
)]
pub(crate) struct Keys {
    /// The file of the key pair.
    pub(crate) file: PathBuf,
}

impl Run {
    /// Where the service comes from.
    pub(crate) fn service(&self) -> PathBuf {
        self.service.clone().expect("clap asks for it")
    }

    /// What it does.
    pub(crate) fn mode(&self) -> Mode {
        if self.main { Mode::Main } else { Mode::Loop }
    }

    /// What it is started with, beside the unknown arguments.
    pub(crate) fn options(&self, arguments: Vec<(String, String)>) -> Options {
        let given = |path: &Option<PathBuf>| path.clone().map(Given::File).unwrap_or_default();
        Options {
            config: given(&self.config),
            arguments,
            addresses: given(&self.addresses),
            console_level: self.console_level,
            file_level: self.file_level,
            log_path: self.log.clone(),
            backup_count: self.backup_count,
            loop_wait: self.loop_wait,
            ready: self.ready.clone(),
        }
    }
}

/// The flags of the command, or of one of its subcommands, by all their names.
pub(crate) fn flags_of(subcommand: Option<&str>) -> Vec<Flag> {
    let mut command = Cli::command();
    command.build();
    let command = match subcommand {
        Some(name) => command.find_subcommand(name).expect("it is one of ours").clone(),
        None => command,
    };
    let flag = |arg: &clap::Arg| {
        let long = format!("--{}", arg.get_long()?);
        let aliases = arg.get_all_aliases().unwrap_or_default().into_iter().map(|alias| format!("--{alias}"));
        let two_letters = SHORT.iter().filter(|(_, of)| *of == long).map(|(short, _)| (*short).to_owned());
        let one_letter = arg.get_short().map(|short| format!("-{short}"));
        let names = [long.clone()].into_iter().chain(aliases).chain(two_letters).chain(one_letter).collect();
        Some(Flag { names, long, takes_value: arg.get_action().takes_values() })
    };
    command.get_arguments().filter_map(flag).collect()
}

/// The words with the names that clap knows in place of those that it does not.
pub(crate) fn with_long_names(words: &[OsString]) -> Vec<OsString> {
    let long = |word: &OsString| {
        let (name, value) = word
            .to_str()?
            .split_once('=')
            .map_or((word.to_str()?, None), |(name, value)| (name, Some(value)));
        let (_, long) = SHORT.iter().find(|(short, _)| *short == name)?;
        Some(value.map_or_else(|| (*long).into(), |value| format!("{long}={value}").into()))
    };
    words.iter().map(|word| long(word).unwrap_or_else(|| word.clone())).collect()
}

/// Puts the names that clap does not know into its help, where those that it knows stand.
pub(crate) fn with_short_names(help: &str) -> String {
    SHORT.iter().fold(help.to_owned(), |help, (short, long)| {
        help.replace(&format!("\n      {long} "), &format!("\n {short}, {long} "))
    })
}

/// The longest wait between two rounds: a day.
const LONGEST_S: f64 = 86_400.0;

fn seconds(text: &str) -> Result<Duration, String> {
    seconds_within(text, 0.0, LONGEST_S)
}

fn seconds_within(text: &str, least: f64, greatest: f64) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if !(least..=greatest).contains(&seconds) {
        return Err(format!("expected seconds from {least} to {greatest}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, 0 or above".to_owned())
}

fn level(text: &str) -> Result<Level, service_framework_runtime::log::UnknownLevel> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> (Options, Mode) {
        let words = words.iter().map(OsString::from).collect::<Vec<_>>();
        let split = crate::words::split(&words, &flags_of(None)).expect("flags and pairs");
        let name = OsString::from("service_framework");
        let cli = Cli::try_parse_from([name].into_iter().chain(split.flags)).expect("legal flags");
        (cli.run.options(split.arguments), cli.run.mode())
    }

    #[test]
    fn what_is_not_given_is_as_in_the_original() {
        let (given, mode) = options(&["-s", "x"]);
        assert_eq!(mode, Mode::Loop);
        assert_eq!(format!("{given:?}"), format!("{:?}", Options::default()));
    }

    #[test]
    fn every_flag_arrives() {
        let long = "--config_path c --addresses_path a --main_mode --service_loop_min_wait_time_s 0.25 \
                    --console_loglevel None --log_path l --file_loglevel Debug --backup_count 7 --ready r -s x --k v";
        let short = "-s x -c c -a a -m -wt 0.25 -cl none -l l -f DEBUG -bc 7 --ready=r -k v";
        let dashed = "--k v --service-path x --config-path c --addresses-path a --main-mode --backup-count=7 --ready r \
                      --service-loop-min-wait-time-s .25 --console-loglevel off --log-path l --file-loglevel debug";
        for line in [long, short, dashed] {
            let (given, mode) = options(&line.split_whitespace().collect::<Vec<_>>());
            assert_eq!(mode, Mode::Main);
            let expected = Options {
                config: Given::File("c".into()),
                arguments: vec![("k".into(), "v".into())],
                addresses: Given::File("a".into()),
                console_level: Level::Off,
                file_level: Level::Debug,
                log_path: Some("l".into()),
                backup_count: 7,
                loop_wait: Duration::from_millis(250),
                ready: Some("r".into()),
            };
            assert_eq!(format!("{given:?}"), format!("{expected:?}"));
        }
    }
}
