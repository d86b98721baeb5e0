//! What each setting takes.

use super::*;

#[test]
fn times_out_of_range_are_refused() {
    check_endpoint(
        Requester,
        r#""deadline_s": -1"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the integer -1"
        ],
    );
    check_endpoint(
        Requester,
        r#""deadline_s": 0"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the integer 0"
        ],
    );
    check_endpoint(
        Requester,
        r#""deadline_s": 1e300"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the float 1e300"
        ],
    );
    check_endpoint(
        Requester,
        r#""deadline_s": {"__float__": "NaN"}"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the float NaN"
        ],
    );
    check_endpoint(
        Requester,
        r#""deadline_s": {"__float__": "Infinity"}"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the float inf"
        ],
    );
    check_endpoint(
        Requester,
        r#""deadline_s": "5""#,
        expect![[
            r#"a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got the text "5""#
        ]],
    );
    check_endpoint(Publisher, r#""wait_after_creation_s": 0"#, expect![""]);
}

#[test]
fn counts_out_of_range_are_refused() {
    check_endpoint(
        Requester,
        r#""max_message_bytes": 0"#,
        expect![
            "a.json:1:64: `requester`: `max_message_bytes` is a whole number of bytes from 1024 to 1073741824, got the integer 0"
        ],
    );
    check_endpoint(
        Requester,
        r#""max_depth": 10000"#,
        expect![
            "a.json:1:64: `requester`: `max_depth` is a whole number of levels from 4 to 256, got the integer 10000"
        ],
    );
    check_endpoint(
        Requester,
        r#""queue": 1.5"#,
        expect![
            "a.json:1:64: `requester`: `queue` is a whole number of messages from 1 to 10000000, got the float 1.5"
        ],
    );
    check_endpoint(
        Requester,
        r#""queue": 0"#,
        expect![
            "a.json:1:64: `requester`: `queue` is a whole number of messages from 1 to 10000000, got the integer 0"
        ],
    );
}

#[test]
fn what_is_no_choice_no_flag_and_no_text_is_refused() {
    check_endpoint(
        Requester,
        r#""peer": "ruby""#,
        expect![[r#"a.json:1:64: `requester`: `peer` is one of any, python, got the text "ruby""#]],
    );
    check_endpoint(
        Requester,
        r#""encoding": "xml""#,
        expect![[r#"a.json:1:64: `requester`: `encoding` is one of msgpack, json, got the text "xml""#]],
    );
    check_endpoint(
        Publisher,
        r#""is_x_pub": "yes""#,
        expect![[r#"a.json:1:64: `publisher`: `is_x_pub` is true or false, got the text "yes""#]],
    );
    check_endpoint(
        Publisher,
        r#""topic": 1"#,
        expect!["a.json:1:64: `publisher`: `topic` is a text, got the integer 1"],
    );
    check_endpoint(
        Subscriber,
        r#""overflow": "drop""#,
        expect![[
            r#"a.json:1:65: `subscriber`: `overflow` is one of wait, drop_oldest, got the text "drop""#
        ]],
    );
}

#[test]
fn no_call_waits_for_ever_and_a_replyer_may() {
    check_endpoint(
        Requester,
        r#""deadline_s": null"#,
        expect![
            "a.json:1:64: `requester`: `deadline_s` is a number of seconds from 0.001 to 31536000, got null"
        ],
    );
    check_endpoint(
        ExternalTarget,
        r#""deadline_s": null"#,
        expect![
            "a.json:1:50: `external_target`: `deadline_s` is a number of seconds from 0.001 to 31536000, got null"
        ],
    );
    let given =
        Given { attribute: value!({"deadline_s": 3}), endpoint: r#""deadline_s": null"#, ..given(Replyer) };
    assert_eq!(settings(&given).deadline, None);
    check_endpoint(
        Replyer,
        r#""deadline_s": 0"#,
        expect![
            "a.json:1:59: `replyer`: `deadline_s` is a number of seconds from 0.001 to 31536000, or null, got the integer 0"
        ],
    );
}
