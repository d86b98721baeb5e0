//! What has arrived when a service ends, and that nobody has read yet, has its answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Answer, address, request, wired};

/// Ends while it holds its own thread, so that nothing was read meanwhile.
struct Holding {
    scene: Arc<Scene>,
}

#[service]
impl Holding {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        self.scene.pass("met", cx).await;
        self.scene.note("holds");
        self.scene.block("asked");
        Ok(())
    }
}

service_framework::link!(Holding);

/// Takes the next frame: its flags, and its bytes.
fn next_frame(said: &mut &[u8]) -> Option<(u8, Vec<u8>)> {
    let (&flags, rest) = said.split_first()?;
    let (length, rest) = match flags & 2 {
        0 => (usize::from(rest[0]), &rest[1..]),
        _ => (u64::from_be_bytes(*rest.first_chunk().unwrap()) as usize, &rest[8..]),
    };
    let (bytes, rest) = rest.split_at(length);
    *said = rest;
    Some((flags, bytes.to_vec()))
}

/// A DEALER, and what it was told as it was met.
fn meet(at: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).unwrap();
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    greeting.resize(64, 0);
    // Both at once: whoever is answered has then been met, and not only greeted.
    stream.write_all(&[&greeting[..], b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER"].concat()).unwrap();
    stream.read_exact(&mut [0; 64]).unwrap();
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    stream.read_exact(&mut vec![0; header[1].into()]).unwrap();
    stream
}

#[test]
fn what_nobody_has_read_when_a_service_ends_has_its_answer() {
    for drain_s in [0, 10] {
        has_its_answer(drain_s);
    }
}

/// More peers than the scheduler looks after at once, and more requests than a socket reads beforehand.
const PEERS: usize = 150;
const REQUESTS: usize = 20;

fn has_its_answer(drain_s: i64) {
    let scene = Scene::new();
    let book = value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}, "settings": {"drain_s": drain_s}});
    let mut service = Service::of::<Holding>(Options { config: scene.config().into(), ..wired(book) });
    service.start_main().unwrap();
    let at = address(&service, "echo").to_string();
    let mut peers: Vec<_> = (0..PEERS).map(|_| meet(&at)).collect();
    scene.open("met");
    scene.wait_for("holds");
    let asked = request(&value!({"a": 1}));
    let message = [&[1, 0, 0, u8::try_from(asked.len()).unwrap()], &asked[..]].concat();
    for peer in &mut peers {
        peer.write_all(&message.repeat(REQUESTS)).unwrap();
    }
    scene.open("asked");
    service.wait().unwrap();
    for peer in &mut peers {
        let mut said = Vec::new();
        peer.read_to_end(&mut said).unwrap();
        let mut said = &said[..];
        let frames = std::iter::from_fn(|| next_frame(&mut said));
        let replies: Vec<_> = frames.filter(|(flags, _)| flags & 1 == 0).collect();
        assert_eq!(replies.len(), REQUESTS, "drain_s {drain_s}");
        for (_, reply) in replies {
            if let Err((code, message)) = Answer::read(&reply).outcome {
                assert_eq!(code, "stopping", "{message}");
            }
        }
    }
}
