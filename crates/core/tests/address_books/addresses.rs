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
    wire(&declaration, None, &book, &mut problems);
    assert_eq!(problems.to_string(), "");
}
