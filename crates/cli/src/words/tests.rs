//! Where flags and unknown arguments may stand, and what neither may be.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::flags::flags_of;

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_flag_is_one_before_between_and_after_unknown_keys() {
    let known = flags_of(None);
    let shorts = ["-s", "-c", "-a", "-m", "-wt", "-cl", "-l", "-f", "-bc", "-h"];
    let names: Vec<&String> = known.iter().flat_map(|flag| &flag.names).collect();
    for short in shorts {
        assert!(names.iter().any(|name| *name == short), "{short} is a flag");
    }
    for flag in &known {
        for name in &flag.names {
            let (written, expected) = if flag.takes_value {
                let forms = vec![vec![name.clone(), "-1".into()], vec![format!("{name}=-1")]];
                (forms, OsString::from(format!("{}=-1", flag.long)))
            } else {
                (vec![vec![name.clone()]], OsString::from(&flag.long))
            };
            for form in written {
                let form: Vec<&str> = form.iter().map(String::as_str).collect();
                for line in [
                    [&form[..], &["--one", "-1", "-two=2"]].concat(),
                    [&["--one", "-1"], &form[..], &["-two=2"]].concat(),
                    [&["--one", "-1", "-two=2"], &form[..]].concat(),
                ] {
                    let split = split(&words(&line), &known).expect("flags and pairs");
                    assert_eq!(split.flags, std::slice::from_ref(&expected), "{line:?}");
                    assert_eq!(split.arguments, pairs(&[("one", "-1"), ("two", "2")]), "{line:?}");
                }
            }
        }
    }
}

