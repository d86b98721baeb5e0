//! What is refused whatever the model is: forged marks, JSON that is none, and what is over a limit.

use super::*;

/// What is said of JSON that no value gives.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check_json<T: Model + std::fmt::Debug>(json: &str, expected: Expect) {
    let told = match wire::decode::<T>(json.as_bytes(), Encoding::Json, &Limits::default()) {
        Ok(value) => String::from_utf8(wire::encode(&value, Encoding::Json).unwrap()).unwrap(),
        Err(fault) => fault.to_string(),
    };
    expected.assert_eq(&told);
}

#[test]
fn forged_decimals_and_uuids_are_refused() {
    check_json::<Value>(
        r#"{"p": {"__decimal__": true, "as_str": 1}}"#,
        expect!["p.as_str: expected a text, got the integer 1"],
    );
    check_json::<Decimal>(
        r#"{"__decimal__": true, "as_str": 1}"#,
        expect!["as_str: expected a text, got the integer 1"],
    );
    check_json::<Decimal>(
        r#"{"__decimal__": 5, "as_str": "1"}"#,
        expect!["__decimal__: expected true, got the integer 5"],
    );
    check_json::<Decimal>(r#"{"__decimal__": true}"#, expect!["as_str is missing"]);
    check_json::<Decimal>(
        r#"{"__decimal__": true, "as_str": "1,5"}"#,
        expect![[r#"expected a decimal, got the text "1,5""#]],
    );
    check_json::<Value>(
        r#"{"__x__": 1, "__decimal__": true, "as_str": "1"}"#,
        expect![[r#"expected a decimal, got a map that also has the text "__x__""#]],
    );
    check_json::<Uuid>(
        r#"{"__uuid__": true, "as_str": "zz"}"#,
        expect![[r#"expected a UUID, got the text "zz""#]],
    );
    check_json::<BTreeMap<String, bool>>(
        r#"{"__decimal__": true}"#,
        expect!["expected a map, got a decimal"],
    );
}

#[test]
fn forged_sets_are_refused() {
    check_json::<Value>(
        r#"{"__set__": true, "value": [{}, {}]}"#,
        expect!["expected a member that is no map, set or array, got a map"],
    );
    check_json::<Value>(
        r#"{"__set__": true, "value": [1, 1]}"#,
        expect!["the integer 1 stands twice in a set"],
    );
    check_json::<Value>(
        r#"{"__set__": true, "value": 1}"#,
        expect!["value: expected a list, got the integer 1"],
    );
    check_json::<BTreeSet<u8>>(
        r#"{"__set__": true, "value": [1, 1]}"#,
        expect!["[1]: a member of the set stands twice"],
    );
    check_json::<BTreeSet<u8>>(
        r#"{"__set__": true, "value": [{}]}"#,
        expect!["[0]: expected an integer from 0 to 255, got a map"],
    );
}

#[test]
fn forged_arrays_bytes_and_floats_are_refused() {
    check_json::<Value>(
        r#"{"__numpy.ndarray__": true, "as_bytes": {"__bytes__": true, "as_base64": "AAAAAAAAAA=="}}"#,
        expect!["expected a multiple of 8 bytes, got 7 bytes"],
    );
    check_json::<AnyArray>(
        r#"{"__numpy.ndarray__": true, "as_bytes": {"__bytes__": true, "as_base64": ""}, "shape": [4294967296, 4294967296]}"#,
        expect![
            "expected an array that fits into memory, not of shape [4294967296, 4294967296], got 0 bytes"
        ],
    );
    check_json::<AnyArray>(
        r#"{"__numpy.ndarray__": true, "as_bytes": {"__bytes__": true, "as_base64": ""}, "dtype": ">f8"}"#,
        expect![[r#"dtype: expected a type of elements such as <f8, got the text ">f8""#]],
    );
    check_json::<Bytes>(
        r#"{"__bytes__": true, "as_base64": "*"}"#,
        expect![[r#"as_base64: expected base64, got the text "*""#]],
    );
    check_json::<f64>(
        r#"{"__float__": "huge"}"#,
        expect![[r#"__float__: expected NaN, Infinity or -Infinity, got the text "huge""#]],
    );
    check_json::<f64>(r#"{"__float__": "NaN"}"#, expect![[r#"{"__float__":"NaN"}"#]]);
}

#[test]
fn an_array_of_seven_bytes_is_refused_in_message_pack_too() {
    let mut message = b"\x82\xb1__numpy.ndarray__\xc3\xa8as_bytes\xc4\x07".to_vec();
    message.extend_from_slice(&[0; 7]);
    let limits = Limits::default();
    let told = wire::decode::<Value>(&message, Encoding::MessagePack, &limits).unwrap_err().to_string();
    assert_eq!(told, "expected a multiple of 8 bytes, got 7 bytes");
    let told = wire::decode::<Array<f64>>(&message, Encoding::MessagePack, &limits).unwrap_err().to_string();
    assert_eq!(told, "expected a multiple of 8 bytes, got 7 bytes");
}

#[test]
fn a_key_that_stands_twice_is_named_as_it_is_written_the_second_time() {
    check_json::<BTreeMap<DateTime, u8>>(
        r#"{"2026-11-21T06:15:00Z": 1, "2026-11-21T07:15:00+01:00": 2}"#,
        expect![[r#"["2026-11-21T07:15:00+01:00"]: the key stands twice"#]],
    );
    check_json::<HashMap<DateTime, u8>>(
        r#"{"2026-11-21T07:15:00+01:00": 1, "2026-11-21T06:15:00Z": 2}"#,
        expect![[r#"["2026-11-21T06:15:00Z"]: the key stands twice"#]],
    );
}

#[test]
fn json_that_is_none_is_refused() {
    check_json::<Value>(r#"{"a": 1, "a": 2}"#, expect!["a: the key stands twice"]);
    check_json::<Level>(r#"{"size": 1, "size": 2}"#, expect!["size: the key stands twice"]);
    check_json::<BTreeMap<String, u8>>(r#"{"a": 1, "a": 2}"#, expect!["a: the key stands twice"]);
    check_json::<Value>("[1, 2,]", expect!["a comma with nothing after it"]);
    check_json::<Value>("[1 2]", expect!["expected `,` or `]`, got the character '2'"]);
    check_json::<Value>(r#"{"a" 1}"#, expect!["expected `:`, got the character '1'"]);
    check_json::<Value>("{a: 1}", expect!["expected a value, got the character 'a'"]);
    check_json::<Value>("{1: 1}", expect!["expected a text as key, got the integer 1"]);
    check_json::<Value>("// no", expect!["JSON has no comments"]);
    check_json::<Value>("'no'", expect!["JSON puts text into double quotes"]);
    check_json::<Value>("[1", expect!["truncated: `]` is due"]);
    check_json::<Value>("", expect!["truncated: a value is due"]);
    check_json::<Value>("{} {}", expect!["2 bytes too many after the value"]);
    check_json::<Value>("\"a", expect!["a text without its closing quote"]);
    check_json::<Value>("\"\\x\"", expect!["an escape that JSON does not have"]);
    check_json::<Value>("\"\\ud800\"", expect!["an escape that JSON does not have"]);
    check_json::<Value>("\"\u{1}\"", expect!["a control character that is not escaped"]);
    check_json::<Value>("01", expect!["a number with a leading zero"]);
    check_json::<Value>("1.", expect!["a number with no digit after its point"]);
    check_json::<Value>("1e", expect!["a number with no digit in its exponent"]);
    check_json::<Value>("-", expect!["a number without digits"]);
    check_json::<Value>("1e999", expect!["a number beyond 64-bit floats"]);
    check_json::<Value>("18446744073709551616", expect!["an integer outside -2^63 to 2^64-1"]);
    check_json::<Value>("nul", expect!["expected a value, got the character 'n'"]);
    check_json::<Value>(r#""\ud83e\udd80\u0041""#, expect![[r#""🦀A""#]]);
}

#[test]
fn limits_are_settings() {
    let limits = Limits { max_depth: 2, max_values: 4, max_message_bytes: 12 };
    let told = |json: &str| match wire::decode::<Value>(json.as_bytes(), Encoding::Json, &limits) {
        Ok(_) => "fine".to_owned(),
        Err(fault) => fault.to_string(),
    };
    assert_eq!(told("[[1, 2]]"), "fine");
    assert_eq!(told("[[[]]]"), "[0][0]: nested deeper than 2 levels");
    assert_eq!(told("[1,2,3,4]"), "[3]: more values than a message may have");
    assert_eq!(told("[1,          2]"), "15 bytes, 12 are allowed");
}
