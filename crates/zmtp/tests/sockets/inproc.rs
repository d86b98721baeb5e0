//! Names inside one process.

use std::io::ErrorKind;

use bytes::Bytes;
use service_framework_zmtp::socket::{InprocListener, Listener, Options, Socket, Stream};
use service_framework_zmtp::{Message, SocketType};
use tokio::sync::oneshot;

use crate::support::{ramp, run, send, text};

#[test]
fn messages_cross_threads() {
    let (tell, told) = oneshot::channel();
    let server = std::thread::spawn(move || {
        run(async {
            let rep = Socket::new(Options::new(SocketType::Rep));
            rep.listen(Listener::Inproc(InprocListener::bind("between threads").expect("a free name")));
            tell.send(()).expect("somebody waits");
            for _ in 0..100 {
                let question = rep.recv().await;
                send(&rep, question);
            }
            rep.close().await;
        });
    });
    run(async {
        told.await.expect("it listens");
        let req = Socket::new(Options::new(SocketType::Req));
        req.connect(Stream::inproc("between threads").expect("a listener")).await.expect("a peer");
        for length in 0..100 {
            let question = Message::from([Bytes::new(), ramp(3_000 * length)]);
            send(&req, question.clone());
            assert_eq!(req.recv().await, question);
        }
        req.close().await;
    });
    server.join().expect("it served");
}

#[test]
fn a_name_is_taken_once_and_free_again() {
    let first = InprocListener::bind("taken").expect("a free name");
    assert_eq!(InprocListener::bind("taken").expect_err("it is taken").kind(), ErrorKind::AddrInUse);
    drop(first);
    InprocListener::bind("taken").expect("it is free again");
}

#[test]
fn where_nobody_listens_nobody_is_met() {
    let refused = |name| Stream::inproc(name).expect_err("nobody listens").kind();
    assert_eq!(refused("nobody"), ErrorKind::ConnectionRefused);
    drop(InprocListener::bind("nobody any more"));
    assert_eq!(refused("nobody any more"), ErrorKind::ConnectionRefused);
}

#[test]
fn a_socket_that_ends_frees_its_name() {
    run(async {
        let bind = || Listener::Inproc(InprocListener::bind("ended").expect("a free name"));
        let first = Socket::new(Options::new(SocketType::Pull));
        first.listen(bind());
        let push = Socket::new(Options::new(SocketType::Push));
        push.connect(Stream::inproc("ended").expect("a listener")).await.expect("a peer");
        drop(first);
        let second = Socket::new(Options::new(SocketType::Pull));
        second.listen(bind());
        let push = Socket::new(Options::new(SocketType::Push));
        push.connect(Stream::inproc("ended").expect("a listener")).await.expect("a peer");
        send(&push, text("hello"));
        assert_eq!(second.recv().await, text("hello"));
    });
}
