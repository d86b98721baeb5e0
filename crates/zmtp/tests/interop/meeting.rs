//! How our sockets and those of libzmq meet: over what, who listens, who has to say who it is, and whether they ask for signs of life.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_zmtp::socket::{Options, Socket, Stream};
use service_framework_zmtp::{Credentials, Heartbeat, Login, Mechanism, SocketType};
use tokio::net::{TcpStream, UnixStream};

#[cfg(feature = "curve")]
use crate::encrypting;
use crate::libzmq::Libzmq;
use crate::patterns::{Binds, OURS, endpoint};
use crate::support::{Carrier, bound, socket, until};

/// Who has to say who it is, and what can be read on the way. Who binds is the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Open,
    Password,
    #[cfg(feature = "curve")]
    Encrypted,
}

/// Whether both ends ask for signs of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signs {
    None,
    OfLife,
}

/// Without signs of life in the open alone, so that no more than needed is encrypted.
const WAYS: &[(Secrecy, Signs)] = &[
    (Secrecy::Open, Signs::None),
    (Secrecy::Open, Signs::OfLife),
    (Secrecy::Password, Signs::OfLife),
    #[cfg(feature = "curve")]
    (Secrecy::Encrypted, Signs::OfLife),
];

/// How two sockets meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meeting {
    pub(crate) carrier: Carrier,
    pub(crate) binds: Binds,
    pub(crate) secrecy: Secrecy,
    pub(crate) signs: Signs,
}

/// All the ways in which two sockets meet.
pub(crate) fn meetings() -> impl Iterator<Item = Meeting> {
    WAYS.iter().flat_map(|&(secrecy, signs)| {
        [Carrier::Tcp, Carrier::Unix].into_iter().flat_map(move |carrier| {
            [Binds::We, Binds::They].map(|binds| Meeting { carrier, binds, secrecy, signs })
        })
    })
}

const NAME: &str = "alice";
const PASSWORD: &str = "secret";

/// Has libzmq let in whom [`meet`] brings.
pub(crate) async fn admit(libzmq: &mut Libzmq) {
    libzmq.ask(&format!("admit PLAIN {NAME} {PASSWORD}")).await;
    #[cfg(feature = "curve")]
    libzmq.ask(&format!("admit CURVE {}", encrypting::client())).await;
}

fn login() -> Login {
    Login { username: Bytes::from(NAME), password: Bytes::from(PASSWORD) }
}

/// Our socket and theirs, named `it`, which have met.
pub(crate) async fn meet(
    libzmq: &mut Libzmq,
    (ours, theirs): (SocketType, SocketType),
    meeting: Meeting,
    folder: &Path,
) -> Socket {
    libzmq.ask(&format!("socket it {theirs} IDENTITY=theirs {}", meeting.their_options())).await;
    let options = |options: &mut Options| meeting.set(options);
    match meeting.binds {
        Binds::We => {
            let (ours, place) = bound(ours, meeting.carrier, options).await;
            libzmq.ask(&format!("connect it {}", endpoint(&place))).await;
            until(|| ours.peers() == 1).await;
            ours
        }
        Binds::They => {
            let endpoint = libzmq.ask(&format!("bind it {}", anywhere(meeting.carrier, folder, "it"))).await;
            let ours = socket(ours, options);
            ours.connect(dial(&endpoint).await).await.expect("a peer");
            ours
        }
    }
}

/// Where libzmq may listen, in a folder or at a free port.
pub(crate) fn anywhere(carrier: Carrier, folder: &Path, name: &str) -> String {
    match carrier {
        Carrier::Tcp => "tcp://127.0.0.1:*".to_owned(),
        Carrier::Unix => format!("ipc://{}", folder.join(name).display()),
        Carrier::Inproc => panic!("libzmq runs in a process of its own"),
    }
}

/// A stream to where libzmq listens.
pub(crate) async fn dial(endpoint: &str) -> Stream {
    match endpoint.split_once("://").expect("an endpoint") {
        ("tcp", at) => Stream::Tcp(TcpStream::connect(at).await.expect("a listener")),
        (_, path) => Stream::Unix(UnixStream::connect(Path::new(path)).await.expect("a listener")),
    }
}

impl Meeting {
    /// What their socket is told of it.
    pub(crate) fn their_options(&self) -> String {
        let secrecy = match (self.secrecy, self.binds) {
            (Secrecy::Open, _) => String::new(),
            (Secrecy::Password, Binds::They) => "PLAIN_SERVER=1".to_owned(),
            (Secrecy::Password, Binds::We) => format!("PLAIN_USERNAME={NAME} PLAIN_PASSWORD={PASSWORD}"),
            #[cfg(feature = "curve")]
            (Secrecy::Encrypted, Binds::We) => encrypting::their_client(),
            #[cfg(feature = "curve")]
            (Secrecy::Encrypted, Binds::They) => encrypting::their_server(),
        };
        match self.signs {
            Signs::None => secrecy,
            Signs::OfLife => {
                format!("{secrecy} HEARTBEAT_IVL=10 HEARTBEAT_TIMEOUT=300000 HEARTBEAT_TTL=300000")
            }
        }
    }

    /// What our socket is told of it.
    pub(crate) fn set(&self, options: &mut Options) {
        let connection = &mut options.connection;
        connection.identity = Bytes::from_static(OURS);
        if self.signs == Signs::OfLife {
            let (every, long) = (Duration::from_millis(10), Duration::from_secs(300));
            connection.heartbeat = Some(Heartbeat { every, patience: long, time_to_live: long });
        }
        match (self.secrecy, self.binds) {
            (Secrecy::Open, _) => {}
            (Secrecy::Password, Binds::They) => connection.mechanism = Mechanism::PlainClient(login()),
            (Secrecy::Password, Binds::We) => {
                connection.mechanism = Mechanism::PlainServer;
                options.admits = Some(Rc::new(|given| *given == Credentials::Login(login())));
            }
            #[cfg(feature = "curve")]
            (Secrecy::Encrypted, Binds::We) => encrypting::our_server(options),
            #[cfg(feature = "curve")]
            (Secrecy::Encrypted, Binds::They) => encrypting::our_client(options),
        }
    }

    /// Both are still there, and have given signs of life, if they were to, while nothing else was said.
    pub(crate) async fn check_signs(&self, socket: &Socket) {
        if self.signs == Signs::OfLife {
            let carried = || {
                let peers = socket.peer_counts();
                let [peer] = &peers[..] else { panic!("{} peers", peers.len()) };
                [peer.bytes_read, peer.bytes_written]
            };
            let before = carried();
            // A PING and a PONG have 16 bytes, and 82 in their boxes.
            until(|| carried().iter().zip(before).all(|(now, before)| *now >= before + 82)).await;
        }
        assert_eq!((socket.peers(), socket.counts().disconnected.total()), (1, 0));
    }
}
