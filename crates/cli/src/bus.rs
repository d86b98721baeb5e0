//! Runs a bus in the foreground.

use service_framework_runtime::Bus;

use crate::failure::Failure;
use crate::flags;
use crate::print;

/// Runs the bus until it is stopped, then prints its counters on stderr; gives the exit code.
pub(crate) fn bus(asked: flags::Bus) -> Result<u8, Failure> {
    let bus = of(asked);
    let counters = bus.run()?;
    print::message(&format!("{}\n", counters.to_json()));
    Ok(0)
}

/// The bus that was asked for.
fn of(asked: flags::Bus) -> Bus {
    let mut bus = Bus::new(asked.publishers, asked.subscribers);
    bus.max_message_bytes = asked.max_message_bytes;
    bus.queue = asked.queue;
    bus.queue_bytes = asked.queue_bytes;
    bus.slow_subscriber = asked.slow_subscriber;
    bus.max_peers = asked.max_peers;
    bus.heartbeat = asked.heartbeat;
    bus.curve = asked.curve_keys.zip(asked.curve_allow);
    bus.plaintext = asked.plaintext;
    bus.console_level = asked.console_level;
    bus.ready = asked.ready;
    bus
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;
    use service_framework_core::settings::{Plaintext, SlowSubscriber};
    use service_framework_runtime::log::Level;

    use super::*;

    fn asked(flags: &str) -> Bus {
        let words = format!("service_framework bus --publishers *:1 --subscribers *:2 {flags}");
        match flags::Cli::try_parse_from(words.split_whitespace()).expect("legal flags").command {
            Some(flags::Command::Bus(asked)) => of(asked),
            other => panic!("{other:?}"),
        }
    }

    fn new() -> Bus {
        Bus::new("*:1".parse().expect("an address"), "*:2".parse().expect("an address"))
    }

    #[test]
    fn what_is_not_given_is_as_in_an_address_book() {
        assert_eq!(format!("{:?}", asked("")), format!("{:?}", new()));
    }

    #[test]
    fn every_flag_arrives() {
        let underscores = "--max_message_bytes 2048 --queue 3 --queue_bytes 4096 --slow_subscriber drop_oldest \
                           --max_peers 5 --heartbeat_s 0.25 --curve_keys k --curve_allow anybody \
                           --plaintext refuse --console_loglevel debug --ready r";
        let expected = Bus {
            max_message_bytes: 2_048,
            queue: 3,
            queue_bytes: 4_096,
            slow_subscriber: SlowSubscriber::DropOldest,
            max_peers: 5,
            heartbeat: Duration::from_millis(250),
            curve: Some(("k".into(), "anybody".into())),
            plaintext: Plaintext::Refuse,
            console_level: Level::Debug,
            ready: Some("r".into()),
            ..new()
        };
        let (choice, dashes) = ("drop_oldest", underscores.replace('_', "-"));
        let dashes = dashes.replace("drop-oldest", choice);
        for flags in [underscores, &dashes] {
            assert_eq!(format!("{:?}", asked(flags)), format!("{expected:?}"));
        }
    }
}
