//! Configs: file, arguments and `setup_config`, and where each fault stands.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use service_framework_core::config::Config;
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::model::Shape;
use service_framework_core::problem::Problems;
use service_framework_core::value::{DateTime, Decimal, Map, Uuid};
use service_framework_core::{Model as _, Value, model, value};
use service_framework_macros::Model;

#[path = "configs/arguments.rs"]
mod arguments;

#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Settings {
    /// Where to trade.
    exchange: String,
    limits: Limits,
    side: Option<Side>,
    dry_run: Option<bool>,
    since: Option<DateTime>,
    account: Option<Uuid>,
    ratio: Option<f64>,
    key: Option<bytes::Bytes>,
    pairs: Option<Vec<(String, String)>>,
    regions: Option<std::collections::BTreeSet<String>>,
    fees: Option<std::collections::BTreeMap<String, Decimal>>,
}

#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Limits {
    most: u8,
    spread: Option<Decimal>,
}

#[derive(Model)]
#[model(crate = "service_framework_core", names = "lower")]
enum Side {
    Buy,
    Sell,
}

struct Given<'a> {
    file: Option<&'a str>,
    arguments: &'a [(&'a str, &'a str)],
    setup: Option<Value>,
}

const NONE: Given<'_> = Given { file: None, arguments: &[], setup: None };

fn read(model: &Shape, given: Given<'_>) -> (Config, Problems) {
    let mut problems = Problems::new();
    let document = given.file.map(|text| Document::read(JsonFile::from_text("c.json", text), &mut problems));
    let arguments: Vec<_> = given.arguments.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut config = Config::read(model, document.as_ref(), &arguments, &mut problems);
    if let Some(returned) = given.setup {
        config.overwrite(model, returned, &mut problems);
    }
    config.check("gateway", model, &mut problems);
    (config, problems)
}

/// Shows the problems, or the config if there is none.
#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(given: Given<'_>, expected: Expect) {
    let (config, problems) = read(&model::describe::<Settings>(), given);
    let shown = if problems.is_empty() { config.value().to_string() } else { problems.to_string() };
    expected.assert_eq(&shown);
}

#[track_caller]
fn check_file(text: &str, expected: Expect) {
    check(Given { file: Some(text), ..NONE }, expected);
}

/// Checks one argument on top of a right file.
#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check_argument(key: &str, text: &str, expected: Expect) {
    let (config, problems) = read(
        &model::describe::<Settings>(),
        Given { file: Some(RIGHT), arguments: &[(key, text)], setup: None },
    );
    let right = value!({"exchange": "coinbase", "limits": {"most": 3}});
    let changed = config
        .value()
        .as_map()
        .unwrap()
        .iter()
        .filter(|(key, value)| right.get(key.as_text().unwrap()) != Some(value));
    let changed: Map = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
    let shown = if problems.is_empty() { Value::Map(changed).to_string() } else { problems.to_string() };
    expected.assert_eq(&shown);
}

const RIGHT: &str = r#"{"exchange": "coinbase", "limits": {"most": 3}}"#;

