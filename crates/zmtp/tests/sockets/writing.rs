//! How much leaves in one write, seen by a peer at a socket that keeps writes apart.

use std::cell::Cell;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use rustix::net::{AddressFamily, SocketFlags, SocketType as Kind, socketpair};
use service_framework_zmtp::socket::{Socket, Stream};
use service_framework_zmtp::{Config, Connection, Event, Message, SocketType};
use tokio::task::yield_now;

use crate::delivering::{Echo, deliver};
use crate::support::{introduction, ramp, run, send, socket, text};

/// A peer that sees each write of the other side by itself.
struct Far {
    stream: UnixStream,
    connection: Connection,
}

impl Far {
    /// One that has met `near`, and said this behind its introduction.
    async fn met(near: &Socket, socket_type: SocketType, behind: &[u8]) -> Self {
        let pair = socketpair(AddressFamily::UNIX, Kind::SEQPACKET, SocketFlags::NONBLOCK, None);
        let (here, there) = pair.expect("two ends");
        let mut connection = Connection::new(Config::new(socket_type), Instant::now());
        connection.take_output();
        let mut far = Self { stream: there.into(), connection };
        // In one piece: a second one would be looked for only when a third has come.
        far.say(&[&introduction(socket_type)[..], behind].concat());
        let here = tokio::net::UnixStream::from_std(here.into()).expect("a stream");
        near.connect(Stream::Unix(here)).await.expect("a peer");
        while !far.connection.is_ready() {
            _ = far.hear().await;
        }
        far
    }

    fn say(&mut self, bytes: &[u8]) {
        let said = io::Write::write(&mut self.stream, bytes).expect("it is taken");
        assert_eq!(said, bytes.len());
    }

    /// The messages of the next write.
    async fn hear(&mut self) -> Vec<Message> {
        let mut bytes = vec![0; 1 << 20];
        let count = loop {
            match io::Read::read(&mut self.stream, &mut bytes) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => yield_now().await,
                read => break read.expect("it is open"),
            }
        };
        self.connection.receive(&bytes[..count], Instant::now());
        let mut messages = Vec::new();
        while let Some(event) = self.connection.poll().expect("it is ZMTP") {
            if let Event::Message(message) = event {
                messages.push(message);
            }
        }
        messages
    }
}

#[test]
fn what_is_sent_in_one_turn_leaves_in_one_write() {
    run(async {
        let push = socket(SocketType::Push, |_| ());
        let mut far = Far::met(&push, SocketType::Pull, b"").await;
        let messages: Vec<_> = (0..10).map(|number: i32| text(&number.to_string())).collect();
        for _ in 0..3 {
            messages.iter().for_each(|message| send(&push, message.clone()));
            assert_eq!(far.hear().await, messages);
        }
    });
}

#[test]
fn large_frames_leave_in_one_write_with_what_stands_beside_them() {
    run(async {
        let push = socket(SocketType::Push, |_| ());
        let mut far = Far::met(&push, SocketType::Pull, b"").await;
        let large = Message::from([Bytes::from_static(b"before"), ramp(20 << 10), ramp(30 << 10)]);
        let messages = [text("small"), large, text("small")];
        messages.iter().for_each(|message| send(&push, message.clone()));
        assert_eq!(far.hear().await, messages);
    });
}

#[test]
fn publications_leave_in_one_write_for_each_subscriber() {
    run(async {
        let publisher = socket(SocketType::Pub, |_| ());
        let mut subscribers = Vec::new();
        for _ in 0..3 {
            subscribers.push(Far::met(&publisher, SocketType::Sub, b"\x00\x01\x01").await);
        }
        std::future::poll_fn(|context| publisher.poll_subscribers(3, context)).await;
        // Some that are copied and some that are shared.
        let messages: Vec<_> = [10, 2_000, 20, 3_000].map(|length| Message::from([ramp(length)])).into();
        messages.iter().for_each(|message| send(&publisher, message.clone()));
        for far in &mut subscribers {
            assert_eq!(far.hear().await, messages);
        }
    });
}

#[test]
fn the_answers_to_all_that_came_at_once_leave_in_one_write() {
    run(async {
        let router = Rc::new(socket(SocketType::Router, |_| ()));
        let echo = Rc::new(Echo { socket: Rc::clone(&router), taken: Cell::new(0) });
        deliver(&router, &echo);
        let mut far = Far::met(&router, SocketType::Dealer, b"").await;
        far.say(&b"\x00\x01x".repeat(20));
        assert_eq!(far.hear().await, vec![text("x"); 20]);
        assert_eq!(echo.taken.get(), 20);
    });
}
