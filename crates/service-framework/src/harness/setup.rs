//! Makes an instance of a service under test from its config, in the order of the runtime.

use service_framework_core::declaration::{ConnectionKind, Declaration, Hook};
use service_framework_core::plugin::host::Plugin;
use service_framework_core::wire::{self, Encoding, Limits};

use super::driver::Driver;
use super::world::{Line, World};
use crate::{Error, Map, Model, Result, Value};

/// A model as data.
pub(super) fn to_value(model: &impl Model) -> Result<Value> {
    let bytes = wire::encode(model, Encoding::MessagePack)?;
    Ok(wire::decode(&bytes, Encoding::MessagePack, &Limits::default())?)
}

/// Describes the service, sets it up, and makes it.
pub(super) fn start(plugin: Plugin, config: Value, has_own_clock: bool) -> Result<Driver> {
    let declaration = plugin.describe()?;
    let config = check_config(plugin, &declaration, config)?;
    let lines = lines(plugin, &declaration, &config)?;
    let world = World::new(lines);
    if has_own_clock {
        world.use_real_time();
    }
    let bytes = wire::encode(&config, Encoding::MessagePack)?;
    let instance = plugin.create(&declaration, world.clone(), &bytes);
    let instance = instance.map_err(|failure| failure.while_doing("new"))?;
    Ok(Driver::new(world, plugin, declaration, config, instance))
}

fn check_config(plugin: Plugin, declaration: &Declaration, mut config: Value) -> Result<Value> {
    if declaration.hook(Hook::SetupConfig).is_some() {
        let over = plugin.setup(Hook::SetupConfig, &config)?;
        if let (Value::Map(config), Value::Map(over)) = (&mut config, over) {
            for (key, value) in over {
                config.insert(key, value);
            }
        }
    }
    let faults = declaration.config.faults(&config);
    if faults.is_empty() {
        return Ok(config);
    }
    let faults = faults.into_iter().map(|fault| fault.within("config").to_string());
    Err(Error::msg(faults.collect::<Vec<_>>().join("\n")))
}

/// The settings of each connection and state: the author's, and those of `setup_connections` and `setup_states` over them.
fn lines(plugin: Plugin, declaration: &Declaration, config: &Value) -> Result<Vec<Line>> {
    let over = |hook: Hook| -> Result<Map> {
        match declaration.hook(hook) {
            None => Ok(Map::new()),
            Some(_) => {
                let given = plugin.setup(hook, &input([("config", config.clone())]))?;
                Ok(given.as_map().cloned().unwrap_or_default())
            }
        }
    };
    let stray =
        |hook: Hook, name: &str| Err(Error::msg(format!("`{hook}` sets up `{name}`, which is not declared")));
    let of_connections = over(Hook::SetupConnections)?;
    if let Some(name) = of_connections.keys().find(|name| declaration.connection(name).is_none()) {
        return stray(Hook::SetupConnections, name);
    }
    let of_states = over(Hook::SetupStates)?;
    if let Some(name) = of_states.keys().find(|name| declaration.state(name).is_none()) {
        return stray(Hook::SetupStates, name);
    }
    let line = |name: &str, kind, settings: &Map, over: &Map| {
        let mut settings = settings.clone();
        if let Some(Value::Map(over)) = over.get(name) {
            for (key, value) in over.iter() {
                settings.insert(key.clone(), value.clone());
            }
        }
        Line { name: name.to_owned(), kind, settings }
    };
    let connections = declaration.connections.iter();
    let connections =
        connections.map(|model| line(&model.name, model.kind, &model.settings, &of_connections));
    // A state is known by the socket that its updates go by.
    let states = declaration.states.iter();
    let states = states.map(|model| line(&model.name, model.kind.sockets()[0], &model.settings, &of_states));
    Ok(connections.chain(states).collect())
}

fn input<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect())
}

/// Runs `setup_addresses`; without one the book stays as it is.
pub(super) fn addresses(
    plugin: Plugin,
    declaration: &Declaration,
    config: &Value,
    addresses: &Map,
) -> Result<Map> {
    if declaration.hook(Hook::SetupAddresses).is_none() {
        return Ok(addresses.clone());
    }
    let book = Value::Map(addresses.clone());
    let given =
        plugin.setup(Hook::SetupAddresses, &input([("config", config.clone()), ("addresses", book)]))?;
    Ok(given.as_map().cloned().unwrap_or_default())
}

/// The number of an incoming connection of that kind.
pub(super) fn incoming(declaration: &Declaration, name: &str, kind: Option<ConnectionKind>) -> Result<usize> {
    let service = &declaration.name;
    let Some((number, model)) = declaration.connection(name) else {
        let known = declaration.connections.iter().filter(|model| model.kind.is_in());
        let near = service_framework_core::near::nearest(name, known.map(|model| model.name.as_str()));
        let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
        return Err(Error::msg(format!("service `{service}` declares no connection `{name}`{near}")));
    };
    match kind {
        Some(kind) if model.kind != kind => {
            Err(Error::msg(format!("`{name}` of service `{service}` is a {}, and no {kind}", model.kind)))
        }
        None if !model.kind.is_in() => Err(Error::msg(format!(
            "`{name}` of service `{service}` is a {}, which takes no messages",
            model.kind
        ))),
        _ => Ok(number),
    }
}
