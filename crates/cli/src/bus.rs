//! Runs a bus in the foreground.

use service_framework_runtime::Bus;

use crate::failure::Failure;
use crate::flags;
use crate::print;

/// Runs the bus until it is stopped, then prints its counters on stderr; gives the exit code.
pub(crate) fn bus(asked: flags::Bus) -> Result<u8, Failure> {
    let mut bus = Bus::new(asked.publishers, asked.subscribers);
    bus.max_message_bytes = asked.max_message_bytes.map_or(bus.max_message_bytes, |bytes| bytes as usize);
    bus.curve = asked.curve_keys.zip(asked.curve_allow);
    bus.plaintext = asked.plaintext;
    bus.console_level = asked.console_level;
    bus.ready = asked.ready;
    let counters = bus.run()?;
    print::message(&format!("{}\n", counters.to_json()));
    Ok(0)
}
