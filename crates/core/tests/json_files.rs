//! JSON files as people leave them: what each mistake is answered with, and where places are.

use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use service_framework_core::fault::Step;
use service_framework_core::file::{Document, JsonFile, MAX_BYTES};
use service_framework_core::problem::{Place, Problems};
use service_framework_core::{Value, value};

fn read(text: &str) -> Result<Value, Problems> {
    JsonFile::from_text("a.json", text).value()
}

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check_text(text: &str, expected: Expect) {
    let shown = read(text).map_or_else(|problems| problems.to_string(), |value| value.to_string());
    expected.assert_eq(&shown);
}

/// Opens `name` in a folder that `fill` has put something into; the folder is cut out of the message.
#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check_file(name: &str, fill: impl FnOnce(&Path), expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let mut problems = Problems::new();
    let document = Document::open(&folder.path().join(name), &mut problems);
    assert_eq!(document.is_broken(), !problems.is_empty());
    let shown = document.value().map_or_else(|| problems.to_string(), Value::to_string);
    expected.assert_eq(&shown.replace(&format!("{}/", folder.path().display()), ""));
}

#[test]
fn a_missing_file_is_named() {
    check_file("a.json", |_| {}, expect!["a.json is not there: check the path"]);
}

#[test]
fn a_folder_is_no_file() {
    check_file(
        "a.json",
        |folder| fs::create_dir(folder.join("a.json")).unwrap(),
        expect!["a.json is a folder: name a JSON file in it"],
    );
}

#[test]
fn an_empty_file_is_refused() {
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), "").unwrap(),
        expect!["a.json is empty: write at least {}"],
    );
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), "\u{feff} \n").unwrap(),
        expect!["a.json is empty: write at least {}"],
    );
}

#[test]
fn a_byte_order_mark_is_accepted() {
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), "\u{feff}{\"a\": 1}").unwrap(),
        expect![[r#"{"a":1}"#]],
    );
    // It does not count as a column.
    check_text("\u{feff}?", expect!["a.json:1:1: expected a value, got the character '?'"]);
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), utf16).unwrap(),
        expect!["a.json is UTF-16: save it as UTF-8"],
    );
    let latin = b"{\n  \"caf\xe9\": 1}";
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), latin).unwrap(),
        expect!["a.json:2:7: the byte 0xe9 is not UTF-8: save the file as UTF-8"],
    );
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let fifty_mib = |folder: &Path| {
        let file = fs::File::create(folder.join("a.json")).unwrap();
        file.set_len(50 << 20).unwrap();
    };
    check_file("a.json", fifty_mib, expect!["a.json is larger than 16 MiB, the most that is read"]);
    let just_over = format!("\"{}\"", "x".repeat(MAX_BYTES as usize - 1));
    check_file(
        "a.json",
        |folder| fs::write(folder.join("a.json"), just_over).unwrap(),
        expect!["a.json is larger than 16 MiB, the most that is read"],
    );
}

#[test]
fn a_file_at_the_limit_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    fs::write(&path, format!("\"{}\"", "x".repeat(MAX_BYTES as usize - 2))).unwrap();
    assert!(JsonFile::open(&path).unwrap().value().is_ok());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_followed() {
        let fill = |folder: &Path| {
            fs::write(folder.join("b.json"), "{}").unwrap();
            symlink("b.json", folder.join("a.json")).unwrap();
        };
        check_file("a.json", fill, expect!["{}"]);
    }

    #[test]
    fn a_link_to_nothing_names_its_target() {
        check_file(
            "a.json",
            |folder| symlink("b.json", folder.join("a.json")).unwrap(),
            expect!["a.json is a link to b.json, which is not there"],
        );
    }

    #[test]
    fn a_loop_of_links_is_refused() {
        let fill = |folder: &Path| {
            symlink("b.json", folder.join("a.json")).unwrap();
            symlink("a.json", folder.join("b.json")).unwrap();
        };
        check_file(
            "a.json",
            fill,
            expect![
                "a.json is a link to b.json, which cannot be followed: too many levels of symbolic links"
            ],
        );
        let fill = |folder: &Path| symlink("loop", folder.join("loop")).unwrap();
        check_file(
            "loop/a.json",
            fill,
            expect!["loop/a.json cannot be read: too many levels of symbolic links"],
        );
    }

    #[test]
    fn a_file_as_a_folder_is_refused() {
        check_file(
            "b/a.json",
            |folder| fs::write(folder.join("b"), "{}").unwrap(),
            expect!["b/a.json cannot be read: not a directory"],
        );
    }

    #[test]
    fn a_device_without_end_is_cut_off() {
        let error = JsonFile::open(Path::new("/dev/zero")).unwrap_err();
        expect!["/dev/zero is larger than 16 MiB, the most that is read"].assert_eq(&error.to_string());
    }
}

