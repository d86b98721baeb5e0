//! Keeps the last, least, greatest and mean of every reading that is published, and tells them to whoever asks.

use std::collections::BTreeMap;

use service_framework::prelude::*;

/// How much to keep.
#[derive(Model, Debug)]
pub struct Config {
    /// How many different readings; further ones are left out, so that no publisher can fill the memory.
    #[model(default = 1_000)]
    pub readings_max: u32,
}

/// What the probe publishes, with the kind of the readings as its topic.
#[derive(Model, Debug)]
pub struct Sample {
    /// When the readings were taken.
    pub at: DateTime,
    /// By name.
    pub readings: BTreeMap<String, f64>,
}

/// What is known of one reading.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Summary {
    /// The latest.
    pub last: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean of all.
    pub mean: f64,
    /// How many there were.
    pub count: u64,
    /// When the latest was taken.
    pub at: DateTime,
}

/// Everything that is known.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Current {
    /// By kind, then by name.
    pub readings: BTreeMap<String, BTreeMap<String, Summary>>,
}

/// The board.
#[derive(Debug)]
pub struct HostBoard {
    config: Config,
    current: Current,
}

/// Keeps the last, least, greatest and mean of every reading.
#[service]
impl HostBoard {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, current: Current { readings: BTreeMap::new() } })
    }

    /// Takes samples of every kind: a subscriber without a topic of its own takes all, and asks which it was.
    #[subscriber]
    fn samples(&mut self, sample: Sample, cx: &Context) -> Result<()> {
        let kind = cx.topic().ok_or_else(|| Error::msg("a sample has its kind as topic"))?;
        for (name, reading) in sample.readings {
            self.add(kind, name, reading, sample.at);
        }
        Ok(())
    }

    /// Tells all that is known.
    #[replyer]
    fn current(&self) -> Result<Current> {
        Ok(self.current.clone())
    }
}

impl HostBoard {
    fn add(&mut self, kind: &str, name: String, reading: f64, at: DateTime) {
        // One NaN would make the mean NaN for good.
        if !reading.is_finite() {
            return;
        }
        let readings = &mut self.current.readings;
        let known: usize = readings.values().map(BTreeMap::len).sum();
        if let Some(summary) = readings.get_mut(kind).and_then(|names| names.get_mut(&name)) {
            summary.add(reading, at);
        } else if known < self.config.readings_max as usize {
            readings.entry(kind.to_owned()).or_default().insert(name, Summary::of(reading, at));
        } else {
            tracing::warn!("left out `{name}`: {known} readings are kept already");
        }
    }
}

impl Summary {
    fn of(reading: f64, at: DateTime) -> Self {
        Self { last: reading, min: reading, max: reading, mean: reading, count: 1, at }
    }

    fn add(&mut self, reading: f64, at: DateTime) {
        self.count += 1;
        self.last = reading;
        self.min = self.min.min(reading);
        self.max = self.max.max(reading);
        self.mean += (reading - self.mean) / self.count as f64;
        self.at = at;
    }
}

export!(HostBoard);

#[cfg(test)]
mod tests;
