//! The crate `zeromq`, the framework's other engine, at the other end.

use bytes::Bytes;
use service_framework_zmtp::{Message, SocketType};
use tokio::task::yield_now;
use zeromq::util::PeerIdentity;
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket,
    SocketOptions, SocketRecv, SocketSend, SubSocket, XPubSocket, XSubSocket, ZmqError, ZmqMessage,
};

use crate::other::Other;
use crate::pairs::tests;
use crate::patterns::THEIRS;

tests!(Zeromq);

pub(crate) enum Zeromq {
    Req(ReqSocket),
    Rep(RepSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    Pub(PubSocket),
    Sub(SubSocket),
    XPub(XPubSocket),
    XSub(XSubSocket),
    Push(PushSocket),
    Pull(PullSocket),
}

/// Does the same with a socket of any type, or of those in a list.
macro_rules! with {
    ($socket:expr, all, $one:ident => $do:expr) => {
        with!(@ $socket, [Req, Rep, Dealer, Router, Pub, Sub, XPub, XSub, Push, Pull], $one => $do)
    };
    ($socket:expr, $kinds:tt, $one:ident => $do:expr) => {
        with!(@ $socket, $kinds, $one => $do, _ => panic!("sockets of this type do not do that"))
    };
    (@ $socket:expr, [$($kind:ident),*], $one:ident => $do:expr $(, $others:pat => $panic:expr)?) => {
        match $socket {
            $(Self::$kind($one) => $do,)*
            $($others => $panic,)?
        }
    };
}

impl Other for Zeromq {
    fn open(socket_type: SocketType) -> Self {
        let mut options = SocketOptions::default();
        options.peer_identity(PeerIdentity::try_from(THEIRS).expect("a name"));
        match socket_type {
            SocketType::Req => Self::Req(ReqSocket::with_options(options)),
            SocketType::Rep => Self::Rep(RepSocket::with_options(options)),
            SocketType::Dealer => Self::Dealer(DealerSocket::with_options(options)),
            SocketType::Router => Self::Router(RouterSocket::with_options(options)),
            SocketType::Pub => Self::Pub(PubSocket::with_options(options)),
            SocketType::Sub => Self::Sub(SubSocket::with_options(options)),
            SocketType::XPub => Self::XPub(XPubSocket::with_options(options)),
            SocketType::XSub => Self::XSub(XSubSocket::with_options(options)),
            SocketType::Push => Self::Push(PushSocket::with_options(options)),
            SocketType::Pull => Self::Pull(PullSocket::with_options(options)),
        }
    }

    async fn bind(&mut self, endpoint: &str) -> String {
        let bound = with!(self, all, socket => socket.bind(endpoint).await);
        bound.expect("it is free").to_string()
    }

    async fn connect(&mut self, endpoint: &str) {
        let connected = with!(self, all, socket => socket.connect(endpoint).await);
        connected.expect("a peer");
    }

    async fn send(&mut self, message: Message) {
        let frames: Vec<Bytes> = message.into_iter().collect();
        loop {
            let message = ZmqMessage::try_from(frames.clone()).expect("it has frames");
            let sent = with!(self, [Req, Rep, Dealer, Router, Pub, XPub, XSub, Push],
                socket => socket.send(message).await);
            match sent {
                Ok(()) => return,
                // It has not seen us yet.
                Err(ZmqError::ReturnToSender { .. } | ZmqError::Other(_)) => yield_now().await,
                Err(why) => panic!("{why}"),
            }
        }
    }

    async fn recv(&mut self) -> Message {
        let received = with!(self, [Req, Rep, Dealer, Router, Sub, XPub, XSub, Pull],
            socket => socket.recv().await);
        received.expect("a message").into_vec().into_iter().collect()
    }

    async fn subscribe(&mut self, topic: &'static str) {
        with!(self, [Sub, XSub], socket => socket.subscribe(topic).await.expect("it is asked for"));
    }

    async fn unsubscribe(&mut self, topic: &'static str) {
        with!(self, [Sub, XSub], socket => socket.unsubscribe(topic).await.expect("it is cancelled"));
    }
}
