//! A requester that vanishes in the middle of its calls and comes back by the same name: it gets nothing that was meant for who it was before.

use std::cell::Cell;
use std::rc::Rc;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Socket, Stream};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::held::{Held, returns_to};
use crate::remote::{self, Remote};
use crate::support::{Answer, Client, request, run};

#[derive(Model, Clone, Copy, Debug, PartialEq)]
struct Life {
    life: u64,
}

/// Holds the calls of each life until the next one has come.
struct Desk {
    seen: watch::Sender<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The last life that has called.
    life: u64,
    /// Calls of all lives that are not held any more.
    released: u64,
}

#[service]
impl Desk {
    fn new() -> Result<Self> {
        Ok(Self { seen: watch::Sender::default() })
    }

    #[replyer]
    async fn call(&self, args: Call) -> Result<Life> {
        let life = args.life;
        if args.is_held {
            self.seen.send_modify(|seen| seen.life = seen.life.max(life));
            drop(self.seen.subscribe().wait_for(|seen| seen.life > life).await?);
            self.seen.send_modify(|seen| seen.released += 1);
        } else {
            drop(self.seen.subscribe().wait_for(|seen| seen.released >= HELD * (life - 1)).await?);
        }
        Ok(Life { life })
    }

    #[replyer]
    fn echo(&self, args: Life) -> Result<Life> {
        Ok(args)
    }

    #[replyer]
    fn held(&self) -> Result<Held> {
        Ok(Held::now())
    }
}

service_framework::link!(Desk);

#[derive(Model)]
struct Call {
    life: u64,
    /// Whether it is answered when the next life has called; else when all calls of those before were.
    is_held: bool,
}

/// How many calls of each life are held.
const HELD: u64 = 3;

/// Lives once: calls, vanishes with most calls unanswered, and says how it was answered before.
async fn live(at: &Address, life: u64) {
    let mut options = Options::new(SocketType::Dealer);
    options.connection.identity = "the same".into();
    let socket = Socket::new(options);
    let stream = TcpStream::connect(at.to_string().trim_start_matches("tcp://")).await.unwrap();
    socket.connect(Stream::Tcp(stream)).await.expect("it is let in, however soon it comes back");
    // Each life numbers its calls alike, so that it would take the answer to another's for its own.
    let call = |number: u64, is_held: bool| {
        let payload = request(&value!({"life": life, "is_held": is_held}));
        let frames = [number.to_be_bytes().to_vec(), Vec::new(), payload];
        socket.send(frames.into()).unwrap();
    };
    (1..=HELD).for_each(|number| call(number, true));
    call(HELD + 1, false);
    let reply = socket.recv().await;
    assert_eq!(*reply[0], (HELD + 1).to_be_bytes(), "life {life} was told {:?}", Answer::read(&reply[2]));
    assert_eq!(Answer::read(&reply[2]).model::<Life>(), Life { life });
}

/// Those who ask beside it, and mean well.
struct Others {
    are_done: Rc<Cell<bool>>,
    asking: Vec<tokio::task::JoinHandle<u64>>,
}

impl Others {
    fn ask(at: &Address) -> Self {
        let are_done = Rc::<Cell<bool>>::default();
        let asking = (0..4).map(|_| {
            let (client, are_done) = (Client::to(at), Rc::clone(&are_done));
            tokio::task::spawn_local(async move {
                let mut life = 0;
                while !are_done.get() {
                    life += 1;
                    assert_eq!(client.ask(value!({"life": life})).await.model::<Life>(), Life { life });
                }
                client.close().await;
                life
            })
        });
        Self { asking: asking.collect(), are_done }
    }

    async fn end(self) {
        self.are_done.set(true);
        for asking in self.asking {
            assert!(asking.await.unwrap() > 0, "it was answered");
        }
    }
}

#[test]
fn a_requester_that_comes_back_by_its_name_a_thousand_times_hears_nothing_of_its_former_lives() {
    const THIS: &str = "same_name::a_requester_that_comes_back_by_its_name_a_thousand_times_hears_nothing_of_its_former_lives";
    const WARM: u64 = 50;
    const LIVES: u64 = 1_000;
    let any = || value!({"replyer": "127.0.0.1:0"});
    remote::be::<Desk>(|_| value!({"in": {"call": (any()), "echo": (any()), "held": (any())}}));
    run(async {
        let remote = Remote::start(THIS);
        let at = remote.address("call");
        let client = Client::to(&remote.address("held"));
        let held = async || client.ask(value!({})).await.model::<Held>();
        let mut before = None;
        for lives in [1..=WARM, WARM + 1..=WARM + LIVES] {
            let others = Others::ask(&remote.address("echo"));
            for life in lives {
                live(&at, life).await;
            }
            others.end().await;
            // What is made once is made by now, and the calls of one life are held.
            match before {
                None => before = Some(held().await),
                Some(before) => returns_to(before, 64 << 10, held).await,
            }
        }
        let counters = remote.counters("call");
        let lives = WARM + LIVES;
        assert_eq!(counters["messages_in"], lives * (HELD + 1));
        // The answers to most of what was held have nobody to go to; a few go to who has gone, and is not known to have.
        let [sent, gone] = [&counters["messages_out"], &counters["refused"]["peer_gone"]];
        assert_eq!(sent.as_u64().unwrap() + gone.as_u64().unwrap(), lives * (HELD + 1) - HELD);
    });
}
