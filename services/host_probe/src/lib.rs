//! Reads this machine every so often, and publishes what it reads: one message for each kind, with the kind as its topic.

mod machine;

use std::collections::BTreeMap;

use service_framework::prelude::*;

use machine::Machine;

/// How often to read.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds from one sample to the next, at least 0.2: the load of a CPU is measured between two.
    #[model(default = 1.0)]
    pub every_s: f64,
}

/// The readings of one kind, taken together.
#[derive(Model, Debug, PartialEq)]
pub struct Sample {
    /// When they were taken.
    pub at: DateTime,
    /// By name, with the unit last: `used_percent`, `eth0 received_bytes_per_s`.
    pub readings: BTreeMap<String, f64>,
}

/// Where the samples go. Whoever wants one kind of them subscribes to its topic.
pub const SAMPLES: Publisher<Sample> =
    Publisher::new("samples").doc("All readings; the topic is their kind.");

/// The probe.
#[derive(Debug)]
pub struct HostProbe {
    config: Config,
}

/// Reads this machine and publishes CPU, memory, disks and network.
#[service(uses(SAMPLES))]
impl HostProbe {
    fn new(config: Config) -> Result<Self> {
        if !(0.2..=86_400.0).contains(&config.every_s) {
            return Err(Error::msg(format!("every_s is {}, and must be 0.2 to 86400", config.every_s)));
        }
        Ok(Self { config })
    }

    // A disk that hangs would hold everything else up, so `main` is a plain function with a thread of its own.
    fn main(&self, cx: &BlockingContext) -> Result<()> {
        let every = Duration::from_secs_f64(self.config.every_s);
        let mut machine = Machine::new()?;
        while cx.sleep(every) {
            let at = DateTime::now();
            for (kind, readings) in machine.read() {
                cx.publish_to(&SAMPLES, kind, &Sample { at, readings })?;
            }
        }
        Ok(())
    }
}

export!(HostProbe);

#[cfg(test)]
mod tests;
