//! Settings from several hands, of which a later one wins, checked and made into one.

use super::{
    Chosen, ConnectionSettings, Origin, SETTINGS, STATE_SETTINGS, ServiceSettings, Set, Setting,
    StateSetting, StateSettings,
};
use crate::declaration::{ConnectionKind, StateKind};
use crate::problem::{Place, Problem, Problems, meant};
use crate::shown::named;
use crate::value::{Map, Value};

/// Settings from several hands, the winning one last.
#[derive(Debug, Default)]
pub(crate) struct Layers<'a>(Vec<Layer<'a>>);

struct Layer<'a> {
    map: &'a Map,
    /// Who set the setting of that name.
    origin: Box<dyn Fn(&str) -> Origin + 'a>,
}

impl std::fmt::Debug for Layer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.map.fmt(f)
    }
}

impl<'a> Layers<'a> {
    /// Puts settings on top of those there.
    pub(crate) fn push(&mut self, map: &'a Map, origin: impl Fn(&str) -> Origin + 'a) {
        self.0.push(Layer { map, origin: Box::new(origin) });
    }

    /// The settings of a connection, which `check` has found to be right or has reported.
    pub(crate) fn connection(
        &self,
        name: &str,
        kind: ConnectionKind,
        chosen: &mut Vec<Chosen>,
    ) -> ConnectionSettings {
        self.socket(name, kind, |setting| setting.is_of(kind), chosen)
    }

    /// The settings of a socket of a state, likewise.
    pub(crate) fn state_socket(
        &self,
        name: &str,
        kind: StateKind,
        socket: ConnectionKind,
        chosen: &mut Vec<Chosen>,
    ) -> ConnectionSettings {
        self.socket(&format!("{name}.{socket}"), socket, |setting| setting.is_of_state(kind, socket), chosen)
    }

    /// The settings that a state has beside those of its sockets, likewise.
    pub(crate) fn state(&self, name: &str, kind: StateKind, chosen: &mut Vec<Chosen>) -> StateSettings {
        let mut settings = StateSettings::default_of(kind);
        for setting in STATE_SETTINGS.iter().filter(|setting| setting.kinds.contains(&kind)) {
            let (value, origin) = self
                .find(setting.name, |value| setting.allows(kind, value))
                .unwrap_or_else(|| (setting.default(kind), Origin::Default));
            (setting.set)(&mut settings, &value);
            let connection = Some(name.to_owned());
            chosen.push(Chosen { connection, setting: setting.name, value: shown(&value), origin });
        }
        settings
    }

    fn socket(
        &self,
        name: &str,
        kind: ConnectionKind,
        has: impl Fn(&Setting) -> bool,
        chosen: &mut Vec<Chosen>,
    ) -> ConnectionSettings {
        let mut settings = ConnectionSettings::default_of(kind);
        for setting in SETTINGS.iter().filter(|setting| has(setting)) {
            let (value, origin) = self.choose(setting, Some(kind));
            if let Set::Connection(set) = setting.set {
                set(&mut settings, &value);
            }
            chosen.push(Chosen {
                connection: Some(name.to_owned()),
                setting: setting.name,
                value: shown(&value),
                origin,
            });
        }
        settings
    }

    /// The settings of the service as a whole.
    pub(crate) fn service(&self, chosen: &mut Vec<Chosen>) -> ServiceSettings {
        let mut settings = ServiceSettings::default();
        for setting in SETTINGS.iter().filter(|setting| setting.is_of_service()) {
            let (value, origin) = self.choose(setting, None);
            if let Set::Service(set) = setting.set {
                set(&mut settings, &value);
            }
            chosen.push(Chosen { connection: None, setting: setting.name, value: shown(&value), origin });
        }
        settings
    }

    fn choose(&self, setting: &Setting, kind: Option<ConnectionKind>) -> (Value, Origin) {
        let found = self.find(setting.name, |value| setting.allows(kind, value));
        found.unwrap_or_else(|| (setting.default(kind), Origin::Default))
    }

    /// The value of the topmost layer that has one that is allowed.
    fn find(&self, name: &str, allows: impl Fn(&Value) -> bool) -> Option<(Value, Origin)> {
        self.0.iter().rev().find_map(|layer| {
            let value = layer.map.get(name).filter(|value| allows(value))?;
            Some((value.clone(), (layer.origin)(name)))
        })
    }
}

impl Setting {
    fn allows(&self, kind: Option<ConnectionKind>, value: &Value) -> bool {
        let takes_null = kind.is_some() && self.default(kind) == Value::Null;
        self.takes.allows(value) || takes_null && *value == Value::Null
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Text(text) => crate::fault::quoted(text),
        value => value.to_string(),
    }
}

