//! What is listened on is what was asked for, and what stands in the way is said with its fix.

use std::error::Error;
use std::rc::Rc;

use bytes::Bytes;
use expect_test::{Expect, expect};
use service_framework_connections::{Replyer, Requester, check_host, requester};
use service_framework_core::address::Address;

use super::support::*;

/// An error as people see it: with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

async fn bind_error(at: &Address) -> String {
    chain(&Replyer::bind(&engine(), "orders", at).await.expect_err("it cannot be bound"))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check_connect_error(to: &str, expected: Expect) {
    let to = address(to);
    run(async {
        let error = Requester::connect(&engine(), "audit", &to, requester::Options::default())
            .expect_err("it can never connect");
        expected.assert_eq(&for_any_engine(&chain(&error)));
    });
}

/// What an error says, whichever engine says it.
fn for_any_engine(text: &str) -> String {
    text.replace(&format!("`{}` engine", crate::ENGINE), "`ENGINE` engine")
}

/// Binds to `at`, and expects an answer when connecting to `to` with the port found.
async fn expect_an_answer(at: &str, to: &str) {
    let replyer = Rc::new(replyer(&address(at)).await);
    let Address::Tcp { port, .. } = *replyer.address() else { panic!("it is TCP") };
    assert_ne!(port, 0);
    assert_eq!(*replyer.address(), address(at).with_port(port));
    let _echo = echo(Rc::clone(&replyer));
    let requester = requester(&address(to).with_port(port));
    assert_eq!(requester.call(Bytes::from("?"), deadline()).await.unwrap(), "?", "{at} from {to}");
}

fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn every_kind_of_host_is_listened_on() {
    run(async {
        expect_an_answer("127.0.0.1:0", "127.0.0.1:0").await;
        expect_an_answer("localhost:0", "localhost:0").await;
        expect_an_answer("localhost:0", "127.0.0.1:0").await;
        expect_an_answer("*:0", "127.0.0.1:0").await;
        expect_an_answer("0.0.0.0:0", "127.0.0.1:0").await;
        if has_ipv6() {
            expect_an_answer("[::1]:0", "[::1]:0").await;
            expect_an_answer("*:0", "[::1]:0").await;
            expect_an_answer("[::]:0", "[::1]:0").await;
        }
    });
}

#[test]
fn nothing_more_than_asked_for_is_listened_on() {
    run(async {
        nobody_listens("127.0.0.1:0", "127.0.0.2").await;
        if has_ipv6() {
            nobody_listens("127.0.0.1:0", "::1").await;
            nobody_listens("[::]:0", "127.0.0.1").await;
        }
    });
}

/// Sees that a replyer at `bound` is not reached at `elsewhere`, where another socket of this machine may have the same port by chance, but not
/// again and again.
async fn nobody_listens(bound: &str, elsewhere: &str) {
    for _ in 0..10 {
        let replyer = replyer(&address(bound)).await;
        let Address::Tcp { port, .. } = *replyer.address() else { panic!("it is TCP") };
        if std::net::TcpStream::connect((elsewhere, port)).is_err() {
            return;
        }
    }
    panic!("what listens at {bound} is reached at {elsewhere}");
}

#[test]
fn a_socket_file_is_listened_on_and_removed() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.sock");
        let at = Address::Ipc(path.clone());
        for _ in 0..2 {
            let replyer = Rc::new(replyer(&at).await);
            let answering = echo(Rc::clone(&replyer));
            let requester = requester(&at);
            assert_eq!(requester.call(Bytes::from("?"), deadline()).await.unwrap(), "?");
            answering.abort();
            replyer.close(LINGER).await;
            assert!(!path.exists());
        }
        let dropped = replyer(&at).await;
        drop(dropped);
        assert!(!path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    });
}

#[test]
fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.sock");
        let at = Address::Ipc(path.clone());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());

        let replyer = replyer(&at).await;
        let text = bind_error(&at).await.replace(path.to_str().unwrap(), "PATH");
        expect![
            "cannot bind `orders` to ipc://PATH: another process listens there; stop it or write another path"
        ]
        .assert_eq(&text);
        replyer.close(LINGER).await;

        // One that took the place of another is not removed by it.
        let first = self::replyer(&at).await;
        std::fs::remove_file(&path).unwrap();
        let second = Rc::new(self::replyer(&at).await);
        first.close(LINGER).await;
        let _echo = echo(Rc::clone(&second));
        assert_eq!(requester(&at).call(Bytes::from("?"), deadline()).await.unwrap(), "?");
    });
}

