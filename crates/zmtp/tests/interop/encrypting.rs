//! Keys: who is let in and who is not, with libzmq at the other end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use service_framework_zmtp::socket::{Ended, Options};
use service_framework_zmtp::{
    Credentials, Error, Heartbeat, KeyPair, Mechanism, PublicKey, SecretKey, SocketType,
};

use crate::libzmq::Libzmq;
use crate::meeting::dial;
use crate::patterns::endpoint;
use crate::support::{Carrier, bound, ended, run, send, socket, text, until};
use crate::tap::{still_talk, tapped};

/// The keys of a byte, repeated.
fn pair(byte: u8) -> KeyPair {
    SecretKey::from([byte; 32]).into()
}

const SERVER: u8 = 1;
const CLIENT: u8 = 2;
const STRANGER: u8 = 9;

/// Who the client is.
pub(crate) fn client() -> PublicKey {
    *pair(CLIENT).public()
}

/// Our side is the server, and lets the client in.
pub(crate) fn our_server(options: &mut Options) {
    options.connection.mechanism = Mechanism::CurveServer { own: pair(SERVER) };
    options.admits = Some(Rc::new(|client| *client == Credentials::Key(*pair(CLIENT).public())));
}

/// Our side is the client.
pub(crate) fn our_client(options: &mut Options) {
    we_are(CLIENT, SERVER)(options);
}

fn we_are(own: u8, server: u8) -> impl Fn(&mut Options) {
    let mechanism = Mechanism::CurveClient { own: pair(own), server: *pair(server).public() };
    move |options| options.connection.mechanism = mechanism.clone()
}

/// Their side is the server.
pub(crate) fn their_server() -> String {
    format!("CURVE_SERVER=1 CURVE_SECRETKEY={}", *pair(SERVER).secret().to_text())
}

/// Their side is the client.
pub(crate) fn their_client() -> String {
    they_are(CLIENT, SERVER)
}

fn they_are(own: u8, server: u8) -> String {
    let (own, server) = (pair(own), pair(server));
    let secret = own.secret().to_text();
    format!(
        "CURVE_PUBLICKEY={} CURVE_SECRETKEY={} CURVE_SERVERKEY={}",
        own.public(),
        *secret,
        server.public()
    )
}

#[test]
fn they_admit_us_by_our_key() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask(&format!("admit CURVE {}", pair(CLIENT).public())).await;
        libzmq.ask(&format!("socket it REP {}", their_server())).await;
        let theirs = libzmq.ask("bind it tcp://127.0.0.1:*").await;
        let stranger = socket(SocketType::Req, we_are(STRANGER, SERVER));
        let why = stranger.connect(dial(&theirs).await).await.expect_err("it is not admitted");
        assert_eq!(why.to_string(), "the peer refused the connection: 400");
        let mistaken = socket(SocketType::Req, we_are(CLIENT, STRANGER));
        let why = mistaken.connect(dial(&theirs).await).await.expect_err("it wants another server");
        assert!(matches!(why, Ended::ByPeer | Ended::System(_)), "{why}");
        let plain = socket(SocketType::Req, |_| ());
        let why = plain.connect(dial(&theirs).await).await.expect_err("it does not encrypt");
        assert!(matches!(why, Ended::Protocol(Error::Mechanism { .. }) | Ended::ByPeer), "{why}");

        let good = socket(SocketType::Req, our_client);
        good.connect(dial(&theirs).await).await.expect("it is admitted");
        send(&good, text("hello"));
        assert_eq!(libzmq.recv("it").await, text("hello"));
        libzmq.send("it", &text("back")).await;
        assert_eq!(good.recv().await, text("back"));
    });
}

#[test]
fn we_admit_them_by_their_key() {
    let mut libzmq = Libzmq::start();
    run(async {
        let (ours, place) = bound(SocketType::Rep, Carrier::Tcp, our_server).await;
        libzmq.ask(&format!("socket it REQ {}", their_client())).await;
        libzmq.ask(&format!("connect it {}", endpoint(&place))).await;
        libzmq.send("it", &text("hello")).await;
        assert_eq!(ours.recv().await, text("hello"));
        send(&ours, text("back"));
        assert_eq!(libzmq.recv("it").await, text("back"));
    });
}

/// Why our socket sends theirs away.
async fn sent_away(libzmq: &mut Libzmq, ours: impl FnOnce(&mut Options), theirs: &str) -> Ended {
    let (ours, place) = bound(SocketType::Rep, Carrier::Tcp, ours).await;
    libzmq.ask(&format!("socket it REQ {theirs}")).await;
    libzmq.ask(&format!("connect it {}", endpoint(&place))).await;
    let why = ended(&ours).await;
    assert_eq!((ours.peers(), ours.counts().connected), (0, 0));
    libzmq.ask("close it").await;
    why
}

#[test]
fn we_send_away_who_has_another_key_or_none() {
    let mut libzmq = Libzmq::start();
    run(async {
        let why = sent_away(&mut libzmq, our_server, &they_are(STRANGER, SERVER)).await;
        assert!(matches!(why, Ended::NotAdmitted), "{why}");
        let why = sent_away(&mut libzmq, our_server, &they_are(CLIENT, STRANGER)).await;
        assert!(matches!(why, Ended::Protocol(Error::Unopened("HELLO"))), "{why}");
        // Either may be the first to see that they do not fit.
        let fits_not = |why: &Ended| matches!(why, Ended::Protocol(Error::Mechanism { .. }) | Ended::ByPeer);
        let why = sent_away(&mut libzmq, our_server, "").await;
        assert!(fits_not(&why), "{why}");
        let why = sent_away(&mut libzmq, |_| (), &their_client()).await;
        assert!(fits_not(&why), "{why}");
    });
}

/// How many bytes passed a tap, and whether a word was among them that nobody should read.
#[derive(Debug, Default)]
struct Seen {
    bytes: Cell<usize>,
    words: Cell<usize>,
}

fn count(seen: &Seen, bytes: &[u8]) {
    let is_word = |at: &[u8]| [&b"PING"[..], b"PONG", b"DEAL", b"hell"].contains(&at);
    seen.words.set(seen.words.get() + bytes.windows(4).filter(|at| is_word(at)).count());
    seen.bytes.set(seen.bytes.get() + bytes.len());
}

/// Both ask for signs of life and both give them, which only they can read; whoever is the server.
fn signs_of_life(theirs: &str, ours: impl Fn(&mut Options)) {
    let mut libzmq = Libzmq::start();
    run(async {
        let (from_us, from_them) = (Rc::<Seen>::default(), Rc::<Seen>::default());
        let ours = |options: &mut Options| {
            let long = Duration::from_secs(300);
            options.connection.heartbeat =
                Some(Heartbeat { every: Duration::from_millis(10), patience: long, time_to_live: long });
            ours(options);
        };
        let ours = tapped(&mut libzmq, theirs, ours, [&from_us, &from_them], count).await;
        // Nothing else is said. The handshake has fewer than 600 bytes each way, a PING in its box has 42 and a PONG 40.
        for seen in [&from_us, &from_them] {
            until(|| seen.bytes.get() >= 600 + 20 * 42).await;
        }
        still_talk(&mut libzmq, &ours).await;
        assert_eq!((from_us.words.get(), from_them.words.get()), (0, 0));
    });
}

#[test]
fn signs_of_life_of_a_client_are_encrypted() {
    signs_of_life(&their_server(), our_client);
}

#[test]
fn signs_of_life_of_a_server_are_encrypted() {
    signs_of_life(&their_client(), our_server);
}
