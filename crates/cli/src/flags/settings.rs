//! Flags that are settings of an address book: what they take, and what they are when nobody gives them.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::settings::{Plaintext, SETTINGS, Setting, SlowSubscriber, Takes};

/// The setting of that name.
fn setting(name: &str) -> &'static Setting {
    Setting::by_name(name).expect("a flag is named after a setting that there is")
}

/// What it is for a publisher, as one would write it.
pub(super) fn default(name: &str) -> &'static str {
    static DEFAULTS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
        let value = |setting: &Setting| {
            let kind = (!setting.is_of_service()).then_some(ConnectionKind::Publisher);
            let value = setting.default(kind);
            value.as_text().map_or_else(|| value.to_string(), str::to_owned)
        };
        SETTINGS.iter().map(|setting| (setting.name, value(setting))).collect()
    });
    &DEFAULTS[name]
}

/// A whole number, as the setting takes it.
pub(super) fn count(name: &str) -> RangedU64ValueParser<usize> {
    let Takes::Count { least, greatest, .. } = setting(name).takes else { panic!("`{name}` is no count") };
    let bound = |bound: i128| u64::try_from(bound).expect("a setting counts from 0");
    RangedU64ValueParser::new().range(bound(least)..=bound(greatest))
}

/// Seconds, as the setting takes them.
pub(super) fn seconds(
    name: &str,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    let Takes::Seconds { least, greatest } = setting(name).takes else { panic!("`{name}` is no time") };
    move |text| super::seconds_within(text, least, greatest)
}

pub(super) fn plaintext() -> impl TypedValueParser<Value = Plaintext> {
    PossibleValuesParser::new(Plaintext::NAMES).try_map(|text| text.parse::<Plaintext>())
}

/// Who publishes through a bus is not at hand to be told to wait.
pub(super) fn slow_subscriber() -> impl TypedValueParser<Value = SlowSubscriber> {
    let choices = || SlowSubscriber::ALL.into_iter().filter(|choice| *choice != SlowSubscriber::Wait);
    PossibleValuesParser::new(choices().map(SlowSubscriber::name))
        .map(move |text| choices().find(|choice| choice.name() == text).unwrap_or_default())
}
