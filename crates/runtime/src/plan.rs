//! Brings a service, its config and its addresses together, and checks all of it before anything is opened.

use std::path::PathBuf;
use std::time::Duration;

use service_framework_core::Value;
use service_framework_core::address_book::AddressBook;
use service_framework_core::config::Config;
use service_framework_core::declaration::{Declaration, Hook};
use service_framework_core::file::Document;
use service_framework_core::plugin::host::Plugin;
use service_framework_core::problem::{Place, Problem, Problems};
use service_framework_core::value::Map;
use service_framework_core::wiring::{self, Wired, Wiring};

use crate::error::Error;
use crate::keys;
use crate::log::Level;
use crate::ready;
use crate::service::Mode;
use crate::sockets;
use crate::source::Source;

/// A config or an address book, as it was given.
#[derive(Clone, Debug, Default)]
pub enum Given {
    /// Not at all.
    #[default]
    Nothing,
    /// In a JSON file.
    File(PathBuf),
    /// By the program.
    Value(Value),
}

impl From<PathBuf> for Given {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&str> for Given {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// What a service is started with, all of it optional.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its config.
    pub config: Given,
    /// Keys and texts that overwrite the config, as from the command line.
    pub arguments: Vec<(String, String)>,
    /// Its address book.
    pub addresses: Given,
    /// What is logged on stderr.
    pub console_level: Level,
    /// What is logged to the file.
    pub file_level: Level,
    /// The log file, or the folder it is made in; without it nothing is logged to a file.
    pub log_path: Option<PathBuf>,
    /// How many hourly log files are kept beside the current one.
    pub backup_count: usize,
    /// At least that much time passes between two rounds, in each of which every incoming connection takes at most one message.
    pub loop_wait: Duration,
    /// A file in which one line of JSON says that the sockets are open, and where.
    pub ready: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: Given::Nothing,
            arguments: Vec::new(),
            addresses: Given::Nothing,
            console_level: Level::Info,
            file_level: Level::Info,
            log_path: None,
            backup_count: 24,
            loop_wait: Duration::ZERO,
            ready: None,
        }
    }
}

/// A service with its config and wiring, checked; nothing is opened.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) plugin: Plugin,
    /// What the service says of itself.
    pub declaration: Declaration,
    /// Its config, with where each key came from.
    pub config: Config,
    /// Where its connections and states live and how they behave, each setting with where it came from.
    pub wiring: Wiring,
}

impl Plan {
    /// Loads a service and checks everything it is given, in the order of the original: config, then addresses, then connections, then states.
    ///
    /// # Errors
    ///
    /// If the service cannot be loaded; and [`Error::Refused`] with everything that is wrong with what it was given.
    pub fn new(source: &Source, options: &Options, mode: Mode) -> Result<Self, Error> {
        Self::of(source.load()?, source, options, mode)
    }

    /// As [`new`](Self::new), of a service that was loaded from the source.
    pub(crate) fn of(plugin: Plugin, source: &Source, options: &Options, mode: Mode) -> Result<Self, Error> {
        let declaration = source.declaration_of(&plugin)?;
        let mut problems = Problems::new();
        if mode == Mode::Main && declaration.hook(Hook::Main).is_none() {
            let text = format!("service `{}` has no `main`: start it without -m", declaration.name);
            problems.add(Problem::nowhere(text));
        }
        if mode == Mode::Main && declaration.hook(Hook::Main).is_some() {
            let connections = declaration.connections.iter().filter(|model| model.exclusive);
            let states = declaration.states.iter().filter(|model| model.exclusive);
            let exclusive = connections.map(|model| &model.name).chain(states.map(|model| &model.name));
            exclusive.for_each(|name| problems.add(never_alone(&declaration.name, name)));
        }
        let setup = Setup { plugin, declaration: &declaration };
        let config = setup.config(options, &mut problems);
        // The hooks after this one are promised a config that fits.
        let fits = problems.is_empty().then(|| config.value().clone());
        let book = setup.addresses(options, fits.as_ref(), &mut problems);
        let given = wiring::Setup {
            connections: setup.settings(Hook::SetupConnections, fits.as_ref(), &mut problems),
            states: setup.settings(Hook::SetupStates, fits.as_ref(), &mut problems),
        };
        let wiring = wiring::wire(&declaration, &given, &book, &mut problems);
        // Keys are looked at once it is clear whose they are.
        if problems.is_empty() {
            for wired in wiring.sockets() {
                if let Err(text) = keys::security(wired) {
                    problems.add(Problem { text, place: wired.place.clone() });
                }
            }
        }
        if let Some(Err(Error::Refused(found))) = options.ready.as_deref().map(ready::check) {
            problems.extend(found);
        }
        problems.into_result(()).map_err(Error::Refused)?;
        Ok(Self { plugin, declaration, config, wiring })
    }
}

