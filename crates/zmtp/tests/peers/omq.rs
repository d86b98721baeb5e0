//! The crate `omq-tokio` at the other end.

use bytes::Bytes;
use omq_tokio as omq;
use service_framework_zmtp::{Message, SocketType};

use crate::other::Other;
use crate::pairs::tests;
use crate::patterns::THEIRS;
use crate::support::PATIENCE;

tests!(Omq);

pub(crate) struct Omq(omq::Socket);

impl Other for Omq {
    fn open(socket_type: SocketType) -> Self {
        let socket_type = match socket_type {
            SocketType::Req => omq::SocketType::Req,
            SocketType::Rep => omq::SocketType::Rep,
            SocketType::Dealer => omq::SocketType::Dealer,
            SocketType::Router => omq::SocketType::Router,
            SocketType::Pub => omq::SocketType::Pub,
            SocketType::Sub => omq::SocketType::Sub,
            SocketType::XPub => omq::SocketType::XPub,
            SocketType::XSub => omq::SocketType::XSub,
            SocketType::Push => omq::SocketType::Push,
            SocketType::Pull => omq::SocketType::Pull,
        };
        // One that does not know its peer yet says so, and is asked again.
        let options = omq::Options::default().identity(Bytes::from_static(THEIRS)).router_mandatory(true);
        Self(omq::Socket::new(socket_type, options))
    }

    async fn bind(&mut self, endpoint: &str) -> String {
        self.0.bind(endpoint).await.expect("it is free").to_string()
    }

    async fn connect(&mut self, endpoint: &str) {
        self.0.connect(endpoint).await.expect("it tries");
    }

    async fn send(&mut self, message: Message) {
        self.0.wait_connected(1, PATIENCE).await.expect("a peer");
        let message = omq::Message::multipart(message);
        self.0.send(message).await.expect("it is taken");
    }

    async fn recv(&mut self) -> Message {
        let message = self.0.recv().await.expect("a message");
        message.iter().collect()
    }

    async fn subscribe(&mut self, topic: &'static str) {
        self.0.subscribe(topic).await.expect("it is asked for");
    }

    async fn unsubscribe(&mut self, topic: &'static str) {
        self.0.unsubscribe(topic).await.expect("it is cancelled");
    }
}
