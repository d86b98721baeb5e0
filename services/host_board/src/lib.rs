//! Keeps the last, least, greatest and mean of every reading that is published, as a state that others hold copies of, and tells them to whoever asks.

use std::cell::Cell;
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

/// What is known at a moment, in short.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Overview {
    /// When the latest readings were taken.
    pub at: DateTime,
    /// How many different readings there are.
    pub count: u64,
    /// The mean of each, by the keys of [`READINGS`].
    pub means: BTreeMap<String, f64>,
}

/// All that is known, by kind and name with a space between them: `cpu used_percent`. A kind has no space, so that the first one tells them apart.
pub const READINGS: DeltaUpdateOut<BTreeMap<String, Summary>> =
    DeltaUpdateOut::new("readings").doc("What is known of each reading, by its kind and its name.");

/// The means of all.
pub const OVERVIEW: FullUpdateOut<Overview> =
    FullUpdateOut::new("overview").doc("The mean of each reading, after each sample.");

/// The board. What it knows is its state, and nowhere else.
#[derive(Debug)]
pub struct HostBoard {
    config: Config,
    /// Whether the log has it that readings are left out. None that is kept is ever removed, so that this is said once.
    is_full: Cell<bool>,
}

/// Keeps the last, least, greatest and mean of every reading.
#[service(uses(READINGS, OVERVIEW))]
impl HostBoard {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, is_full: Cell::new(false) })
    }

    /// Takes samples of every kind: a subscriber without a topic of its own takes all, and asks which it was.
    #[subscriber]
    fn samples(&self, sample: Sample, cx: &Context) -> Result<()> {
        let kind = cx.topic().ok_or_else(|| Error::msg("a sample has its kind as topic"))?;
        if kind.contains(' ') {
            return Err(Error::msg(format!("the kind `{kind}` has a space, which ends kinds here")));
        }
        let at = sample.at;
        let change = self.change(kind, sample, &*cx.state(&READINGS)?);
        if change.is_empty() {
            return Ok(());
        }
        cx.update(&READINGS, &change)?;
        let overview = Overview::of(&*cx.state(&READINGS)?, at);
        cx.set(&OVERVIEW, &overview)
    }

    /// Tells all that is known.
    #[replyer]
    fn current(&self, cx: &Context) -> Result<Current> {
        let mut readings = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (key, summary) in &*cx.state(&READINGS)? {
            let (kind, name) = key.split_once(' ').unwrap_or((key, ""));
            readings.entry(kind.to_owned()).or_default().insert(name.to_owned(), summary.clone());
        }
        Ok(Current { readings })
    }
}

impl HostBoard {
    /// What a sample changes.
    fn change(
        &self,
        kind: &str,
        sample: Sample,
        known: &BTreeMap<String, Summary>,
    ) -> MapChange<String, Summary> {
        let mut change = MapChange::new();
        let mut count = known.len();
        for (name, reading) in sample.readings {
            // One NaN would make the mean NaN for good.
            if !reading.is_finite() {
                continue;
            }
            let key = format!("{kind} {name}");
            if let Some(summary) = known.get(&key) {
                change = change.set(key, summary.with(reading, sample.at));
            } else if count < self.config.readings_max as usize {
                count += 1;
                change = change.set(key, Summary::of(reading, sample.at));
            } else if !self.is_full.replace(true) {
                tracing::warn!("left out `{key}`, and so with each further one: `readings_max` is {count}");
            }
        }
        change
    }
}

impl Overview {
    fn of(readings: &BTreeMap<String, Summary>, at: DateTime) -> Self {
        let means = readings.iter().map(|(key, summary)| (key.clone(), summary.mean));
        Self { at, count: readings.len() as u64, means: means.collect() }
    }
}

impl Summary {
    fn of(reading: f64, at: DateTime) -> Self {
        Self { last: reading, min: reading, max: reading, mean: reading, count: 1, at }
    }

    /// The same with one more reading.
    fn with(&self, reading: f64, at: DateTime) -> Self {
        let count = self.count + 1;
        Self {
            last: reading,
            min: self.min.min(reading),
            max: self.max.max(reading),
            mean: self.mean + (reading - self.mean) / count as f64,
            count,
            at,
        }
    }
}

export!(HostBoard);

#[cfg(test)]
mod tests;
