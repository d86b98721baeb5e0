//! Greets whoever asks.

use service_framework::prelude::*;

/// What `configs/greeter.json` says.
#[derive(Model, Debug)]
pub struct Config {
    /// What every greeting begins with.
    pub greeting: String,
}

/// Who asks.
#[derive(Model, Debug)]
pub struct Person {
    /// By which name to greet them.
    pub name: String,
}

/// The answer.
#[derive(Model, Debug, PartialEq)]
pub struct Greeting {
    /// The whole greeting.
    pub text: String,
}

/// The service.
#[derive(Debug)]
pub struct Greeter {
    config: Config,
}

/// Greets whoever asks.
#[service]
impl Greeter {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    /// Greets a person by name.
    #[replyer]
    async fn greet(&self, person: Person) -> Result<Greeting> {
        Ok(Greeting { text: format!("{}, {}!", self.config.greeting, person.name) })
    }
}

export!(Greeter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_greeted_by_name() -> Result<()> {
        let harness = Harness::<Greeter>::new(Config { greeting: "Hello".into() })?;
        let greeting: Greeting = harness.request("greet", &Person { name: "Ada".into() })?;
        assert_eq!(greeting, Greeting { text: "Hello, Ada!".into() });
        Ok(())
    }
}
