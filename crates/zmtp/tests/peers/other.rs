//! What the tests want of a socket of another engine, and how it meets one of ours.

use bytes::Bytes;
use service_framework_zmtp::socket::{Options, Redial, Socket};
use service_framework_zmtp::{Message, SocketType};
use tempfile::TempDir;

use crate::patterns::{Binds, OURS, endpoint};
use crate::support::{Carrier, bound, socket, until};

/// A socket of another engine, in this process.
pub(crate) trait Other: Sized {
    /// One of this type, named [`THEIRS`](crate::patterns::THEIRS).
    fn open(socket_type: SocketType) -> Self;

    /// Listens, and gives the endpoint back with its port.
    async fn bind(&mut self, endpoint: &str) -> String;

    async fn connect(&mut self, endpoint: &str);

    /// Sends, as soon as there is somebody to send to.
    async fn send(&mut self, message: Message);

    async fn recv(&mut self) -> Message;

    async fn subscribe(&mut self, topic: &'static str);

    async fn unsubscribe(&mut self, topic: &'static str);
}

/// A socket of ours and one of theirs that have met.
pub(crate) struct Pair<O> {
    pub(crate) ours: Socket,
    pub(crate) theirs: O,
    _folder: TempDir,
}

/// All the ways in which two sockets meet.
pub(crate) const MEETINGS: [(Carrier, Binds); 4] = [
    (Carrier::Tcp, Binds::We),
    (Carrier::Tcp, Binds::They),
    (Carrier::Unix, Binds::We),
    (Carrier::Unix, Binds::They),
];

impl<O: Other> Pair<O> {
    pub(crate) async fn meet(
        (ours, theirs): (SocketType, SocketType),
        (carrier, binds): (Carrier, Binds),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut theirs = O::open(theirs);
        let named = |options: &mut Options| options.connection.identity = Bytes::from_static(OURS);
        let ours = match binds {
            Binds::We => {
                let (ours, place) = bound(ours, carrier, named).await;
                theirs.connect(&endpoint(&place)).await;
                until(|| ours.peers() == 1).await;
                ours
            }
            Binds::They => {
                let wanted = match carrier {
                    Carrier::Tcp => "tcp://127.0.0.1:0".to_owned(),
                    Carrier::Unix => format!("ipc://{}", folder.path().join("socket").display()),
                    Carrier::Inproc => panic!("others do not see it"),
                };
                let endpoint = theirs.bind(&wanted).await;
                let ours = socket(ours, named);
                let dial = ours.dial(endpoint.parse().expect("an endpoint"), Redial::default());
                dial.met().await.expect("a peer");
                ours
            }
        };
        Self { ours, theirs, _folder: folder }
    }
}
