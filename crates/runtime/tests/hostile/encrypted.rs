//! Strangers at a replyer that encrypts, with wrong keys or with what others have said before: each is refused, counted, and disturbs nobody.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_connections::security::{KeyPair, PublicKey};
use service_framework_connections::{Engine, EngineOptions, Security, engine_by_name};
use service_framework_core::address::Address;
use service_framework_runtime::{Cause, Service, keys};
use service_framework_zmtp::{Config, Connection, Event, Mechanism, SocketType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Exchange;
use crate::support::{Client, address, counters, until_async, wired};
use crate::transport::Counted::{self, Peer, Stranger};
use crate::transport::{counted, dial};
use crate::under_load::under_load_of;

/// An exchange that talks to one client alone.
struct Encrypted {
    service: Service,
    at: Address,
    server: PublicKey,
    known: KeyPair,
}

impl Encrypted {
    fn start(folder: &Path) -> Self {
        let file = folder.join("own");
        let server = keys::create(&file).unwrap().parse().unwrap();
        let known = KeyPair::generate().unwrap();
        let order = value!({
            "address": "127.0.0.1:0",
            "curve_keys": (file.display().to_string()),
            "curve_allow": (known.public().to_string()),
        });
        let mut service = Service::of::<Exchange>(wired(value!({"in": {
            "order": {"replyer": order},
            "order_later": {"replyer": "127.0.0.1:0"},
            "taken": {"replyer": "127.0.0.1:0"},
            "on_order": {"subscriber": "127.0.0.1:9"},
        }})));
        service.start().unwrap();
        let at = address(&service, "order");
        Self { service, at, server, known }
    }

    fn good(&self) -> Client {
        let security = Security::Client { own: self.known.clone(), server: self.server };
        let options = EngineOptions { security, ..EngineOptions::default() };
        let engine: Rc<dyn Engine> = engine_by_name("zmtp", options).unwrap();
        Client::by(&engine, &self.at)
    }

    /// Somebody with these keys, who takes this for the key of the exchange.
    async fn caller(&self, own: &KeyPair, server: &PublicKey) -> Caller {
        let mut config = Config::new(SocketType::Dealer);
        config.mechanism = Mechanism::CurveClient { own: own.clone(), server: *server };
        Caller { connection: Connection::new(config, Instant::now()), stream: dial(&self.at).await }
    }

    /// All that the good one says until it is let in: its greeting, HELLO and INITIATE; and its connection.
    async fn recorded(&self) -> ([Vec<u8>; 3], Caller) {
        let mut caller = self.caller(&self.known, &self.server).await;
        let greeting = caller.say().await;
        caller.hear(GREETING).await;
        let hello = caller.say().await;
        caller.hear(WELCOME).await;
        let initiate = caller.say().await;
        assert!(hello[2..].starts_with(b"\x05HELLO") && initiate[9..].starts_with(b"\x08INITIATE"));
        caller.until_met().await;
        ([greeting, hello, initiate], caller)
    }

    /// Has somebody do its worst, which is counted as that and as nothing else.
    async fn attacked(&self, name: &str, expected: Counted, attack: impl AsyncFnOnce() -> TcpStream) {
        let before = counters(&self.service, "order");
        let mut stream = attack().await;
        while !matches!(stream.read(&mut [0; 1_024]).await, Ok(0) | Err(_)) {}
        let rise = || counted(&before, &counters(&self.service, "order"));
        until_async(|| !rise().is_empty()).await;
        assert_eq!(rise(), [(expected, 1)], "{name}");
    }

    /// The stream of somebody who says all of that.
    async fn said(&self, said: &[&[u8]]) -> TcpStream {
        let mut stream = dial(&self.at).await;
        // A service that has heard enough closes before it has heard all.
        _ = stream.write_all(&said.concat()).await;
        stream
    }
}

/// The bytes of a greeting, and of a WELCOME.
const GREETING: usize = 64;
const WELCOME: usize = 2 + 168;

/// One end of a connection, whose bytes the test carries.
struct Caller {
    connection: Connection,
    stream: TcpStream,
}

impl Caller {
    /// Says what it has to say, and gives it.
    async fn say(&mut self) -> Vec<u8> {
        let said = self.connection.take_output().to_vec();
        _ = self.stream.write_all(&said).await;
        said
    }

    /// Hears so many bytes, which lead to nothing but to what it says next.
    async fn hear(&mut self, bytes: usize) {
        let mut heard = vec![0; bytes];
        self.stream.read_exact(&mut heard).await.unwrap();
        self.connection.receive(&heard, Instant::now());
        assert_eq!(self.connection.poll(), Ok(None));
    }

    async fn until_met(&mut self) {
        let mut heard = [0; 1_024];
        loop {
            let bytes = self.stream.read(&mut heard).await.unwrap();
            assert!(bytes > 0, "it is let in");
            self.connection.receive(&heard[..bytes], Instant::now());
            if let Some(event) = self.connection.poll().unwrap() {
                assert!(matches!(event, Event::Ready(_)), "{event:?}");
                return;
            }
        }
    }
}

#[test]
fn wrong_keys_and_what_was_said_before_are_counted_by_their_reason_and_disturb_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Encrypted::start(folder.path());
    let stranger = KeyPair::generate().unwrap();
    under_load_of(
        || exchange.good(),
        async || {
            let exchange = &exchange;
            let wrong_server = async || {
                let mut caller = exchange.caller(&exchange.known, stranger.public()).await;
                caller.say().await;
                caller.hear(GREETING).await;
                caller.say().await;
                caller.stream
            };
            exchange.attacked("the key of another server", Stranger(Cause::WrongKey), wrong_server).await;

            let unknown = async || {
                let mut caller = exchange.caller(&stranger, &exchange.server).await;
                caller.say().await;
                caller.hear(GREETING).await;
                caller.say().await;
                caller.hear(WELCOME).await;
                caller.say().await;
                caller.stream
            };
            exchange.attacked("a key that is not let in", Stranger(Cause::NotAdmitted), unknown).await;

            let ([greeting, hello, initiate], met) = exchange.recorded().await;
            // A HELLO alone leads to a WELCOME that nobody can read who has only heard it; what follows it must fit that WELCOME.
            let replayed: [(&str, &[&[u8]], Cause); 3] = [
                ("all that was said before", &[&greeting, &hello, &initiate], Cause::WrongKey),
                ("a HELLO twice", &[&greeting, &hello, &hello], Cause::Malformed),
                ("an INITIATE without its HELLO", &[&greeting, &initiate], Cause::Malformed),
            ];
            for (name, said, cause) in replayed {
                exchange.attacked(name, Stranger(cause), async || exchange.said(said).await).await;
            }
            let again = async || {
                let mut stream = met.stream;
                _ = stream.write_all(&initiate).await;
                stream
            };
            exchange.attacked("an INITIATE by who was let in", Peer(Cause::Malformed), again).await;
        },
    );
    let Encrypted { mut service, .. } = exchange;
    service.stop().unwrap();
}