#[test]
fn a_config_is_flat_or_in_two_sections() {
    check_file(RIGHT, expect![[r#"{"exchange":"coinbase","limits":{"most":3}}"#]]);
    check_file(
        r#"{"required": {"exchange": "a", "limits": {"most": 3}}, "optional": {"dry_run": true}}"#,
        expect![[r#"{"exchange":"a","limits":{"most":3},"dry_run":true}"#]],
    );
    check_file(
        r#"{"required": {"exchange": "a", "limits": {"most": 3}}}"#,
        expect![[r#"{"exchange":"a","limits":{"most":3}}"#]],
    );
    // Sections stand alone, and are maps.
    check_file(
        r#"{"required": {"exchange": "a"}, "limits": {"most": 3}}"#,
        expect![[r#"
            c.json:1:1: exchange is missing: expected a text
            c.json:1:2: required is unknown; there are `exchange`, `limits`, `side`, `dry_run`, `since`, `account`, `ratio`, `key`, `pairs`, `regions`, `fees`"#]],
    );
    check_file(
        r#"{"required": ["exchange"]}"#,
        expect![[r#"
            c.json:1:1: exchange is missing: expected a text
            c.json:1:1: limits is missing: expected a map
            c.json:1:2: required is unknown; there are `exchange`, `limits`, `side`, `dry_run`, `since`, `account`, `ratio`, `key`, `pairs`, `regions`, `fees`"#]],
    );
    check_file(
        "{\"required\": {\"exchange\": 1},\n \"optional\": {\"exchange\": \"a\"}}",
        expect![[r#"
            c.json:1:1: limits is missing: expected a map
            c.json:1:27: exchange: expected a text, got the integer 1
            c.json:2:15: `exchange` stands in both sections: take one away"#]],
    );
}

#[test]
fn a_model_may_have_a_field_called_required() {
    #[derive(Model)]
    #[model(crate = "service_framework_core")]
    struct Own {
        required: Map,
    }
    let (config, problems) =
        read(&model::describe::<Own>(), Given { file: Some(r#"{"required": {"a": 1}}"#), ..NONE });
    assert_eq!(problems.to_string(), "");
    assert_eq!(config.value().get("required"), Some(&value!({"a": 1})));
}

#[test]
fn every_fault_has_its_place() {
    check_file(
        r#"{
    "exchnge": "coinbase",
    "limits": {
        "most": 300,
        "spread": 0.5,
        "least": 0
    },
    "side": "hold",
    "since": "yesterday",
    "pairs": [["BTC", "USD"], ["ETH"]]
}"#,
        expect![[r#"
            c.json:2:5: exchnge is unknown, did you mean `exchange`?
            c.json:4:17: limits.most: expected an integer from 0 to 255, got the integer 300
            c.json:5:19: limits.spread: expected a decimal, got the float 0.5: write it in quotes, which lose no digit
            c.json:6:9: limits.least is unknown; there are `most`, `spread`
            c.json:8:13: side: expected one of buy, sell, got the text "hold"
            c.json:9:14: since: expected a time such as 2026-11-21T06:15:00Z, got the text "yesterday"
            c.json:10:31: pairs[1]: expected a list of 2, got a list of 1"#]],
    );
    check_file(
        "{\"exchange\": \"a\",\n \"limits\": {}}",
        expect!["c.json:2:12: limits.most is missing: expected an integer from 0 to 255"],
    );
    check_file("[]", expect!["c.json:1:1: a config is a map, got a list of 0"]);
    check_file("{\"exchange\": \"a\",}", expect!["c.json:1:17: a comma with nothing after it"]);
}

#[test]
fn what_is_missing_from_no_file_can_be_given() {
    check(
        NONE,
        expect![[r#"
        config: exchange is missing: expected a text; write it in a config file, or give --exchange
        config: limits is missing: expected a map; write it in a config file, or give --limits"#]],
    );
    check(
        Given { arguments: &[("exchange", "a"), ("limits.most", "4")], ..NONE },
        expect![[r#"{"exchange":"a","limits":{"most":4}}"#]],
    );
}

#[test]
fn sections_are_looked_into_for_places() {
    check_file(
        "{\"required\": {\n \"exchange\": 1},\n \"optional\": {\n \"dry_run\": 1}}",
        expect![[r#"
        c.json:1:1: limits is missing: expected a map
        c.json:2:14: exchange: expected a text, got the integer 1
        c.json:4:13: dry_run: expected a boolean, got the integer 1"#]],
    );
}

#[test]
fn the_later_wins_and_says_so() {
    let model = model::describe::<Settings>();
    let given = Given {
        file: Some("{\"exchange\": \"a\",\n \"limits\": {\"most\": 3}, \"ratio\": 1, \"dry_run\": true}"),
        arguments: &[("exchange", "b"), ("limits.most", "4"), ("exchange", "c")],
        setup: Some(value!({"ratio": 0.5})),
    };
    let (config, problems) = read(&model, given);
    assert_eq!(problems.to_string(), "");
    expect![[r#"{"exchange":"c","limits":{"most":4},"ratio":0.5,"dry_run":true}"#]]
        .assert_eq(&config.value().to_string());
    let origins = config.origins();
    let lines: Vec<_> = origins.iter().map(|(key, place)| format!("{key} {place}")).collect();
    expect![[r#"
        limits c.json:2:2
        dry_run c.json:2:37
        limits.most --limits.most
        exchange --exchange
        ratio setup_config"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_setup_config_gives_is_checked_too() {
    let setup = |value| Given { file: Some(RIGHT), setup: Some(value), ..NONE };
    check(
        setup(value!({"exchange": 1, "limits": {"most": 1, "spread": 2}, "x": 1})),
        expect![[r#"
            setup_config: exchange: expected a text, got the integer 1
            setup_config: x is unknown; there are `exchange`, `limits`, `side`, `dry_run`, `since`, `account`, `ratio`, `key`, `pairs`, `regions`, `fees`"#]],
    );
    check(setup(value!([])), expect!["setup_config: expected a map of keys to overwrite, got a list of 0"]);
}

#[test]
fn a_service_without_a_model_takes_no_config() {
    let model = model::describe::<()>();
    let report = |given| read(&model, given).1.to_string();
    assert_eq!(report(NONE), "");
    assert_eq!(report(Given { file: Some("{}"), ..NONE }), "");
    expect!["c.json:1:1: the service `gateway` takes no config: start it without"]
        .assert_eq(&report(Given { file: Some("{\"a\": 1, \"b\": 2}"), ..NONE }));
    expect![[r#"
        --a: the service `gateway` takes no config: start it without
        --bc: the service `gateway` takes no config: start it without"#]]
    .assert_eq(&report(Given { arguments: &[("a", "1"), ("bc", "2")], ..NONE }));
    expect!["setup_config: the service `gateway` takes no config"]
        .assert_eq(&report(Given { setup: Some(value!({"a": 1})), ..NONE }));
}

#[test]
fn a_model_of_anything_takes_text_as_it_is() {
    let (config, problems) =
        read(&Map::shape(&mut Default::default()), Given { arguments: &[("a.b", "1")], ..NONE });
    assert_eq!(problems.to_string(), "");
    assert_eq!(*config.value(), value!({"a.b": "1"}));
}

#[test]
fn a_long_value_is_not_printed_whole() {
    let secret = "x".repeat(100);
    let (_, problems) = read(
        &model::describe::<Settings>(),
        Given { file: Some(RIGHT), arguments: &[("side", &secret)], setup: None },
    );
    assert!(!problems.to_string().contains(&secret));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,5}".prop_map(Value::from),
    ];
    let key = "required|optional|exchange|limits|most|side|pairs|regions|fees|.{0,3}";
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let map = prop::collection::btree_map(key, inner.clone(), 0..6);
        prop_oneof![
            3 => map.prop_map(|map| Value::Map(map.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

proptest! {
    #[test]
    fn no_config_panics(file in json(), setup in json(), key in "[a-z.-]{0,12}|limits.most|pairs", text in ".{0,12}") {
        let given = Given { file: Some(&file.to_string()), arguments: &[(&key, &text)], setup: Some(setup) };
        let (config, problems) = read(&model::describe::<Settings>(), given);
        // What is right is what the model takes, and nothing else is.
        let faults = model::describe::<Settings>().faults(config.value());
        prop_assert!(!problems.is_empty() || faults.is_empty());
        config.origins();
    }
}
