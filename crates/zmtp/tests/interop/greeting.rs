//! Who is greeted where libzmq passes on what is asked for, and where it publishes itself.

use std::cell::RefCell;
use std::rc::Rc;

use service_framework_zmtp::socket::Greeting;
use service_framework_zmtp::{Message, SocketType};

use crate::libzmq::{Libzmq, word};
use crate::meeting::dial;
use crate::proxy::proxied;
use crate::support::{run, send, socket, text};

/// What no publication begins with.
const MARKER: &[u8] = b"\xc1?one";

#[test]
fn who_asks_through_the_proxy_of_libzmq_is_greeted_alone() {
    let mut libzmq = Libzmq::start();
    run(async {
        let [front, back] = proxied(&mut libzmq, SocketType::XSub, SocketType::XPub).await;
        let publisher = socket(SocketType::XPub, |_| ());
        let asked = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&asked);
        let greeting: Greeting = Rc::new(move |newcomer| {
            noted.borrow_mut().push(newcomer.socket_type());
            newcomer.send(&Message::from([[newcomer.topic(), b"a last"].concat()]));
        });
        publisher.greet(&MARKER[..2], &greeting);
        publisher.connect(dial(&front).await).await.expect("a peer");

        libzmq.ask("socket other SUB").await;
        libzmq.ask(&format!("connect other {back}")).await;
        libzmq.ask(&format!("subscribe other {}", word(b"a"))).await;
        assert_eq!(publisher.recv().await, text("\x01a"));
        let late = socket(SocketType::Sub, |_| ());
        late.subscribe("a");
        late.subscribe(MARKER);
        late.connect(dial(&back).await).await.expect("a peer");
        assert_eq!(late.recv().await, Message::from([[MARKER, b"a last"].concat()]));
        assert_eq!(*asked.borrow(), [SocketType::XSub]);
        send(&publisher, text("a next"));
        assert_eq!(late.recv().await, text("a next"));
        assert_eq!(libzmq.recv("other").await, text("a next"));
    });
}

#[test]
fn a_publisher_of_libzmq_takes_what_is_asked_for_as_a_filter_that_nothing_fits() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask("socket publisher XPUB").await;
        let at = libzmq.ask("bind publisher tcp://127.0.0.1:*").await;
        let late = socket(SocketType::Sub, |_| ());
        late.subscribe("a");
        late.subscribe(MARKER);
        late.connect(dial(&at).await).await.expect("a peer");
        for wanted in [b"a".as_slice(), MARKER] {
            let wanted = Message::from([[b"\x01".as_slice(), wanted].concat()]);
            assert_eq!(libzmq.recv("publisher").await, wanted);
        }
        libzmq.send("publisher", &text("a next")).await;
        assert_eq!(late.recv().await, text("a next"));
    });
}