#[test]
fn the_names_of_the_original_and_those_with_dashes_are_the_same_flags() {
    let known = flags_of(Some("check"));
    for line in
        [["-wt", "1"], ["--service_loop_min_wait_time_s", "1"], ["--service-loop-min-wait-time-s", "1"]]
    {
        let split = split(&words(&line), &known).expect("a flag");
        assert_eq!(split.flags, words(&["--service_loop_min_wait_time_s=1"]));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(line: &[&str], expected: Expect) {
    let split = match split(&words(line), &flags_of(None)) {
        Ok(split) => {
            let flags = split.flags.iter().map(|flag| flag.display().to_string());
            let arguments = split.arguments.iter().map(|(key, value)| format!("{key:?}: {value:?}"));
            flags.chain(arguments).collect::<Vec<_>>().join("\n")
        }
        Err(odd) => odd.text,
    };
    expected.assert_eq(&split);
}

#[test]
fn what_follows_an_unknown_key_is_its_value() {
    check(&["--a", "-5"], expect![[r#""a": "-5""#]]);
    check(
        &["--a", "--b", "-c", ""],
        expect![[r#"
        --config_path=
        "a": "--b""#]],
    );
    check(&["-symbol", "BTC=EUR"], expect![[r#""symbol": "BTC=EUR""#]]);
    check(
        &["--a=x=y", "-b=", "---c", "-"],
        expect![[r#"
        "a": "x=y"
        "b": ""
        "c": "-""#]],
    );
    check(
        &["--perch.height", "2", "--Größe", "5"],
        expect![[r#"
        "perch.height": "2"
        "Größe": "5""#]],
    );
    check(
        &["--a", "-inf", "--5", "x"],
        expect![[r#"
        "a": "-inf"
        "5": "x""#]],
    );
}

#[test]
fn an_odd_word_is_named() {
    check(
        &["-s", "x", "--a"],
        expect!["unknown arguments must come in pairs, `--key value`: `--a` has no value"],
    );
    check(
        &["--a", "-m"],
        expect![
            "unknown arguments must come in pairs, `--key value`: `--a` has no value before the flag `-m`; if that is its value, write `--a=-m`"
        ],
    );
    check(
        &["--a", "-wt=1"],
        expect![
            "unknown arguments must come in pairs, `--key value`: `--a` has no value before the flag `-wt=1`; if that is its value, write `--a=-wt=1`"
        ],
    );
    check(&["x"], expect!["unknown arguments must come in pairs, `--key value`: `x` stands behind no key"]);
    check(
        &["--a", "1", "2"],
        expect!["unknown arguments must come in pairs, `--key value`: `2` stands behind no key"],
    );
    check(
        &["-5", "1"],
        expect!["unknown arguments must come in pairs, `--key value`: `-5` stands behind no key"],
    );
    check(&["--", "1"], expect!["unknown arguments must come in pairs, `--key value`: `--` is no key"]);
    check(&["-", "1"], expect!["unknown arguments must come in pairs, `--key value`: `-` is no key"]);
    check(&["--=1"], expect!["unknown arguments must come in pairs, `--key value`: `--=1` is no key"]);
    check(&[""], expect!["unknown arguments must come in pairs, `--key value`: `` stands behind no key"]);
}

#[test]
fn a_flag_without_its_value_is_left_to_clap() {
    check(
        &["-s", "-m"],
        expect![[r#"
        --service_path
        --main_mode"#]],
    );
    check(&["-c"], expect!["--config_path"]);
    check(&["-m=1"], expect!["--main_mode=1"]);
}

#[test]
fn a_path_may_be_no_text_and_config_may_not() {
    let strange = OsString::from_vec(vec![b'x', 0xff]);
    let glued = OsString::from_vec(b"--a=\xff".to_vec());
    let known = flags_of(None);
    let found = split(&[OsString::from("-c"), strange.clone()], &known).expect("a flag with a path");
    assert_eq!(found.flags, [OsString::from_vec(b"--config_path=x\xff".to_vec())]);
    for line in [vec![OsString::from("--a"), strange], vec![glued]] {
        let odd = split(&line, &known).expect_err("no text");
        assert!(odd.text.contains("UTF-8"), "{}", odd.text);
    }
    let odd = split(&[OsString::from_vec(b"--\xff".to_vec()), "1".into()], &known).expect_err("no text");
    assert!(odd.text.contains("UTF-8"), "{}", odd.text);
}

/// A flag or a pair, as words and as what they must be read as.
#[derive(Clone, Debug)]
enum Item {
    Flag { name: String, long: String, value: Option<String>, is_glued: bool },
    Pair { dashes: &'static str, key: String, value: String, is_glued: bool },
}

impl Item {
    fn words(&self) -> Vec<OsString> {
        let (name, value, is_glued) = match self {
            Self::Flag { name, value, is_glued, .. } => (name.clone(), value.clone(), is_glued),
            Self::Pair { dashes, key, value, is_glued } => {
                (format!("{dashes}{key}"), Some(value.clone()), is_glued)
            }
        };
        match value {
            Some(value) if *is_glued => vec![format!("{name}={value}").into()],
            Some(value) => vec![name.into(), value.into()],
            None => vec![name.into()],
        }
    }
}

fn item() -> impl Strategy<Value = Item> {
    let known = flags_of(None);
    let is_flag = |word: &str, known: &[Flag]| {
        let name = word.split('=').next().unwrap_or_default().to_owned();
        known.iter().any(|flag| flag.names.contains(&name))
    };
    let value = {
        let known = known.clone();
        "-{0,2}[a-zA-Z0-9.=é -]{0,8}"
            .prop_filter("a value that is no flag", move |value| !is_flag(value, &known))
    };
    let names: Vec<_> = known
        .iter()
        .flat_map(|flag| flag.names.iter().map(|name| (name.clone(), flag.long.clone(), flag.takes_value)))
        .collect();
    let flag = (proptest::sample::select(names), value.clone(), any::<bool>()).prop_map(
        |((name, long, takes_value), value, is_glued)| Item::Flag {
            name,
            long,
            value: takes_value.then_some(value),
            is_glued,
        },
    );
    let pair =
        (proptest::sample::select(vec!["-", "--"]), "[a-zA-Z_é][a-zA-Z0-9_.é-]{0,8}", value, any::<bool>())
            .prop_map(|(dashes, key, value, is_glued)| Item::Pair { dashes, key, value, is_glued })
            .prop_filter("a key that is neither flag nor number", move |item| {
                let name = item.words().remove(0);
                let name =
                    name.to_str().expect("it was text").split('=').next().unwrap_or_default().to_owned();
                !is_flag(&name, &known) && name.parse::<f64>().is_err()
            });
    prop_oneof![flag, pair]
}

proptest! {
    #[test]
    fn whatever_the_order_flags_are_flags_and_pairs_are_pairs(items in vec(item(), 0..12)) {
        let line: Vec<OsString> = items.iter().flat_map(Item::words).collect();
        let split = split(&line, &flags_of(None)).expect("flags and pairs");
        let mut flags = Vec::new();
        let mut arguments = Vec::new();
        for item in items {
            match item {
                Item::Flag { long, value, .. } => {
                    flags.push(OsString::from(value.map(|value| format!("{long}={value}")).unwrap_or(long)));
                }
                Item::Pair { key, value, .. } => arguments.push((key, value)),
            }
        }
        prop_assert_eq!(split.flags, flags);
        prop_assert_eq!(split.arguments, arguments);
    }

    #[test]
    fn no_words_are_lost_and_none_is_too_strange(line in vec(vec(any::<u8>(), 0..6), 0..8)) {
        let line: Vec<OsString> = line.into_iter().map(OsString::from_vec).collect();
        if let Ok(split) = split(&line, &flags_of(None)) {
            let taken: usize = split.flags.len() + 2 * split.arguments.len();
            prop_assert!(taken >= line.len(), "{:?} became {:?}", line, split);
        }
    }
}