#[test]
fn comments_are_refused_where_they_stand() {
    check_text("// why\n{}", expect!["a.json:1:1: JSON has no comments: take this one out"]);
    check_text(
        "{\n  \"a\": 1, // why\n  \"b\": 2\n}",
        expect!["a.json:2:11: JSON has no comments: take this one out"],
    );
    check_text("{\n  \"a\": 1 /* why */\n}", expect!["a.json:2:10: JSON has no comments: take this one out"]);
    check_text("{\"a\": 1}\n# why", expect!["a.json:2:1: JSON has no comments: take this one out"]);
    check_text("{\"a\": [1, // one\n 2]}", expect!["a.json:1:11: JSON has no comments: take this one out"]);
}

#[test]
fn slips_of_json_are_placed() {
    check_text("{\"a\": 1,\n \"b\": 2,\n}", expect!["a.json:2:8: a comma with nothing after it"]);
    check_text(
        "{\"a\": 1\n \"b\": 2}",
        expect![[r#"a.json:2:2: expected `,` or `}`, got the character '"'"#]],
    );
    check_text("{'a': 1}", expect!["a.json:1:2: JSON puts text into double quotes"]);
    check_text("{a: 1}", expect![[r#"a.json:1:2: JSON puts keys and texts into double quotes: write "a""#]]);
    check_text("{\"a\" 1}", expect!["a.json:1:6: expected `:`, got the character '1'"]);
    check_text("{\"a\": True}", expect!["a.json:1:7: JSON has no True: write true"]);
    check_text("{\"a\": None}", expect!["a.json:1:7: JSON has no None: write null"]);
    check_text(
        "{\"a\": -Infinity}",
        expect![[r#"a.json:1:7: JSON has no -Infinity: write {"__float__": "-Infinity"}"#]],
    );
    check_text("{\"a\": NaN}", expect![[r#"a.json:1:7: JSON has no NaN: write {"__float__": "NaN"}"#]]);
    check_text("{\"a\": 01}", expect!["a.json:1:7: a number with a leading zero"]);
    check_text("{\"a\": \"x\ny\"}", expect!["a.json:1:9: a control character that is not escaped"]);
    check_text("{\"a\": 1", expect!["a.json:1:8: truncated: `}` is due"]);
    check_text("{\"a\": [1, 2\n\n", expect!["a.json:1:12: truncated: `]` is due"]);
    check_text("{\"a\": 1}\n{}", expect!["a.json:2:1: 2 bytes too many after the value"]);
    check_text(
        "{\"é\": x}",
        expect![[r#"a.json:1:7: JSON puts keys and texts into double quotes: write "x""#]],
    );
    check_text(
        "{\"price\": {\"__decimal__\": true, \"as_str\": \"abc\"}}",
        expect![[r#"a.json:1:11: price: expected a decimal, got the text "abc""#]],
    );
    check_text(&"[".repeat(100), expect!["a.json:1:66: nested deeper than 64 levels"]);
}

#[test]
fn every_repeated_key_is_reported() {
    check_text(
        "{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"c\": 2},\n  \"a\": [{\"d\": 1, \"d\": 2, \"d\": 3}]\n}",
        expect![[r#"
            a.json:3:17: the key "c" stands here a second time: it is in line 3 too
            a.json:4:3: the key "a" stands here a second time: it is in line 2 too
            a.json:4:18: the key "d" stands here a second time: it is in line 4 too
            a.json:4:26: the key "d" stands here a second time: it is in line 4 too"#]],
    );
    check_text(
        "{\"a\": 1, \"\\u0061\": 2}",
        expect![[r#"a.json:1:10: the key "a" stands here a second time: it is in line 1 too"#]],
    );
    // A key may stand in several maps.
    check_text("{\"a\": {\"a\": {\"a\": 1}}}", expect![[r#"{"a":{"a":{"a":1}}}"#]]);
}

#[test]
fn a_report_has_an_end() {
    let keys: Vec<String> = (0..250).map(|_| "\"a\": 1".to_owned()).collect();
    let problems = read(&format!("{{{}}}", keys.join(","))).unwrap_err();
    assert_eq!(problems.len(), 249);
    assert_eq!(problems.iter().count(), 100);
    assert!(problems.to_string().ends_with("\nand 149 more"));
}

#[test]
fn a_path_leads_to_its_place() {
    let text = "{\n  \"a\": {\"b\": [10, {\"c\": 3}]},\n  \"s\": {\"__set__\": true, \"value\": [7,\n 8]}\n}";
    let file = JsonFile::from_text("a.json", text);
    let path = |steps: &[&str]| -> Vec<Step> {
        let step = |step: &&str| step.parse().map_or_else(|_| Step::Field((*step).to_owned()), Step::Index);
        steps.iter().map(step).collect()
    };
    let places = |steps: &[&str]| {
        let path = path(steps);
        format!("{} {}", file.key_place(&path), file.value_place(&path))
    };
    expect!["a.json:1:1 a.json:1:1"].assert_eq(&places(&[]));
    expect!["a.json:2:3 a.json:2:8"].assert_eq(&places(&["a"]));
    expect!["a.json:2:9 a.json:2:14"].assert_eq(&places(&["a", "b"]));
    expect!["a.json:2:15 a.json:2:15"].assert_eq(&places(&["a", "b", "0"]));
    expect!["a.json:2:20 a.json:2:25"].assert_eq(&places(&["a", "b", "1", "c"]));
    // The members of a set stand in its tag.
    expect!["a.json:4:2 a.json:4:2"].assert_eq(&places(&["s", "1"]));
    // As far as it leads.
    expect!["a.json:2:3 a.json:2:8"].assert_eq(&places(&["a", "x", "y"]));
    expect!["a.json:2:9 a.json:2:14"].assert_eq(&places(&["a", "b", "9"]));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let map = prop::collection::btree_map("[a-z \"\\\\é]{0,4}", inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            map.prop_map(|map| Value::Map(map.into_iter().collect())),
        ]
    })
}

/// All paths of a value, with the value at each.
fn paths(value: &Value, here: &[Step], out: &mut Vec<(Vec<Step>, Value)>) {
    out.push((here.to_vec(), value.clone()));
    let deeper = |step| [here, &[step]].concat();
    match value {
        Value::List(items) => {
            items.iter().enumerate().for_each(|(i, item)| paths(item, &deeper(Step::Index(i)), out));
        }
        Value::Map(map) => map.iter().for_each(|(key, value)| {
            paths(value, &deeper(Step::Field(key.as_text().unwrap().to_owned())), out);
        }),
        _ => {}
    }
}

/// What follows a place in a text.
fn rest<'t>(text: &'t str, place: &Place) -> &'t str {
    let Place::File { line, column, .. } = place else { panic!("no file") };
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let column: usize = text[line_start..].chars().take(column - 1).map(char::len_utf8).sum();
    &text[line_start + column..]
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = read(&text);
        let file = JsonFile::from_text("a.json", &text);
        for offset in 0..bytes.len() + 2 {
            let place = file.place_of_offset(offset);
            // Inside the text, or it would panic.
            let _ = rest(file.text(), &place);
        }
        let _ = file.value_place(&[Step::Field("a".into()), Step::Index(1)]);
    }

    #[test]
    fn text_that_is_nearly_json_never_panics(value in json(), cut in any::<prop::sample::Index>(), insert in ".{0,3}") {
        let mut text = serde_json::to_string_pretty(&to_serde(&value)).unwrap();
        let at = text.floor_char_boundary(cut.index(text.len() + 1));
        text.insert_str(at, &insert);
        if let Err(problems) = read(&text) {
            for problem in problems.iter() {
                let _ = rest(&text, problem.place.as_ref().unwrap());
            }
        }
    }

    #[test]
    fn a_place_is_where_the_value_stands(value in json()) {
        let text = serde_json::to_string_pretty(&to_serde(&value)).unwrap();
        let file = JsonFile::from_text("a.json", &text);
        prop_assert_eq!(&file.value().unwrap(), &value);
        let mut all = Vec::new();
        paths(&value, &[], &mut all);
        for (path, value) in all {
            let start = serde_json::to_string_pretty(&to_serde(&value)).unwrap();
            let first_line = start.lines().next().unwrap();
            let found = rest(&text, &file.value_place(&path));
            prop_assert!(found.starts_with(first_line), "{:?} leads to {:?}", path, found);
            if let Some(Step::Field(key)) = path.last() {
                let found = rest(&text, &file.key_place(&path));
                let key = serde_json::to_string(key).unwrap();
                prop_assert!(found.starts_with(&key), "the key {:?} leads to {:?}", path, found);
            }
        }
    }
}

fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Int(int) => i64::try_from(*int).unwrap().into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(to_serde).collect(),
        Value::Map(map) => map.iter().map(|(k, v)| (k.as_text().unwrap().to_owned(), to_serde(v))).collect(),
        _ => serde_json::Value::Null,
    }
}

#[test]
fn code_gives_documents_too() {
    let document = Document::given(value!({"a": 1}), "setup_addresses");
    assert_eq!(document.value_place(&[Step::Field("a".into())]).to_string(), "setup_addresses");
}
