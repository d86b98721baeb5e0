//! What an address may be, and who may listen where.

use super::*;

#[test]
fn addresses_are_read_as_such() {
    check_entry(
        "in",
        "orders",
        r#"{"replyer": "localhost:65536"}"#,
        expect![
            "a.json:3:23: `orders`: `localhost:65536` has the port `65536`: a port is a number from 0 to 65535"
        ],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": "localhost"}"#,
        expect!["a.json:3:23: `orders`: `localhost` has no port: write `localhost:PORT`"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": "::1:8001"}"#,
        expect!["a.json:3:23: `orders`: `::1:8001` has an IPv6 address without brackets: write `[::1]:8001`"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": "http://localhost:8001"}"#,
        expect![
            "a.json:3:23: `orders`: `http://localhost:8001` has the unknown scheme `http`: use tcp://, ipc:// or inproc://"
        ],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": ""}"#,
        expect![
            "a.json:3:23: `orders`: an address is empty: write HOST:PORT, tcp://HOST:PORT, ipc://PATH or inproc://NAME"
        ],
    );
    // Host names, and IPv6 in brackets.
    check_entry("out", "audit", r#"{"requester": "audit.example.com:8003"}"#, expect![""]);
    check_entry("out", "audit", r#"{"requester": "[fe80::1]:8003"}"#, expect![""]);
}

#[test]
fn names_of_the_process_are_refused_for_an_engine_that_has_none() {
    check_entry("in", "orders", r#"{"replyer": "inproc://orders"}"#, expect![""]);
    let book =
        RIGHT.replace("localhost:8002", "inproc://prices").replace("ipc:///tmp/fills", "inproc://fills");
    let book = book.replace(r#"{"in_flight": 64}"#, r#"{"engine": "zeromq"}"#);
    check(
        &book,
        expect![[r#"
        a.json:2:70: `prices` has the address `inproc://prices`, and the engine `zeromq` has no inproc://: write ipc://PATH or HOST:PORT
        a.json:5:32: `fills` has the address `inproc://fills`, and the engine `zeromq` has no inproc://: write ipc://PATH or HOST:PORT"#]],
    );
}

#[test]
fn endpoints_are_addresses_or_maps_with_one() {
    check_entry(
        "in",
        "orders",
        r#"{"replyer": 8001}"#,
        expect![
            "a.json:3:23: `orders`: an endpoint is HOST:PORT or a map with an `address`, got the integer 8001"
        ],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": {"address": 8001}}"#,
        expect!["a.json:3:35: `orders`: an address is a text such as HOST:PORT, got the integer 8001"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": {"adress": "*:8001"}}"#,
        expect!["a.json:3:23: `orders`: the map has no `address`; is it what `adress` is meant to be?"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": {}}"#,
        expect!["a.json:3:23: `orders`: the map has no `address`"],
    );
}

#[test]
fn the_system_chooses_a_port_for_listeners_alone() {
    check_entry("in", "orders", r#"{"replyer": "*:0"}"#, expect![""]);
    check_entry(
        "out",
        "audit",
        r#"{"requester": "localhost:0"}"#,
        expect![
            "a.json:6:24: `audit` connects, and `localhost:0` names no port: only who listens may leave it to the system"
        ],
    );
    check_entry(
        "out",
        "audit",
        r#"{"requester": "*:8003"}"#,
        expect![
            "a.json:6:24: `audit` connects, and `*:8003` names no host: write `localhost:8003` for this machine"
        ],
    );
    check_entry(
        "in",
        "prices",
        r#"{"subscriber": "*:0"}"#,
        expect!["a.json:3:26: `prices` connects, and `*:0` names neither host nor port: write HOST:PORT"],
    );
    check_entry("in", "prices", r#"{"subscriber": {"address": "*:0", "is_binder": true}}"#, expect![""]);
    check_entry(
        "out",
        "fills",
        r#"{"publisher": {"address": "*:0", "is_x_pub": true}}"#,
        expect!["a.json:6:36: `fills` connects, and `*:0` names neither host nor port: write HOST:PORT"],
    );
}

#[test]
fn two_connections_do_not_listen_at_one_address() {
    check_entry(
        "out",
        "fills",
        r#"{"publisher": "*:8001"}"#,
        expect!["a.json:6:24: `fills` cannot listen at *:8001: `orders` does"],
    );
    check_entry(
        "out",
        "fills",
        r#"{"publisher": "127.0.0.1:8001"}"#,
        expect!["a.json:6:24: `fills` cannot listen at 127.0.0.1:8001: `orders` does"],
    );
}

#[test]
fn publishers_may_share_an_address() {
    let mut declaration = Declaration::new("ticker", "0.1.0");
    declaration.connections =
        ["bids", "asks"].map(|name| connection(name, ConnectionKind::Publisher)).to_vec();
    let mut problems = Problems::new();
    let book =
        book(r#"{"out": {"bids": {"publisher": "*:1"}, "asks": {"publisher": "*:1"}}}"#, &mut problems);
    wire(&declaration, &Setup::default(), &book, &mut problems);
    assert_eq!(problems.to_string(), "");
    // They share a socket, which has one way to behave.
    let asks = r#"{"publisher": {"address": "*:1", "curve_keys": "a.key", "curve_allow": "anybody", "slow_subscriber": "wait"}}"#;
    let text = format!(r#"{{"out": {{"bids": {{"publisher": "*:1"}}, "asks": {asks}}}}}"#);
    let book = self::book(&text, &mut problems);
    wire(&declaration, &Setup::default(), &book, &mut problems);
    expect![[r#"
        addresses/gateway.json:1:74: `asks` has the address of `bids`, whose socket it shares, and another `curve_keys`: give both the same
        addresses/gateway.json:1:74: `asks` has the address of `bids`, whose socket it shares, and another `curve_allow`: give both the same
        addresses/gateway.json:1:74: `asks` has the address of `bids`, whose socket it shares, and another `slow_subscriber`: give both the same"#]].assert_eq(&problems.to_string());
}

#[test]
fn the_settings_of_the_encryption_fit_each_other() {
    let with = |name: &str, settings: &str| {
        let book = r#"{
    "in": {"orders": {"replyer": {"address": "127.0.0.1:8001" ORDERS}}, "prices": {"subscriber": "localhost:8002"}},
    "out": {"audit": {"requester": {"address": "127.0.0.1:8003" AUDIT}}, "fills": {"publisher": "ipc:///tmp/fills"}}
}"#;
        let book = book.replace(name, &format!(", {settings}"));
        book.replace("ORDERS", "").replace("AUDIT", "")
    };
    check(&with("ORDERS", r#""curve_keys": "a.key", "curve_allow": "anybody""#), expect![""]);
    check(&with("AUDIT", r#""curve_keys": "a.key", "curve_server": "x""#), expect![""]);
    check(
        &with("ORDERS", r#""curve_keys": "a.key""#),
        expect![
            "a.json:2:46: `orders` listens with `curve_keys`, and nobody is let in: set `curve_allow` to the public keys of its peers, or to `anybody`"
        ],
    );
    check(
        &with("AUDIT", r#""curve_keys": "a.key""#),
        expect![
            "a.json:3:48: `audit` connects with `curve_keys`, and to nobody: set `curve_server` to the public key of its peer"
        ],
    );
    check(
        &with("ORDERS", r#""curve_allow": "anybody""#),
        expect![
            "a.json:2:46: `orders` has `curve_allow` and no `curve_keys`: set the file with its own keys, too"
        ],
    );
    check(
        &with("AUDIT", r#""curve_server": "x""#),
        expect![
            "a.json:3:48: `audit` has `curve_server` and no `curve_keys`: set the file with its own keys, too"
        ],
    );
}

#[test]
fn what_others_can_reach_is_refused_in_plaintext_if_that_is_asked_for() {
    let refusing = |book: &str| book.replace(r#"{"in_flight": 64}"#, r#"{"plaintext": "refuse"}"#);
    check(
        &refusing(RIGHT),
        expect![
            "a.json:2:34: `orders` at `*:8001` is not encrypted, and `plaintext` is refuse: set `curve_keys`, or have it stay on this machine"
        ],
    );
    let at_home = RIGHT.replace("*:8001", "127.0.0.1:8001");
    check(&refusing(&at_home), expect![""]);
}