fn never_alone(service: &str, connection: &str) -> Problem {
    Problem::nowhere(format!(
        "`main` of service `{service}` has it lent for as long as it runs, so that the handler of `{connection}` would never have it to \
         itself: write `&self` there, and put what changes into a `Cell`, an atomic or a `Mutex`"
    ))
}

impl Plan {
    /// Finds out whether this machine can listen where the service is to listen, and knows the hosts that it connects to. Opens none of its sockets.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with everything that would keep the service from starting here.
    pub fn check_hosts(&self) -> Result<(), Error> {
        let system =
            |error: std::io::Error| Error::System { what: "look up hosts".into(), why: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
        let mut problems = Problems::new();
        for wired in self.wiring.sockets() {
            let Wired { name, address, place, listens, .. } = wired;
            let Some(address) = address else { continue };
            let engine = sockets::engine_of(&self.wiring.service, wired)?;
            let checked = runtime.block_on(async {
                match listens {
                    true => service_framework_connections::check_listener(&engine, name, address).await,
                    false => service_framework_connections::check_host(name, address).await,
                }
            });
            if let Err(error) = checked {
                problems.add(sockets::problem(place.clone(), &error));
            }
        }
        problems.into_result(()).map_err(Error::Refused)
    }
}

/// Runs the hooks that come before anything is opened.
struct Setup<'a> {
    plugin: Plugin,
    declaration: &'a Declaration,
}

impl Setup<'_> {
    fn config(&self, options: &Options, problems: &mut Problems) -> Config {
        let Declaration { name, config: model, .. } = self.declaration;
        let document = self.document(&options.config, "the config of the program", problems);
        let mut config = Config::read(model, document.as_ref(), &options.arguments, problems);
        if let Some(returned) = self.hook(Hook::SetupConfig, config.value(), problems) {
            config.overwrite(model, returned, problems);
        }
        config.check(name, model, problems);
        config
    }

    fn addresses(&self, options: &Options, config: Option<&Value>, problems: &mut Problems) -> AddressBook {
        let document = self.document(&options.addresses, "the addresses of the program", problems);
        let mut found = Problems::new();
        let book =
            document.as_ref().map(|document| AddressBook::read(document, &mut found)).unwrap_or_default();
        let Some((config, document)) = config.zip(document.filter(|document| !document.is_broken())) else {
            problems.extend(found);
            return book;
        };
        let input = input(config, document.value());
        match self.hook(Hook::SetupAddresses, &input, problems) {
            // The book that the service gives replaces the one that was read, its mistakes included.
            Some(returned) => AddressBook::read(&Document::given(returned, "setup_addresses"), problems),
            None => {
                problems.extend(found);
                book
            }
        }
    }

    /// What `setup_connections` or `setup_states` gives.
    fn settings(&self, hook: Hook, config: Option<&Value>, problems: &mut Problems) -> Option<Document> {
        let returned = self.hook(hook, &input(config?, None), problems)?;
        Some(Document::given(returned, hook.name()))
    }

    fn document(&self, given: &Given, by: &str, problems: &mut Problems) -> Option<Document> {
        match given {
            Given::Nothing => None,
            Given::Value(value) => Some(Document::given(value.clone(), by)),
            Given::File(path) => Some(Document::open(path, problems)),
        }
    }

    /// What a hook gives, if the service has it and it does not fail.
    fn hook(&self, hook: Hook, input: &Value, problems: &mut Problems) -> Option<Value> {
        self.declaration.hook(hook)?;
        let place = Place::Code(hook.name().into());
        self.plugin
            .setup(hook, input)
            .map_err(|failure| problems.add(Problem::at(place, failure.to_string())))
            .ok()
    }
}

fn input(config: &Value, addresses: Option<&Value>) -> Value {
    let addresses = addresses.map(|addresses| ("addresses", addresses.clone()));
    Value::Map([("config", config.clone())].into_iter().chain(addresses).collect::<Map>())
}
