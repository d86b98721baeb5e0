//! What a service would be started with, as JSON for programs.

use serde_json::{Value as Json, json};
use service_framework_core::address::Address;
use service_framework_core::problem::Problem;
use service_framework_core::settings::Chosen;
use service_framework_core::wiring::{Wired, WiredState};
use service_framework_runtime::{Error, Plan};

use super::given;

/// The whole plan.
pub(super) fn of(plan: &Plan) -> Json {
    let config = given::keys(&plan.config);
    let config =
        config.into_iter().map(|key| json!({"key": key.name, "value": key.value, "origin": key.origin}));
    json!({
        "service": plan.declaration.name,
        "version": plan.declaration.version,
        "config": config.collect::<Vec<_>>(),
        "connections": plan.wiring.connections.iter().map(connection).collect::<Vec<_>>(),
        "states": plan.wiring.states.iter().map(state).collect::<Vec<_>>(),
        "settings": plan.wiring.chosen.iter().map(setting).collect::<Vec<_>>(),
        "problems": [],
    })
}

/// What is wrong, in the same key as where nothing is.
pub(super) fn of_error(error: &Error) -> Json {
    let problem =
        |problem: &Problem| json!({"text": problem.text, "origin": given::place(problem.place.as_ref())});
    let problems: Vec<Json> = match error {
        Error::Refused(problems) => problems.iter().map(problem).collect(),
        other => vec![json!({"text": other.to_string(), "origin": null})],
    };
    json!({"problems": problems})
}

fn connection(wired: &Wired) -> Json {
    json!({
        "name": wired.name,
        "type": wired.kind.name(),
        "address": wired.address.as_ref().map(Address::url),
        "listens": wired.listens,
        "origin": given::place(wired.place.as_ref()),
    })
}

fn state(wired: &WiredState) -> Json {
    let sockets: Vec<Json> = wired.sockets().map(connection).collect();
    json!({"name": wired.name, "type": wired.kind.name(), "sockets": sockets})
}

fn setting(chosen: &Chosen) -> Json {
    // Numbers and booleans read as JSON; the rest is text, or `none`.
    let value = match &*chosen.value {
        "none" => Json::Null,
        value => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
    };
    json!({
        "connection": chosen.connection,
        "setting": chosen.setting,
        "value": value,
        "origin": chosen.origin.to_string(),
    })
}
