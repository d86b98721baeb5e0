//! `describe`: says what a service is, as text, as the JSON of its declaration, or as JSON Schema.

mod text;
mod types;

use std::io::{self, IsTerminal as _};

use service_framework_core::declaration::Declaration;
use service_framework_core::wire::{self, Encoding};
use service_framework_runtime::Source;

use crate::failure::Failure;
use crate::flags::Describe;
use crate::print;

/// Describes the service on stdout; gives the exit code.
pub(crate) fn describe(asked: &Describe) -> Result<u8, Failure> {
    let declaration = Source::path(&asked.service).describe()?;
    let text = match asked {
        Describe { json: true, .. } => as_json(&declaration),
        Describe { json_schema: true, .. } => for_reader(&schemas(&declaration)),
        _ => text::of(&declaration),
    };
    print::data(&text)?;
    Ok(0)
}

fn as_json(declaration: &Declaration) -> String {
    let json = wire::encode(declaration, Encoding::Json).expect("a declaration was read from a message");
    for_reader(&serde_json::from_slice(&json).expect("it was written as JSON"))
}

/// JSON for whoever reads: on many lines for people, on one for programs.
pub(crate) fn for_reader(json: &serde_json::Value) -> String {
    if io::stdout().is_terminal() { format!("{json:#}\n") } else { format!("{json}\n") }
}

/// One schema for the config, one for each thing that is said over a connection, and one for each state.
fn schemas(declaration: &Declaration) -> serde_json::Value {
    let schema = |shape: &service_framework_core::model::Shape| -> serde_json::Value {
        serde_json::from_str(&shape.to_json_schema().to_string()).expect("a schema prints as JSON")
    };
    let connections = declaration.connections.iter().map(|connection| {
        let mut schemas = serde_json::Map::new();
        schemas.insert("type".into(), connection.kind.name().into());
        schemas.insert("args".into(), schema(&connection.args));
        if connection.kind.has_answer() {
            schemas.insert("returns".into(), schema(&connection.returns));
        }
        (connection.name.clone(), schemas.into())
    });
    let connections: serde_json::Map<String, serde_json::Value> = connections.collect();
    let states = declaration.states.iter().map(|state| {
        let schemas = serde_json::json!({"type": state.kind.name(), "state": schema(&state.state)});
        (state.name.clone(), schemas)
    });
    let mut schemas = serde_json::json!({
        "service": declaration.name,
        "config": schema(&declaration.config),
        "connections": connections,
    });
    if !declaration.states.is_empty() {
        schemas["states"] = states.collect::<serde_json::Map<_, _>>().into();
    }
    schemas
}
