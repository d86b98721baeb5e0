//! A service driven by a program: config and addresses built in code, started, watched, stopped, started again.
//!
//! What is wrong with them is told before anything is opened, all at once.
//!
//! ```text
//! the config of the program: tics is unknown, did you mean `ticks`?
//! open: ["ticks"]
//! it ticked 3 times and ended by itself
//! it was stopped and left 0 undone
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

#[derive(Model)]
struct Config {
    /// How many times to tick.
    ticks: u32,
}

#[derive(Model)]
struct Tick {
    number: u32,
}

/// Who hears the clock.
const TICKS: Publisher<Tick> = Publisher::new("ticks");

struct Clock {
    config: Config,
}

/// Ticks as often as it is told.
#[service(uses(TICKS))]
impl Clock {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        for number in 1..=self.config.ticks {
            cx.publish(&TICKS, &Tick { number })?;
            // Until the next tick, or until the service is to stop.
            if cx.timeout(Duration::from_millis(10), cx.stopping()).await.is_ok() {
                break;
            }
        }
        Ok(())
    }
}

service_framework::link!(Clock);

fn main() -> std::result::Result<(), service_framework_runtime::Error> {
    let mut clock = Service::of::<Clock>(Options {
        config: value!({"tics": 3}).into(),
        addresses: value!({"out": {"ticks": {"publisher": "127.0.0.1:0"}}}).into(),
        console_level: Level::Warn,
        ..Options::default()
    });
    if let Err(error) = clock.start_main() {
        println!("{error}");
    }

    clock.options_mut().config = value!({"ticks": 3}).into();
    clock.start_main()?;
    println!("open: {:?}", clock.endpoints().keys());
    clock.wait()?;
    println!("it ticked {} times and ended by itself", clock.counters().connections["ticks"].messages_out);

    clock.options_mut().config = value!({"ticks": 1_000_000}).into();
    clock.start_main()?;
    let ended = clock.stop()?;
    println!("it was stopped and left {} undone", ended.not_drained.len());
    Ok(())
}
