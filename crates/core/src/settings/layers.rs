//! Settings from several hands, of which a later one wins, checked and made into one.

use super::{Chosen, ConnectionSettings, Origin, SETTINGS, ServiceSettings, Set, Setting};
use crate::declaration::ConnectionKind;
use crate::problem::{Place, Problem, Problems, meant};
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
        let mut settings = ConnectionSettings::default_of(kind);
        for setting in SETTINGS.iter().filter(|setting| setting.is_of(kind)) {
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
        for layer in self.0.iter().rev() {
            if let Some(value) = layer.map.get(setting.name)
                && setting.allows(kind, value)
            {
                return (value.clone(), (layer.origin)(setting.name));
            }
        }
        (setting.default(kind), Origin::Default)
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
    for (key, value) in map.iter() {
        let Some(key) = key.as_text() else {
            let text = format!("`{name}`: a setting has a name, not {}", key.named());
            problems.add_with(|| Problem::at(place(""), text));
            continue;
        };
        let text = match Setting::by_name(key) {
            Some(setting) if setting.is_of(kind) => {
                if setting.allows(Some(kind), value) {
                    continue;
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
                let known = SETTINGS.iter().filter(|setting| setting.is_of(kind));
                let hint = meant(key, known.map(|setting| setting.name));
                format!("`{name}`: `{key}` is no setting of type {kind}{hint}")
            }
        };
        problems.add_with(|| Problem::at(place(key), text));
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
                format!("`{key}` is no setting{}", meant(key, known.map(|setting| setting.name)))
            }
        };
        problems.add_with(|| Problem::at(place(key), text));
    }
}

fn wrong_value(subject: &str, setting: &Setting, kind: Option<ConnectionKind>, value: &Value) -> String {
    let or_null = if kind.is_some() && setting.default(kind) == Value::Null { ", or null" } else { "" };
    format!("{subject}`{}` is {}{or_null}, got {}", setting.name, setting.takes.named(), value.named())
}
