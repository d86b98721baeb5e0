//! The settings that an author may give a connection at its handler.

use syn::{Error, Expr, Lit, Result};

/// A setting that stands in an attribute.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
}

/// What a setting may be set to. Ranges are checked where all sources of settings come together, when the service is built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Text,
    Flag,
    Seconds,
    Count,
    Choice(&'static [&'static str]),
}

const DEADLINE_S: Setting = Setting { name: "deadline_s", takes: Takes::Seconds };
const IS_BINDER: Setting = Setting { name: "is_binder", takes: Takes::Flag };
const MAX_DEPTH: Setting = Setting { name: "max_depth", takes: Takes::Count };
const MAX_MESSAGE_BYTES: Setting = Setting { name: "max_message_bytes", takes: Takes::Count };
const MAX_VALUES: Setting = Setting { name: "max_values", takes: Takes::Count };
const MAX_PEERS: Setting = Setting { name: "max_peers", takes: Takes::Count };
const OVERFLOW: Setting = Setting { name: "overflow", takes: Takes::Choice(&["wait", "drop_oldest"]) };
const PEER: Setting = Setting { name: "peer", takes: Takes::Choice(&["any", "python"]) };
const QUEUE: Setting = Setting { name: "queue", takes: Takes::Count };
const QUEUE_BYTES: Setting = Setting { name: "queue_bytes", takes: Takes::Count };
const TOPIC: Setting = Setting { name: "topic", takes: Takes::Text };

/// Those of a replyer.
pub(super) const OF_REPLYERS: &[Setting] =
    &[DEADLINE_S, MAX_MESSAGE_BYTES, MAX_DEPTH, MAX_VALUES, PEER, QUEUE_BYTES, MAX_PEERS];

/// Those of a subscriber.
pub(super) const OF_SUBSCRIBERS: &[Setting] =
    &[TOPIC, IS_BINDER, MAX_MESSAGE_BYTES, MAX_DEPTH, MAX_VALUES, QUEUE, QUEUE_BYTES, OVERFLOW, MAX_PEERS];

impl Setting {
    /// Refuses a value that is of another type than the setting takes. What is no literal, such as a constant, is left to the compiler.
    pub(super) fn check(&self, value: &Expr) -> Result<()> {
        let Expr::Lit(literal) = value else { return Ok(()) };
        let fits = match (self.takes, &literal.lit) {
            (Takes::Text, Lit::Str(_))
            | (Takes::Flag, Lit::Bool(_))
            | (Takes::Seconds, Lit::Int(_) | Lit::Float(_))
            | (Takes::Count, Lit::Int(_)) => true,
            (Takes::Choice(choices), Lit::Str(text)) => choices.contains(&&*text.value()),
            _ => false,
        };
        if fits { Ok(()) } else { Err(Error::new_spanned(value, self.usage())) }
    }

    /// How to write it.
    pub(super) fn usage(&self) -> String {
        let name = self.name;
        match self.takes {
            Takes::Text => format!("`{name}` is a text: write `{name} = \"..\"`"),
            Takes::Flag => format!("`{name}` is true or false: write `{name}`"),
            Takes::Seconds => format!("`{name}` is a number of seconds: write `{name} = 2.5`"),
            Takes::Count => format!("`{name}` is a whole number: write `{name} = 1000`"),
            Takes::Choice(choices) => {
                let choices: Vec<_> =
                    choices.iter().map(|choice| format!("`{name} = \"{choice}\"`")).collect();
                format!("write {}", choices.join(" or "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use service_framework_core::declaration::ConnectionKind;
    use service_framework_core::settings::{SETTINGS, Takes as Known};

    use super::*;

    fn check(kind: ConnectionKind, ours: &[Setting]) {
        // Whose keys a service has is for its operator to say.
        let known =
            SETTINGS.iter().filter(|setting| setting.is_of(kind) && !setting.name.starts_with("curve_"));
        let mut known: Vec<_> =
            known.map(|setting| (setting.name, format!("{:?}", takes(setting.takes)))).collect();
        let mut ours: Vec<_> =
            ours.iter().map(|setting| (setting.name, format!("{:?}", setting.takes))).collect();
        known.sort();
        ours.sort();
        assert_eq!(ours, known);
    }

    fn takes(known: Known) -> Takes {
        match known {
            Known::Text => Takes::Text,
            Known::Flag => Takes::Flag,
            Known::Seconds { .. } => Takes::Seconds,
            Known::Count { .. } => Takes::Count,
            Known::Choice(choices) => Takes::Choice(choices),
        }
    }

    #[test]
    fn attributes_take_the_settings_that_there_are() {
        check(ConnectionKind::Replyer, OF_REPLYERS);
        check(ConnectionKind::Subscriber, OF_SUBSCRIBERS);
    }
}
