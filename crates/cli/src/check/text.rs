//! What a service would be started with, as text for people.

use std::fmt::Write as _;

use service_framework_core::address::Address;
use service_framework_core::model::Shape;
use service_framework_core::settings::Chosen;
use service_framework_core::shown::on_one_line;
use service_framework_core::wiring::{Wired, WiredState};
use service_framework_runtime::Plan;

use super::given;

/// The whole plan.
pub(super) fn of(plan: &Plan) -> String {
    let mut text = String::new();
    let name = format!("{} {}", plan.declaration.name, plan.declaration.version);
    line(&mut text, 0, &name);

    let config = given::keys(&plan.config).into_iter().map(|key| {
        let value = key.value.map(|value| format!(" = {value}")).unwrap_or_default();
        [format!("{}{value}", key.name), key.origin]
    });
    let absent = absent_keys(plan).map(|name| [name.to_owned(), "not given".to_owned()]);
    section(&mut text, "config", config.chain(absent).collect());

    section(&mut text, "connections", plan.wiring.connections.iter().map(connection).collect());
    let sockets = plan.wiring.states.iter().flat_map(WiredState::sockets);
    section(&mut text, "states", sockets.map(connection).collect());

    let settings_of = |connection: Option<&str>| {
        let chosen =
            plan.wiring.chosen.iter().filter(move |chosen| chosen.connection.as_deref() == connection);
        chosen.map(setting).collect::<Vec<_>>()
    };
    section(&mut text, "settings of the service", settings_of(None));
    for Wired { name, .. } in &plan.wiring.connections {
        section(&mut text, &format!("settings of {name}"), settings_of(Some(name)));
    }
    for state in &plan.wiring.states {
        section(&mut text, &format!("settings of {}", state.name), settings_of(Some(&state.name)));
        for Wired { name, kind, .. } in state.sockets() {
            let name = format!("{name}.{kind}");
            section(&mut text, &format!("settings of {name}"), settings_of(Some(&name)));
        }
    }
    text.push_str("\nnothing is wrong; what `new` of the service refuses, and ports that are in use, show at the start\n");
    text
}

/// The optional keys of the config that nobody gave.
fn absent_keys(plan: &Plan) -> impl Iterator<Item = &str> {
    let fields = match &plan.declaration.config {
        Shape::Record(record) => &record.fields[..],
        _ => &[],
    };
    let is_absent = |name: &&str| plan.config.value().get(name).is_none();
    fields.iter().map(|field| &*field.name).filter(is_absent)
}

fn connection(wired: &Wired) -> [String; 2] {
    let address = wired.address.as_ref().map(Address::url);
    let place = match &address {
        Some(url) if wired.listens => format!("{}: {} listens at {url}", wired.name, wired.kind),
        Some(url) => format!("{}: {} connects to {url}", wired.name, wired.kind),
        None => format!("{}: {}", wired.name, wired.kind),
    };
    [place, given::place(wired.place.as_ref()).unwrap_or_default()]
}

fn setting(chosen: &Chosen) -> [String; 2] {
    [format!("{} = {}", chosen.setting, chosen.value), chosen.origin.to_string()]
}

/// A heading with rows of two columns under it; nothing without rows.
fn section(text: &mut String, heading: &str, rows: Vec<[String; 2]>) {
    if rows.is_empty() {
        return;
    }
    text.push('\n');
    line(text, 0, heading);
    let width = rows.iter().map(|[left, _]| left.chars().count()).max().unwrap_or_default();
    for [left, right] in rows {
        line(text, 2, format!("{left:width$}  {right}").trim_end());
    }
}

fn line(text: &mut String, indent: usize, content: &str) {
    writeln!(text, "{:indent$}{}", "", on_one_line(content)).expect("a string takes any text");
}
