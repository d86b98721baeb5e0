//! A plugin in C: no type of Rust's can have crossed.

use std::path::PathBuf;
use std::process::Command;

use service_framework_core::{Value, value};
use service_framework_runtime::{Options, Service};

use crate::support::{Client, address, counters, run, wired};

const SOURCE: &str = include_str!("echo.c");

/// Builds a plugin from its source, and gives its library.
fn build(folder: &tempfile::TempDir, source: &str) -> PathBuf {
    let (library, file) = (folder.path().join("libecho.so"), folder.path().join("echo.c"));
    std::fs::write(&file, source).unwrap();
    let built = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/include"))
        .arg("-o")
        .arg(&library)
        .arg(&file)
        .output()
        .expect("there is a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

fn echo(folder: &tempfile::TempDir) -> Service {
    echo_of(folder, SOURCE)
}

fn echo_of(folder: &tempfile::TempDir, source: &str) -> Service {
    let library = build(folder, source);
    let replyers = ["echo", "later", "ask", "refuse", "wrong", "block"];
    let entries: value::Map =
        replyers.iter().map(|name| (*name, value!({"replyer": "127.0.0.1:0"}))).collect();
    let book = value!({
        "in": (Value::Map(entries)),
        "out": {"audit": {"requester": "127.0.0.1:9"}, "told": {"publisher": "127.0.0.1:0"}},
    });
    Service::at(library, Options { config: value!({}).into(), ..wired(book) })
}

#[test]
fn a_plugin_in_c_answers_and_its_messages_are_checked_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = echo(&folder);
    for _ in 0..2 {
        service.start().unwrap();
        run(async {
            let args = value!({"text": "hello"});
            let ask = |connection: &str| {
                let (client, args) = (Client::to(&address(&service, connection)), args.clone());
                async move { client.ask(args).await }
            };
            for connection in ["echo", "later", "block"] {
                assert_eq!(ask(connection).await.ok(), args, "{connection}");
            }
            assert_eq!(ask("refuse").await.error(), ("echo.refused".into(), "not today".into()));
            let (code, message) = ask("wrong").await.error();
            assert!(code == "bad_return" && message.contains("return_args"), "{code}: {message}");
            let (code, message) =
                Client::to(&address(&service, "echo")).ask(value!({"text": 7})).await.error();
            assert_eq!(code, "bad_args");
            assert_eq!(message, "args.text: expected a text, got the integer 7");
            let json = br#"{"args": {"text": "hi"}, "workflow_id": "w"}"#;
            let answer = Client::to(&address(&service, "later")).ask_bytes(&json[..]).await;
            assert_eq!(answer.ok(), value!({"text": "hi"}));
        });
        assert_eq!(counters(&service, "wrong").refused["bad_return"], 1);
        service.stop().unwrap();
    }
}

/// The plugin with other text in its source.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(SOURCE.to_owned(), |source, (from, to)| {
        assert!(source.contains(from), "{from}");
        source.replace(from, to)
    })
}

#[test]
fn what_it_sends_is_checked_for_it_too() {
    const TELL: &str = "        return tell(&echo->host, out);\n";
    let source = changed(&[
        (r#"#define PACKED_TOLD "\x81\xa4text\xa4told""#, r#"#define PACKED_TOLD "\x81\xa4text\x07""#),
        (".args = call->args,\n", ".args = text(PACKED_TOLD),\n"),
        // On a thread of the pool, and on the service's.
        ("    case BLOCK:\n", &format!("    case BLOCK:\n{TELL}")),
        ("    case REFUSE:\n", &format!("    case REFUSE:\n{TELL}")),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let mut service = echo_of(&folder, &source);
    service.start().unwrap();
    for (replyer, sender, times) in [("ask", "audit", 1), ("block", "told", 1), ("refuse", "told", 2)] {
        let answer = run(async {
            let client = Client::to(&address(&service, replyer));
            client.ask(value!({"text": "hello"})).await
        });
        let (code, message) = answer.error();
        let expected = format!("cannot send by `{sender}`: args.text: expected a text, got the integer 7");
        assert_eq!((&*code, &*message), ("failed", &*expected));
        assert_eq!(counters(&service, sender).refused["failed"], times);
    }
    service.stop().unwrap();
}

#[test]
fn a_plugin_with_a_connection_without_a_name_is_refused() {
    let source = SOURCE.replace(r#"REPLYER("later","#, r#"REPLYER("","#);
    let folder = tempfile::tempdir().unwrap();
    let library = build(&folder, &source);
    let error = Service::at(&library, wired(value!({}))).start().unwrap_err();
    let told = error.to_string();
    let reason = r#"connections[1].name: expected a name, got the text """#;
    assert!(told.contains(reason) && told.contains(&library.display().to_string()), "{told}");
    assert_eq!(error.exit_code(), 78);
}
