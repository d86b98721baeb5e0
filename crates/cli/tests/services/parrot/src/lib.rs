//! Says again what it is told, at once, when it is stopped, or never.

use service_framework::prelude::*;

/// How it speaks.
#[derive(Model, Debug)]
pub struct Config {
    /// What it says first.
    pub greeting: String,
    /// How often it says everything.
    #[model(default = 1)]
    pub times: u32,
    /// How loud it is; it has a tongue for what is below zero.
    pub volume: Option<f64>,
    /// Where it sits.
    pub perch: Option<Perch>,
    /// Whether its `main` fails.
    #[model(default)]
    pub fail: bool,
    /// A key that reads like a flag of the command.
    pub backup_counts: Option<u32>,
}

/// A place to sit.
#[derive(Model, Debug)]
pub struct Perch {
    /// In metres.
    pub height: f64,
    /// What it is made of.
    pub wood: Wood,
}

/// What branches are made of.
#[derive(Model, Debug)]
#[model(names = "lower")]
pub enum Wood {
    /// A tree.
    Oak,
    /// Another.
    Ash,
}

/// What is said.
#[derive(Model, Debug)]
pub struct Words {
    /// One by one.
    pub words: Vec<String>,
}

/// Where it tells what it hears.
pub const GOSSIP: Publisher<Words> = Publisher::new("gossip").doc("Tells the others.");

/// The bird.
#[derive(Debug)]
pub struct Parrot {
    config: Config,
}

/// Says again what it is told.
#[service(uses(GOSSIP))]
impl Parrot {
    fn new(config: Config) -> Result<Self> {
        if config.greeting.is_empty() {
            return Err(Error::msg("a parrot greets"));
        }
        Ok(Self { config })
    }

    /// Says it at once.
    #[replyer(deadline_s = 2.5)]
    fn say(&self, args: Words, cx: &Context) -> Result<Words> {
        cx.publish(&GOSSIP, &args)?;
        let mut words = args.words;
        let (greeting, again) = (self.config.greeting.clone(), words.len() * self.config.times as usize);
        words = words.into_iter().cycle().take(again).collect();
        words.insert(0, greeting);
        Ok(Words { words })
    }

    /// Says it when it is stopped.
    #[replyer]
    async fn hold(&self, args: Words, cx: &Context) -> Result<Words> {
        tracing::info!("holding");
        cx.stopping().await;
        Ok(args)
    }

    /// Never says it.
    #[replyer]
    async fn stick(&self, _args: Words) -> Result<Words> {
        tracing::info!("sticking");
        std::future::pending().await
    }

    /// Greets and ends.
    async fn main(&self) -> Result<()> {
        if self.config.fail {
            return Err(Error::named("hoarse", "no voice left"));
        }
        tracing::info!("{} at {:?}", self.config.greeting, self.config.volume);
        Ok(())
    }
}

export!(Parrot);
