//! How addresses are read, and what is wrong with those that are none.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(text: &str, expected: Expect) {
    match text.parse::<Address>() {
        Ok(address) => expected.assert_eq(&format!("{address:?} = {address}")),
        Err(error) => expected.assert_eq(&error.to_string()),
    }
}

#[test]
fn what_others_can_reach_leaves_this_machine() {
    let leaves = |text: &str| text.parse::<Address>().unwrap().leaves_this_machine();
    for address in ["*:1", "0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[fe80::1]:1", "board.example.com:1"] {
        assert!(leaves(address), "{address}");
    }
    for address in [
        "127.0.0.1:1",
        "127.9.9.9:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "localhost:1",
        "ipc://a",
        "inproc://a",
    ] {
        assert!(!leaves(address), "{address}");
    }
}

#[test]
fn every_form_is_read() {
    check("localhost:8001", expect![[r#"Tcp { host: Name("localhost"), port: 8001 } = localhost:8001"#]]);
    check(
        "tcp://localhost:8001",
        expect![[r#"Tcp { host: Name("localhost"), port: 8001 } = localhost:8001"#]],
    );
    check("*:0", expect!["Tcp { host: Any, port: 0 } = *:0"]);
    check("127.0.0.1:65535", expect!["Tcp { host: Ip(127.0.0.1), port: 65535 } = 127.0.0.1:65535"]);
    check("[::1]:8001", expect!["Tcp { host: Ip(::1), port: 8001 } = [::1]:8001"]);
    check("tcp://[fe80::1]:8001", expect!["Tcp { host: Ip(fe80::1), port: 8001 } = [fe80::1]:8001"]);
    check(
        "my_host-1.example.com.:1",
        expect![[r#"Tcp { host: Name("my_host-1.example.com."), port: 1 } = my_host-1.example.com.:1"#]],
    );
    check("ipc:///tmp/a b.sock", expect![[r#"Ipc("/tmp/a b.sock") = ipc:///tmp/a b.sock"#]]);
    check("ipc://orders.sock", expect![[r#"Ipc("orders.sock") = ipc://orders.sock"#]]);
    check("inproc://orders", expect![[r#"Inproc("orders") = inproc://orders"#]]);
}

#[test]
fn a_port_is_a_number_up_to_65535() {
    check("a:65536", expect!["`a:65536` has the port `65536`: a port is a number from 0 to 65535"]);
    check("a:-1", expect!["`a:-1` has the port `-1`: a port is a number from 0 to 65535"]);
    check("a:+1", expect!["`a:+1` has the port `+1`: a port is a number from 0 to 65535"]);
    check("a:http", expect!["`a:http` has the port `http`: a port is a number from 0 to 65535"]);
    check("tcp://[::1]:x", expect!["`tcp://[::1]:x` has the port `x`: a port is a number from 0 to 65535"]);
}

#[test]
fn what_is_missing_is_named() {
    check("", expect!["an address is empty: write HOST:PORT, tcp://HOST:PORT, ipc://PATH or inproc://NAME"]);
    check("localhost", expect!["`localhost` has no port: write `localhost:PORT`"]);
    check("localhost:", expect!["`localhost:` has no port: write `localhost:PORT`"]);
    check("[::1]", expect!["`[::1]` has no port: write `[::1]:PORT`"]);
    check("tcp://", expect!["`tcp://` ends too soon: write tcp://HOST:PORT"]);
    check("ipc://", expect!["`ipc://` ends too soon: write ipc://PATH"]);
    check("inproc://", expect!["`inproc://` ends too soon: write inproc://NAME"]);
    check(
        ":8001",
        expect!["`:8001` has no host: write `*:8001` to listen on all, `localhost:8001` for this machine"],
    );
}

#[test]
fn an_ipv6_address_wants_brackets() {
    check("::1:8001", expect!["`::1:8001` has an IPv6 address without brackets: write `[::1]:8001`"]);
    check("::1", expect!["`::1` has an IPv6 address without brackets: write `[::1]:PORT`"]);
    check(
        "tcp://fe80::1:2:80",
        expect!["`tcp://fe80::1:2:80` has an IPv6 address without brackets: write `[fe80::1:2]:80`"],
    );
    check(
        "a:b:8001",
        expect!["`a:b:8001` has the host `a:b`, which is neither a name, nor an IP address, nor `*`"],
    );
    check(
        "[1.2.3.4]:80",
        expect![
            "`[1.2.3.4]:80` has the host `[1.2.3.4]:80`, which is neither a name, nor an IP address, nor `*`"
        ],
    );
    check(
        "[::1]80",
        expect!["`[::1]80` has the host `[::1]80`, which is neither a name, nor an IP address, nor `*`"],
    );
}

#[test]
fn a_wrong_host_or_scheme_is_named() {
    check(
        "300.1.1.1:80",
        expect![
            "`300.1.1.1:80` has the host `300.1.1.1`, which is neither a name, nor an IP address, nor `*`"
        ],
    );
    check(
        "a b:80",
        expect!["`a b:80` has the host `a b`, which is neither a name, nor an IP address, nor `*`"],
    );
    check(
        "a..b:80",
        expect!["`a..b:80` has the host `a..b`, which is neither a name, nor an IP address, nor `*`"],
    );
    check(
        "udp://a:80",
        expect!["`udp://a:80` has the unknown scheme `udp`: use tcp://, ipc:// or inproc://"],
    );
    check("://a:80", expect!["`://a:80` has the unknown scheme ``: use tcp://, ipc:// or inproc://"]);
    check("ipc://a\nb", expect![[r#""ipc://a\nb" contains a control character"#]]);
}

#[test]
fn port_0_is_ephemeral() {
    let address: Address = "*:0".parse().unwrap();
    assert!(address.is_ephemeral());
    assert!(!address.with_port(8001).is_ephemeral());
    assert_eq!(address.with_port(8001).url(), "tcp://*:8001");
}

fn any_address() -> impl Strategy<Value = Address> {
    let host = prop_oneof![
        Just(Host::Any),
        any::<IpAddr>().prop_map(Host::Ip),
        "[a-z][a-z0-9_-]{0,20}(\\.[a-z][a-z0-9-]{0,20}){0,3}\\.?".prop_map(Host::Name),
    ];
    prop_oneof![
        (host, any::<u16>()).prop_map(|(host, port)| Address::Tcp { host, port }),
        "[^\\pC]{1,40}".prop_map(|path| Address::Ipc(path.into())),
        "[^\\pC]{1,40}".prop_map(Address::Inproc),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(address in any_address()) {
        prop_assert_eq!(address.to_string().parse(), Ok(address.clone()));
        prop_assert_eq!(address.url().parse(), Ok(address));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Address>();
    }
}
