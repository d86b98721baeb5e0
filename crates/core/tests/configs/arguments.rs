//! Extra arguments of the command line, read as the model asks.

use super::*;

#[test]
fn arguments_are_read_as_the_model_asks() {
    check_argument("exchange", "007", expect![[r#"{"exchange":"007"}"#]]);
    check_argument("exchange", "", expect![[r#"{"exchange":""}"#]]);
    check_argument("dry_run", "true", expect![[r#"{"dry_run":true}"#]]);
    check_argument("dry-run", "False", expect![[r#"{"dry_run":false}"#]]);
    check_argument("dry_run", "maybe", expect![[r#"--dry_run: expected a boolean, got the text "maybe""#]]);
    check_argument("ratio", "2", expect![[r#"{"ratio":2.0}"#]]);
    check_argument("ratio", "1e-3", expect![[r#"{"ratio":0.001}"#]]);
    check_argument("ratio", "-inf", expect![[r#"{"ratio":{"__float__":"-Infinity"}}"#]]);
    check_argument("ratio", "1e999", expect![[r#"--ratio: expected a float, got the text "1e999""#]]);
    check_argument("ratio", "half", expect![[r#"--ratio: expected a float, got the text "half""#]]);
}

#[test]
fn arguments_reach_into_maps() {
    check_argument("limits.most", "255", expect![[r#"{"limits":{"most":255}}"#]]);
    check_argument(
        "limits.most",
        "256",
        expect!["--limits.most: expected an integer from 0 to 255, got the integer 256"],
    );
    check_argument(
        "limits.most",
        "many",
        expect![[r#"--limits.most: expected an integer from 0 to 255, got the text "many""#]],
    );
    check_argument(
        "limits.spread",
        "0.10",
        expect![[r#"{"limits":{"most":3,"spread":{"__decimal__":true,"as_str":"0.10"}}}"#]],
    );
    check_argument(
        "limits.spread",
        "1/2",
        expect![[r#"--limits.spread: expected a decimal, got the text "1/2""#]],
    );
    check_argument(
        "fees.BTC",
        "0.001",
        expect![[r#"{"fees":{"BTC":{"__decimal__":true,"as_str":"0.001"}}}"#]],
    );
    check_argument("fees.BTC", "free", expect![[r#"--fees.BTC: expected a decimal, got the text "free""#]]);
}

#[test]
fn arguments_that_are_texts_of_a_form() {
    check_argument("side", "sell", expect![[r#"{"side":"sell"}"#]]);
    check_argument("side", "hold", expect![[r#"--side: expected one of buy, sell, got the text "hold""#]]);
    check_argument("since", "2026-11-21T06:15:00Z", expect![[r#"{"since":"2026-11-21T06:15:00Z"}"#]]);
    check_argument(
        "since",
        "today",
        expect![[r#"--since: expected a time such as 2026-11-21T06:15:00Z, got the text "today""#]],
    );
    check_argument(
        "account",
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        expect![[r#"{"account":{"__uuid__":true,"as_str":"67e55044-10b1-426f-9247-bb680e5fe0c8"}}"#]],
    );
    check_argument(
        "account",
        "67e55044",
        expect![[r#"--account: expected a UUID, got the text "67e55044""#]],
    );
    check_argument("key", "aGVsbG8=", expect![[r#"{"key":{"__bytes__":true,"as_base64":"aGVsbG8="}}"#]]);
    check_argument("key", "!", expect![[r#"--key: expected bytes, got the text "!""#]]);
}

#[test]
fn arguments_with_something_inside_are_json() {
    check_argument("limits", r#"{"most": 9}"#, expect![[r#"{"limits":{"most":9}}"#]]);
    check_argument(
        "limits",
        r#"{"most": 9"#,
        expect![[
            r#"--limits: expected a map, got the text "{\"most\": 9"; it is read as JSON: truncated: `}` is due"#
        ]],
    );
    check_argument(
        "limits",
        r#"{"most": "x"}"#,
        expect![[r#"--limits: most: expected an integer from 0 to 255, got the text "x""#]],
    );
    check_argument("pairs", r#"[["BTC", "USD"]]"#, expect![[r#"{"pairs":[["BTC","USD"]]}"#]]);
    check_argument(
        "pairs",
        "BTC",
        expect![[
            r#"--pairs: expected a list, got the text "BTC"; it is read as JSON: expected a value, got the character 'B'"#
        ]],
    );
    check_argument(
        "regions",
        r#"["eu", "us", "eu"]"#,
        expect![[r#"{"regions":{"__set__":true,"value":["eu","us"]}}"#]],
    );
}

#[test]
fn unknown_arguments_are_named() {
    check_argument("exchnge", "a", expect!["--exchnge: there is no such key, did you mean `exchange`?"]);
    check_argument(
        "limits.least",
        "1",
        expect!["--limits.least: there is no such key; there are `most`, `spread`"],
    );
    check_argument("limits.mots", "1", expect!["--limits.mots: there is no such key, did you mean `most`?"]);
    check_argument(
        "exchange.name",
        "a",
        expect![
            "--exchange.name: there is no such key; there are `exchange`, `limits`, `side`, `dry_run`, `since`, `account`, `ratio`, `key`, `pairs`, `regions`, `fees`"
        ],
    );
    check_argument(
        "volume",
        "a",
        expect![
            "--volume: there is no such key; there are `exchange`, `limits`, `side`, `dry_run`, `since`, `account`, `ratio`, `key`, `pairs`, `regions`, `fees`"
        ],
    );
}

#[test]
fn of_one_key_it_is_said_that_it_is_the_only_one() {
    #[derive(Model)]
    #[model(crate = "service_framework_core")]
    struct Log {
        file: String,
    }
    let given = Given { file: Some(r#"{"file": "a"}"#), arguments: &[("volume", "1")], setup: None };
    let (_, problems) = read(&model::describe::<Log>(), given);
    expect!["--volume: there is no such key; the only key is `file`"].assert_eq(&problems.to_string());
}