#[test]
fn what_stands_in_the_way_of_a_socket_file_is_named() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let text = |error: String| error.replace(folder.path().to_str().unwrap(), "FOLDER");

        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "precious").unwrap();
        expect!["cannot bind `orders` to ipc://FOLDER/notes.txt: a file that is no socket stands there; remove it or write another path"]
            .assert_eq(&text(bind_error(&Address::Ipc(file.clone())).await));
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");

        expect!["cannot bind `orders` to ipc://FOLDER/no/orders.sock: its folder FOLDER/no does not exist; create it or write another path"]
            .assert_eq(&text(bind_error(&Address::Ipc(folder.path().join("no/orders.sock"))).await));

        let long = Address::Ipc(format!("/tmp/{}", "x".repeat(200)).into());
        expect!["the path is too long for a socket (205 bytes, about 90 are safe); write a shorter one"]
            .assert_eq(bind_error(&long).await.split(": ").last().unwrap());
    });
}

#[test]
fn a_far_host_is_refused_with_the_fix() {
    run(async {
        // For documentation, so nobody's: https://www.rfc-editor.org/rfc/rfc5737
        expect!["cannot bind `orders` to 192.0.2.9:8001: not an address of this machine; write `*:8001` to listen on all"]
            .assert_eq(&bind_error(&address("192.0.2.9:8001")).await);
    });
}

#[test]
fn a_port_in_use_is_named() {
    run(async {
        let first = replyer(&any_port()).await;
        let Address::Tcp { port, .. } = *first.address() else { panic!("it is TCP") };
        let text = bind_error(first.address()).await.replace(&port.to_string(), "PORT");
        expect!["cannot bind `orders` to 127.0.0.1:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port"]
            .assert_eq(&text);
        let everywhere = bind_error(&address("*:0").with_port(port)).await.replace(&port.to_string(), "PORT");
        expect!["cannot bind `orders` to *:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port"]
            .assert_eq(&everywhere);
    });
}

#[test]
fn an_unknown_host_is_named() {
    run(async {
        // Never a name: https://www.rfc-editor.org/rfc/rfc6761
        let at = address("replyer.invalid:8001");
        let text = bind_error(&at).await;
        let expected = "cannot bind `orders` to replyer.invalid:8001: the host name `replyer.invalid` is not known; check its spelling or write an IP address: ";
        assert!(text.starts_with(expected), "{text}");
        let text = chain(&check_host("audit", &at).await.unwrap_err());
        let expected = "cannot connect `audit` to replyer.invalid:8001: the host name `replyer.invalid` is not known; check its spelling or write an IP address: ";
        assert!(text.starts_with(expected), "{text}");
        check_host("audit", &address("localhost:8001")).await.unwrap();
        check_host("audit", &address("192.0.2.9:8001")).await.unwrap();
    });
}

#[test]
fn what_can_never_be_connected_to_is_refused() {
    check_connect_error(
        "*:8001",
        expect!["cannot connect `audit` to *:8001: `*` says where to listen; name the host to connect to"],
    );
    check_connect_error(
        "localhost:0",
        expect![
            "cannot connect `audit` to localhost:0: port 0 lets the system choose where to listen; name the port to connect to"
        ],
    );
}

#[test]
fn names_of_the_process_are_refused_by_an_engine_that_has_none() {
    if cannot("zmtp", "has names of the process") {
        return;
    }
    check_connect_error(
        "inproc://audit",
        expect![
            "cannot connect `audit` to inproc://audit: the `ENGINE` engine has no inproc://; use ipc:// or tcp://"
        ],
    );
    run(async {
        expect!["cannot bind `orders` to inproc://orders: the `ENGINE` engine has no inproc://; use ipc:// or tcp://"]
            .assert_eq(&for_any_engine(&bind_error(&address("inproc://orders")).await));
    });
}

#[test]
fn names_of_the_process_carry_messages_between_its_threads() {
    if cannot("zeromq", "has no names of the process") {
        return;
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let at = || address("inproc://addresses/names_of_the_process");
    let served = std::thread::spawn(move || {
        run(async {
            let _echo = echo(Rc::new(replyer(&at()).await));
            told.await.unwrap();
        });
    });
    run(async {
        let requester = requester(&at());
        assert_eq!(requester.call(Bytes::from("hello"), deadline()).await.unwrap(), "hello");
        expect!["cannot bind `orders` to inproc://addresses/names_of_the_process: another connection of this process listens there; write another name"]
            .assert_eq(&bind_error(&at()).await);
        tell.send(()).unwrap();
    });
    served.join().unwrap();
}