/// Checks the settings that stand beside one connection.
pub(crate) fn check_connection(
    name: &str,
    kind: ConnectionKind,
    map: &Map,
    place: impl Fn(&str) -> Place,
    problems: &mut Problems,
) {
    let known = || SETTINGS.iter().filter(|setting| setting.is_of(kind)).map(|setting| setting.name);
    check_each(name, map, place, problems, |key, value| {
        Some(match Setting::by_name(key) {
            Some(setting) if setting.is_of(kind) => {
                if setting.allows(Some(kind), value) {
                    return None;
                }
                wrong_value(&format!("`{name}`: "), setting, Some(kind), value)
            }
            Some(setting) if setting.is_of_service() => {
                format!(
                    "`{name}`: `{key}` is a setting of the whole service: write it under `settings` at the top"
                )
            }
            Some(setting) => {
                let kinds: Vec<_> = setting.kinds.iter().map(|kind| kind.name()).collect();
                format!("`{name}`: `{key}` is no setting of type {kind}, but of {}", kinds.join(", "))
            }
            None => {
                format!(
                    "`{name}`: {} is no setting of type {kind}{}",
                    named(key),
                    meant(key, "setting", known())
                )
            }
        })
    });
}

/// Checks the settings that stand beside sockets of a state: beside one, or those for all.
pub(crate) fn check_state(
    name: &str,
    kind: StateKind,
    sockets: &[ConnectionKind],
    map: &Map,
    place: impl Fn(&str) -> Place,
    problems: &mut Problems,
) {
    // Those of the state itself stand beside the socket by which its updates go.
    let has_own = sockets.first() == kind.sockets().first();
    let own = || STATE_SETTINGS.iter().filter(|setting| has_own && setting.kinds.contains(&kind));
    let of_socket = |setting: &Setting| sockets.iter().find(|socket| setting.is_of_state(kind, **socket));
    let known = || {
        let theirs = SETTINGS.iter().filter(|setting| of_socket(setting).is_some());
        own().map(|setting| setting.name).chain(theirs.map(|setting| setting.name))
    };
    check_each(name, map, place, problems, |key, value| {
        if let Some(setting) = own().find(|setting| setting.name == key) {
            return (!setting.allows(kind, value)).then(|| wrong_state_value(name, setting, kind, value));
        }
        let found = Setting::by_name(key).and_then(|setting| Some((setting, *of_socket(setting)?)));
        match found {
            Some((setting, socket)) if setting.allows(Some(socket), value) => None,
            Some((setting, socket)) => {
                Some(wrong_value(&format!("`{name}`: "), setting, Some(socket), value))
            }
            None if StateSetting::by_name(key, kind).is_some() => {
                let socket = kind.sockets()[0];
                Some(format!("`{name}`: `{key}` is a setting of the state: write it beside its `{socket}`"))
            }
            None => {
                let what = match sockets {
                    [socket] => format!("the {socket} of a {kind}"),
                    _ => format!("type {kind}"),
                };
                Some(format!(
                    "`{name}`: {} is no setting of {what}{}",
                    named(key),
                    meant(key, "setting", known())
                ))
            }
        }
    });
}

/// Reports, of each setting in a map, what `wrong` says of it.
fn check_each(
    name: &str,
    map: &Map,
    place: impl Fn(&str) -> Place,
    problems: &mut Problems,
    wrong: impl Fn(&str, &Value) -> Option<String>,
) {
    for (key, value) in map.iter() {
        let Some(key) = key.as_text() else {
            let text = format!("`{name}`: a setting has a name, not {}", key.named());
            problems.add_with(|| Problem::at(place(""), text));
            continue;
        };
        if let Some(text) = wrong(key, value) {
            problems.add_with(|| Problem::at(place(key), text));
        }
    }
}

/// Checks the settings at the top of an address book.
pub(crate) fn check_common(map: &Map, place: impl Fn(&str) -> Place, problems: &mut Problems) {
    for (key, value) in map.iter() {
        let Some(key) = key.as_text() else {
            problems
                .add_with(|| Problem::at(place(""), format!("a setting has a name, not {}", key.named())));
            continue;
        };
        let text = match Setting::by_name(key) {
            Some(setting) if setting.is_own => {
                format!(
                    "`{key}` is a setting of one connection: write it beside the address of that connection"
                )
            }
            Some(setting) if setting.takes.allows(value) => continue,
            Some(setting) => wrong_value("", setting, None, value),
            None => {
                let known = SETTINGS.iter().filter(|setting| !setting.is_own);
                format!(
                    "{} is no setting{}",
                    named(key),
                    meant(key, "setting", known.map(|setting| setting.name))
                )
            }
        };
        problems.add_with(|| Problem::at(place(key), text));
    }
}

fn wrong_value(subject: &str, setting: &Setting, kind: Option<ConnectionKind>, value: &Value) -> String {
    let or_null = if kind.is_some() && setting.default(kind) == Value::Null { ", or null" } else { "" };
    format!("{subject}`{}` is {}{or_null}, got {}", setting.name, setting.takes.named(), value.named())
}

fn wrong_state_value(name: &str, setting: &StateSetting, kind: StateKind, value: &Value) -> String {
    let or_null = if setting.default(kind) == Value::Null { ", or null" } else { "" };
    format!("`{name}`: `{}` is {}{or_null}, got {}", setting.name, setting.takes.named(), value.named())
}
