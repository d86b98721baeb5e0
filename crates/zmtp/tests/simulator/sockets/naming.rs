//! What is said to a name reaches who has it, of those who want the same name the first has it, and a name that was made up is never another's.

use std::collections::{HashMap, HashSet};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use service_framework_zmtp::socket::{Ended, Event, Socket};
use service_framework_zmtp::{Error, Message, SocketType};

use super::{Network, number, socket, taken, text};

/// The names of the clients, the third of which wants that of the first.
const NAMES: [&str; 4] = ["first", "second", "first", ""];

struct World {
    clients: Vec<Socket>,
    server: Socket,
    heeds_names: bool,
    said: u64,
    came: HashSet<u64>,
    /// Who has spoken under which name.
    speakers: HashMap<Bytes, u64>,
    /// Names of those who are there.
    there: HashSet<Bytes>,
}

pub(super) async fn run(network: &mut Network) {
    let heeds_names = !network.dice.once_in(3);
    let clients = NAMES.map(|name| {
        socket(SocketType::Dealer, |options| {
            options.connection.identity = Bytes::from_static(name.as_bytes())
        })
    });
    let server = socket(SocketType::Router, |options| options.heeds_identities = heeds_names);
    let (clients, came, there) = (clients.into(), HashSet::new(), HashSet::new());
    let mut world = World { clients, server, heeds_names, said: 0, came, speakers: HashMap::new(), there };
    for _ in 0..network.dice.below(120) {
        match network.dice.below(8) {
            0 if network.links.len() < 6 => {
                let client = network.dice.below(NAMES.len());
                network.open(&world.clients[client], &world.server);
            }
            1 | 2 => world.say(network),
            3 => world.answer(network),
            _ => network.go_on().await,
        }
        world.hear(network);
    }
    network.lose_all();
    network.calm().await;
    world.hear(network);
    assert!(world.there.is_empty() && world.server.peers() == 0, "all are gone");
    network.seen.named += world.speakers.len() as u64;

    // Each name is free again.
    for (who, name) in NAMES.iter().enumerate().take(2) {
        network.open(&world.clients[who], &world.server);
        network.calm().await;
        world.hear(network);
        assert!(!world.heeds_names || world.there.contains(name.as_bytes()), "{name}");
    }
    assert_eq!(world.there.len(), 2);
}

impl World {
    /// A client says who it is, by whichever connection.
    fn say(&mut self, network: &mut Network) {
        let who = network.dice.below(NAMES.len());
        self.said += 1;
        // There may be none.
        _ = self.clients[who].send(Message::from([text(who as u64), text(self.said)]));
    }

    /// The server says to somebody whom it takes for whom.
    fn answer(&mut self, network: &mut Network) {
        let mut speakers: Vec<_> = self.speakers.iter().collect();
        speakers.sort();
        if !speakers.is_empty() {
            let (name, who) = network.dice.pick(&speakers);
            _ = self.server.send(Message::from([name.clone(), text(*who), name.clone()]));
        }
    }

    /// Sees to all that has come and happened.
    fn hear(&mut self, network: &mut Network) {
        while let Some(message) = taken(&self.server) {
            let [name, who, said] = &message[..] else { panic!("{message:?}") };
            assert!(self.came.insert(number(said)), "nothing comes twice");
            let (name, who) = (name.clone(), number(who));
            match NAMES[who as usize] {
                wanted if self.heeds_names && !wanted.is_empty() => assert_eq!(name, wanted),
                _ => assert_eq!(name[0], 0, "a name that nobody asked for"),
            }
            let before = self.speakers.insert(name.clone(), who);
            assert!(name[0] != 0 || before.is_none_or(|before| before == who), "a name becomes another's");
        }
        while let Poll::Ready(event) = self.server.poll_event(&mut Context::from_waker(Waker::noop())) {
            match event {
                Event::Connected { identity, .. } => {
                    assert!(self.there.insert(identity.clone()), "two of the name {identity:?}");
                }
                Event::Disconnected { identity, .. } => {
                    assert!(self.there.remove(&identity), "{identity:?} goes who was not there");
                }
                Event::HandshakeFailed { why: Ended::Protocol(Error::IdentityInUse) } => {
                    assert!(self.heeds_names, "names are of no matter");
                    network.seen.names_in_use += 1;
                }
                Event::HandshakeFailed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        for (who, client) in self.clients.iter().enumerate() {
            while let Some(message) = taken(client) {
                let [to, name] = &message[..] else { panic!("{message:?}") };
                match self.heeds_names && !NAMES[who].is_empty() {
                    true => assert_eq!(name, NAMES[who], "it was said to another name"),
                    false => assert_eq!(number(to), who as u64, "it was said to another"),
                }
            }
        }
    }
}
