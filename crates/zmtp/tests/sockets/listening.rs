//! Where sockets listen, as a text says it.

use std::io::ErrorKind;

use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Endpoint, EndpointError, Listener, Redial};

use crate::support::{run, send, socket, text};

/// Listens there, is found where it says that it is, and has a message carried; gives where that was.
async fn meet_at(place: &str) -> Endpoint {
    let listener = Listener::bind(place).await.unwrap_or_else(|why| panic!("{place}: {why}"));
    let endpoint = listener.endpoint().expect("it is somewhere");
    let (pull, push) = (socket(SocketType::Pull, |_| ()), socket(SocketType::Push, |_| ()));
    pull.listen(listener);
    let dial = push.dial(endpoint.clone(), Redial::default());
    dial.met().await.expect("a peer");
    send(&push, text("hello"));
    assert_eq!(pull.recv().await, text("hello"));
    endpoint
}

#[test]
fn a_text_says_where_and_the_listener_says_what_came_of_it() {
    run(async {
        for host in ["127.0.0.1", "[::1]", "localhost", "*"] {
            let Endpoint::Tcp { port, .. } = meet_at(&format!("tcp://{host}:0")).await else {
                panic!("{host}")
            };
            assert_ne!(port, 0, "{host}");
        }
        assert_eq!(meet_at("inproc://a table").await.to_string(), "inproc://a table");
    });
}

#[test]
fn what_is_no_place_to_listen_at_is_refused_with_the_reason() {
    run(async {
        for (place, why) in [
            ("localhost:5555", EndpointError::Carrier("localhost:5555".into())),
            ("ipc://", EndpointError::Empty("ipc://".into())),
            ("tcp://host", EndpointError::Port("tcp://host".into())),
            ("tcp://:1", EndpointError::Anywhere("tcp://:1".into())),
        ] {
            let refused = Listener::bind(place).await.expect_err(place);
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
            assert_eq!(refused.get_ref().and_then(|why| why.downcast_ref()), Some(&why));
        }
    });
}

#[cfg(unix)]
#[test]
fn a_socket_file_is_taken_over_from_who_has_ended_and_from_nobody_else() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let place = format!("ipc://{}", path.display());
        for _ in 0..2 {
            assert_eq!(meet_at(&place).await.to_string(), place);
            assert!(path.exists(), "it stays");
        }

        let holder = Listener::bind(&place).await.expect("nobody is there");
        assert_eq!(Listener::bind(&place).await.expect_err("somebody is").kind(), ErrorKind::AddrInUse);
        drop(holder);

        std::fs::remove_file(&path).expect("it is there");
        std::fs::write(&path, "a letter").expect("a file");
        assert_eq!(Listener::bind(&place).await.expect_err("it is no socket").kind(), ErrorKind::AddrInUse);
        assert_eq!(std::fs::read_to_string(&path).expect("it is left alone"), "a letter");
    });
}
