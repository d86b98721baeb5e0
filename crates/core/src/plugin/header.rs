//! Holds the C header to the tables: a C compiler compares sizes, places and numbers.

use std::fmt::Write as _;
use std::io::Write as _;
use std::mem::offset_of;
use std::process::{Command, Stdio};

use super::{Level, abi};
use crate::declaration::Hook;

/// Writes what C must find of a struct; the compiler of Rust sees to it that no field is forgotten.
macro_rules! layout {
    ($out:ident: $c:literal = $type:ident { $($field:ident),+ $(,)? }) => {{
        let _all = |abi::$type { $($field: _),+ }: abi::$type| ();
        assert_that($out, &format!("sizeof(struct {})", $c), size_of::<abi::$type>() as u64);
        assert_that($out, &format!("_Alignof(struct {})", $c), align_of::<abi::$type>() as u64);
        $(assert_that(
            $out,
            &format!("offsetof(struct {}, {})", $c, stringify!($field)),
            offset_of!(abi::$type, $field) as u64,
        );)+
    }};
}

fn assert_that(out: &mut String, c: &str, rust: u64) {
    writeln!(out, "_Static_assert(({c}) == {rust}ull, \"{c} is {rust} in Rust\");")
        .expect("a text takes all");
}

fn assertions() -> String {
    let out = &mut String::from("#include \"service_framework.h\"\n");
    layout!(out: "sf_slice" = Slice { bytes, len });
    layout!(out: "sf_sink" = Sink { context, write });
    layout!(out: "sf_waker" = Waker { data, clone, wake, drop });
    layout!(out: "sf_call" = Call {
        target, encoding, args, workflow_id, workflow_is_uuid, topic, until_us,
    });
    layout!(out: "sf_plugin" = Plugin {
        version, size, describe, setup, create, destroy, start, poll, drop,
    });
    layout!(out: "sf_outgoing" = Outgoing {
        connection, encoding, args, topic, workflow_id, workflow_is_uuid, deadline_ms, until_us,
    });
    layout!(out: "sf_record" = Record { level, target, message, workflow_id });
    layout!(out: "sf_host" = Host {
        size, context, retain, release, encoding, request, publish, now, sleep, stopping, stop, poll, drop, spawn,
        log_level, log,
    });
    for (c, rust) in [
        ("SF_VERSION", abi::VERSION),
        ("SF_READY", abi::READY),
        ("SF_PENDING", abi::PENDING),
        ("SF_FAILED", abi::FAILED),
        ("SF_MESSAGE_PACK", abi::MESSAGE_PACK),
        ("SF_JSON", abi::JSON),
        ("SF_FOR_PYTHON", abi::FOR_PYTHON),
        ("SF_FIRST_STATE", abi::FIRST_STATE),
        ("SF_FIRST_HOOK", abi::FIRST_HOOK),
    ] {
        assert_that(out, c, rust.into());
    }
    assert_that(out, "SF_NEVER", abi::NEVER);
    for (number, hook) in (0..).zip(Hook::ALL) {
        assert_that(out, &format!("SF_HOOK_{}", hook.name().to_uppercase()), number);
    }
    std::mem::take(out)
}

/// Compiles with the header, and gives what the compiler has to say.
fn compile(compiler: &str, language: &str, source: &str) -> Result<(), String> {
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
    let mut command = Command::new(compiler);
    command.args([
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-x",
        language,
        "-I",
        include,
        "-",
    ]);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("the C compiler `{compiler}`: {error}"));
    child.stdin.take().expect("it is piped").write_all(source.as_bytes()).expect("the compiler reads it");
    let output = child.wait_with_output().expect("the compiler ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

fn cc() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".into())
}

#[test]
fn the_header_says_what_the_tables_are() {
    compile(&cc(), "c", &assertions()).unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn a_table_that_grows_without_the_header_is_noticed() {
    let place = "offsetof(struct sf_host, log)) == ";
    let wrong = assertions().replace(place, &format!("{place}1"));
    let said = compile(&cc(), "c", &wrong).expect_err("the place is wrong");
    assert!(said.contains("offsetof(struct sf_host, log) is "), "{said}");
}

#[test]
fn the_header_names_the_levels() {
    let header = include_str!("../../include/service_framework.h");
    let levels = (1..=5).map(|number| (number, Level::from_number(number).expect("there are five")));
    let levels = levels.map(|(number, level)| format!("{number} {}", format!("{level:?}").to_lowercase()));
    let levels = levels.collect::<Vec<_>>().join(", ");
    assert!(header.contains(&levels), "{levels}");
}
