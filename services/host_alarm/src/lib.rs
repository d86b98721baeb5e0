//! Watches one reading, and has a notice sent when it crosses a limit, up or down, which says how the reading stands to its mean.

use std::collections::BTreeMap;

use service_framework::prelude::*;

/// What to watch. Its kind is the topic of the subscriber, which the address book may set.
#[derive(Model, Debug)]
pub struct Config {
    /// The name of the reading, such as `used_percent`.
    pub reading: String,
    /// The alarm is raised above this.
    pub limit: f64,
    /// It is over when the reading is this much below the limit, so that one that wavers there is no flood of notices.
    #[model(default = 5.0)]
    pub margin: f64,
}

/// What the probe publishes.
#[derive(Model, Debug)]
pub struct Sample {
    /// When the readings were taken.
    pub at: DateTime,
    /// By name.
    pub readings: BTreeMap<String, f64>,
}

/// Something to tell people.
#[derive(Model, Debug, PartialEq)]
pub struct Notice {
    /// When it happened.
    pub at: DateTime,
    /// What happened.
    pub text: String,
}

/// What the board knows, in short. It says more; `open` lets that pass.
#[derive(Model, Clone, Debug)]
#[model(open)]
pub struct Overview {
    /// The mean of each reading, by its kind and its name: `cpu used_percent`.
    pub means: BTreeMap<String, f64>,
}

/// A copy of what the board knows. The alarm does its work without, too.
pub const OVERVIEW: FullUpdateIn<Overview> =
    FullUpdateIn::new("overview").doc("The means that notices compare with.");

/// Who tells them.
pub const NOTIFY: Requester<Notice, Empty> = Requester::new("notify").doc("Tells people what happened.");

/// The alarm.
#[derive(Debug)]
pub struct HostAlarm {
    config: Config,
    is_raised: bool,
}

/// Has a notice sent when a reading crosses a limit, up or down.
#[service(uses(NOTIFY, OVERVIEW))]
impl HostAlarm {
    fn new(config: Config) -> Result<Self> {
        let Config { limit, margin, .. } = config;
        // Nothing is above or below NaN, so that nobody would ever be told.
        if !limit.is_finite() || !margin.is_finite() {
            return Err(Error::msg(format!("limit and margin are numbers, not {limit} and {margin}")));
        }
        Ok(Self { config, is_raised: false })
    }

    /// Takes samples of one kind.
    #[subscriber(topic = "cpu")]
    async fn samples(&mut self, sample: Sample, cx: &Context) -> Result<()> {
        let Config { reading, limit, margin } = &self.config;
        let Some(&value) = sample.readings.get(reading) else { return Ok(()) };
        let mut text = match self.is_raised {
            false if value > *limit => format!("{reading} is {value:.1}, above {limit}"),
            true if value < limit - margin => format!("{reading} is {value:.1}, back below {limit}"),
            _ => return Ok(()),
        };
        if let Some(mean) = self.mean(cx) {
            text += &format!("; its mean is {mean:.1}");
        }
        // Whatever keeps the notice from being sent, the next sample tries again.
        cx.request(&NOTIFY, &Notice { at: sample.at, text }).await?;
        self.is_raised = !self.is_raised;
        Ok(())
    }
}

impl HostAlarm {
    /// The mean of the reading that a sample is for, if the board has told of it.
    fn mean(&self, cx: &Context) -> Option<f64> {
        let key = format!("{} {}", cx.topic()?, self.config.reading);
        cx.state(&OVERVIEW).ok()?.means.get(&key).copied()
    }
}

export!(HostAlarm);

#[cfg(test)]
mod tests;
