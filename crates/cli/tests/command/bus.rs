//! A bus: where it listens, how it ends, what it refuses.

use std::net::TcpListener;

use expect_test::expect;

use crate::support::{Running, command, run, said};

#[test]
fn it_says_where_it_listens_and_ends_with_its_counters() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut bus = command();
    bus.args(["bus", "--publishers", "127.0.0.1:0", "--subscribers", "127.0.0.1:0", "--ready"]).arg(&ready);
    let mut bus = Running::start(&mut bus);
    bus.wait_for("the bus is up");
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    for end in ["publishers", "subscribers"] {
        let endpoint = ready["endpoints"][end].as_str().unwrap();
        assert!(endpoint.starts_with("tcp://127.0.0.1:") && !endpoint.ends_with(":0"), "{endpoint}");
    }
    bus.signal("USR1");
    bus.wait_for("{\"counters\"");
    bus.signal("TERM");
    assert_eq!(bus.wait(), 0);
    assert_eq!(bus.counters()["counters"]["subscribers"]["messages_out"], 0);
}

#[test]
fn what_it_cannot_do_it_says() {
    expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --subscribers <ADDRESS>

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "*:1"])));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let refused = said(&run(["bus", "--publishers", "127.0.0.1:0", "--subscribers", &at]));
    let port = at.rsplit(':').next().unwrap();
    expect![[r#"
        stderr:
        error: cannot bind `subscribers` to 127.0.0.1:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port
        exit code: 78
    "#]]
    .assert_eq(&refused.replace(port, "PORT"));
    expect![[r#"
        stderr:
        error: invalid value 'nowhere' for '--publishers <ADDRESS>': `nowhere` has no port: write `nowhere:PORT`

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "nowhere", "--subscribers", "*:2"])));
}
