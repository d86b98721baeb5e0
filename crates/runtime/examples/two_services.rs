//! Two services in one program, linked by type, that talk over a port of the system's choice.
//!
//! The greeter is started first. Port 0 lets the system choose; where the greeter listens then goes into the address
//! book of the guest, whose `main` asks and ends.
//!
//! ```text
//! Hello, Ada!
//! Hello, Grace!
//! the greeter answered 2 requests and left 0 undone
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

/// What the two say to one another.
mod messages {
    use service_framework::prelude::*;

    /// Who is to be greeted.
    #[derive(Model)]
    pub(crate) struct Person {
        pub(crate) name: String,
    }

    /// How.
    #[derive(Model)]
    pub(crate) struct Greeting {
        pub(crate) text: String,
    }
}

mod greeter {
    use service_framework::prelude::*;

    use crate::messages::{Greeting, Person};

    #[derive(Model)]
    pub(crate) struct Config {
        /// What every greeting begins with.
        greeting: String,
    }

    pub(crate) struct Greeter {
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

    // A service in a crate of its own says `export!(Greeter)`, and is a plugin, too.
    service_framework::link!(Greeter);
}

mod guest {
    use service_framework::prelude::*;

    use crate::messages::{Greeting, Person};

    const GREETER: Requester<Person, Greeting> = Requester::new("greeter");

    pub(crate) struct Guest;

    /// Has itself greeted by two names.
    #[service(uses(GREETER))]
    impl Guest {
        fn new() -> Result<Self> {
            Ok(Self)
        }

        async fn main(&self, cx: &Context) -> Result<()> {
            for name in ["Ada", "Grace"] {
                let greeting = cx.request(&GREETER, &Person { name: name.into() }).await?;
                println!("{}", greeting.text);
            }
            Ok(())
        }
    }

    service_framework::link!(Guest);
}

fn main() -> std::result::Result<(), service_framework_runtime::Error> {
    let mut greeter = Service::of::<greeter::Greeter>(Options {
        config: value!({"greeting": "Hello"}).into(),
        addresses: value!({"in": {"greet": {"replyer": "127.0.0.1:0"}}}).into(),
        console_level: Level::Warn,
        ..Options::default()
    });
    greeter.start()?;

    let at = greeter.endpoints()["greet"].to_string();
    let mut guest = Service::of::<guest::Guest>(Options {
        addresses: value!({"out": {"greeter": {"requester": at}}}).into(),
        console_level: Level::Warn,
        ..Options::default()
    });
    guest.start_main()?;
    guest.wait()?;

    let ended = greeter.stop()?;
    let answered = greeter.counters().connections["greet"].messages_out;
    println!("the greeter answered {answered} requests and left {} undone", ended.not_drained.len());
    Ok(())
}
