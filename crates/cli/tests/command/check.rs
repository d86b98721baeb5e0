//! What `check` prints.

use expect_test::expect;

use crate::support::{Cage, said};

fn check(cage: &Cage, words: &[&str]) -> String {
    said(&cage.command_of(Some("check"), words.iter().copied()).output().expect("the command runs"))
}

#[test]
fn every_value_with_where_it_came_from() {
    let cage = Cage::with_settings(r#"{"drain_s": 3}"#);
    let found = check(
        &cage,
        &["--times", "7", "--perch", "{\"height\": 2, \"wood\": \"ash\"}", "--perch.height", "3"],
    );
    expect![[r#"
        stdout:
        parrot 0.1.0

        config
          greeting = "Hello"                   parrot.json:2:3
          times = 7                            --times
          perch = {"height":3.0,"wood":"ash"}  --perch
          perch.height = 3.0                   --perch.height
          volume                               not given
          fail                                 not given
          backup_counts                        not given

        connections
          say: replyer listens at tcp://127.0.0.1:0       addresses.json:3:24
          hold: replyer listens at tcp://127.0.0.1:0      addresses.json:4:25
          stick: replyer listens at tcp://127.0.0.1:0     addresses.json:5:26
          gossip: publisher listens at tcp://127.0.0.1:0  addresses.json:8:29

        settings of the service
          in_flight = 1024              default
          blocking_threads = 8          default
          drain_s = 3                   addresses.json:10:16
          watchdog_s = 10               default
          max_workflow_id_bytes = 1024  default
          heartbeat_s = 10              default
          spin_us = 0                   default
          plaintext = "warn"            default
          engine = "zmtp"               default

        settings of say
          deadline_s = 2.5              attribute
          max_message_bytes = 16777216  default
          max_depth = 64                default
          max_values = 1000000          default
          queue_bytes = 67108864        default
          max_peers = 10000             default
          curve_keys = ""               default
          curve_allow = ""              default
          peer = "any"                  default

        settings of hold
          deadline_s = none             default
          max_message_bytes = 16777216  default
          max_depth = 64                default
          max_values = 1000000          default
          queue_bytes = 67108864        default
          max_peers = 10000             default
          curve_keys = ""               default
          curve_allow = ""              default
          peer = "any"                  default

        settings of stick
          deadline_s = none             default
          max_message_bytes = 16777216  default
          max_depth = 64                default
          max_values = 1000000          default
          queue_bytes = 67108864        default
          max_peers = 10000             default
          curve_keys = ""               default
          curve_allow = ""              default
          peer = "any"                  default

        settings of gossip
          topic = ""                       default
          is_x_pub = false                 default
          wait_after_creation_s = 0.15     default
          wait_for_subscribers = 1         default
          max_message_bytes = 16777216     default
          queue = 10000                    default
          queue_bytes = 67108864           default
          slow_subscriber = "drop_newest"  default
          max_peers = 10000                default
          curve_keys = ""                  default
          curve_server = ""                default
          curve_allow = ""                 default
          peer = "any"                     default
          encoding = "msgpack"             default

        nothing is wrong; what `new` of the service refuses, and ports that are in use, show at the start
        exit code: 0
    "#]]
    .assert_eq(&found);
}

#[test]
fn the_same_for_programs() {
    let cage = Cage::new();
    let output =
        cage.command_of(Some("check"), ["--json", "--volume", "7"]).output().expect("the command runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["problems"], serde_json::json!([]));
    expect![[r#"[{"key":"greeting","value":"Hello","origin":"parrot.json:2:3"},{"key":"volume","value":7.0,"origin":"--volume"}]"#]].assert_eq(&found["config"].to_string());
    expect![[r#"{"name":"say","type":"replyer","address":"tcp://127.0.0.1:0","listens":true,"origin":"addresses.json:3:24"}"#]].assert_eq(&found["connections"][0].to_string());
    let deadline = found["settings"].as_array().expect("a list").iter();
    let mut deadline = deadline.filter(|one| one["setting"] == "deadline_s").map(ToString::to_string);
    expect![[r#"{"connection":"say","setting":"deadline_s","value":2.5,"origin":"attribute"}"#]]
        .assert_eq(&deadline.next().expect("one for the first replyer"));
}

#[test]
fn all_that_is_wrong() {
    let cage = Cage::new();
    cage.write("parrot.json", "{\"times\": \"often\", \"perch\": {\"height\": 1, \"wood\": \"elm\"}}");
    cage.write(
        "addresses.json",
        "{\"in\": {\"say\": {\"replyer\": \"127.0.0.1\"}}, \"settings\": {\"drain\": 1}}",
    );
    expect![[r#"
        stderr:
        error: parrot.json:1:1: greeting is missing: expected a text
        error: parrot.json:1:11: times: expected an integer from 0 to 4294967295, got the text "often"
        error: parrot.json:1:51: perch.wood: expected one of oak, ash, got the text "elm"
        error: --volume: expected a float, got the text "x"
        error: addresses.json:1:1: connection `gossip` has no address: write "gossip": {"publisher": "HOST:PORT"} under `out`
        error: addresses.json:1:8: connection `hold` has no address: write "hold": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:8: connection `stick` has no address: write "stick": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:28: `say`: `127.0.0.1` has no port: write `127.0.0.1:PORT`
        error: addresses.json:1:56: `drain` is no setting, did you mean `drain_s`?
        exit code: 78
    "#]].assert_eq(&check(&cage, &["--volume", "x"]));
    expect![[r#"
        stdout:
        {"problems":[{"text":"greeting is missing: expected a text","origin":"parrot.json:1:1"},{"text":"times: expected an integer from 0 to 4294967295, got the text \"often\"","origin":"parrot.json:1:11"},{"text":"perch.wood: expected one of oak, ash, got the text \"elm\"","origin":"parrot.json:1:51"},{"text":"expected a float, got the text \"x\"","origin":"--volume"},{"text":"connection `gossip` has no address: write \"gossip\": {\"publisher\": \"HOST:PORT\"} under `out`","origin":"addresses.json:1:1"},{"text":"connection `hold` has no address: write \"hold\": {\"replyer\": \"HOST:PORT\"} under `in`","origin":"addresses.json:1:8"},{"text":"connection `stick` has no address: write \"stick\": {\"replyer\": \"HOST:PORT\"} under `in`","origin":"addresses.json:1:8"},{"text":"`say`: `127.0.0.1` has no port: write `127.0.0.1:PORT`","origin":"addresses.json:1:28"},{"text":"`drain` is no setting, did you mean `drain_s`?","origin":"addresses.json:1:56"}]}
        stderr:
        error: parrot.json:1:1: greeting is missing: expected a text
        error: parrot.json:1:11: times: expected an integer from 0 to 4294967295, got the text "often"
        error: parrot.json:1:51: perch.wood: expected one of oak, ash, got the text "elm"
        error: --volume: expected a float, got the text "x"
        error: addresses.json:1:1: connection `gossip` has no address: write "gossip": {"publisher": "HOST:PORT"} under `out`
        error: addresses.json:1:8: connection `hold` has no address: write "hold": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:8: connection `stick` has no address: write "stick": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:28: `say`: `127.0.0.1` has no port: write `127.0.0.1:PORT`
        error: addresses.json:1:56: `drain` is no setting, did you mean `drain_s`?
        exit code: 78
    "#]].assert_eq(&check(&cage, &["--volume", "x", "--json"]));
}

#[test]
fn hosts_that_the_service_would_not_start_with() {
    let cage = Cage::new();
    let addresses = cage.read("addresses.json").replacen("127.0.0.1:0", "192.0.2.1:8001", 1);
    cage.write("addresses.json", &addresses.replacen("127.0.0.1:0", "ipc:///no/such/folder/socket", 1));
    let checked = check(&cage, &[]);
    assert_eq!(cage.said(["-cl", "none"]), checked, "a start tells of all of them, too");
    expect![[r#"
        stderr:
        error: addresses.json:3:24: cannot bind `say` to 192.0.2.1:8001: not an address of this machine; write `*:8001` to listen on all
        error: addresses.json:4:25: cannot bind `hold` to ipc:///no/such/folder/socket: its folder /no/such/folder does not exist; create it or write another path
        exit code: 78
    "#]].assert_eq(&checked);
}

#[test]
fn nothing_is_opened() {
    // Two that hold the same port could not both be open.
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let cage = Cage::new();
    let held = holder.local_addr().expect("it is bound").to_string();
    cage.write("addresses.json", &cage.read("addresses.json").replacen("127.0.0.1:0", &held, 1));
    let found = check(&cage, &["-l", "logs/", "--ready", "ready.json"]);
    assert!(found.ends_with("show at the start\nexit code: 0\n"), "{found}");
    assert!(!cage.path("logs").exists() && !cage.path("ready.json").exists());
}
