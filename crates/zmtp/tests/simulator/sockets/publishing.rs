//! Whatever was asked for and cancelled by which connection, the last is told of all that is wanted now, and what comes is new each time.

use service_framework_zmtp::socket::Socket;
use service_framework_zmtp::{Message, SocketType};

use super::{Network, number, socket, taken, text};

const TOPICS: [&str; 5] = ["", "a", "ab", "abc", "b"];

struct World {
    publisher: Socket,
    subscriber: Socket,
    /// Whether the subscriber passes over what it has cancelled and is still sent.
    filters: bool,
    /// How often each topic is asked for.
    wanted: [usize; TOPICS.len()],
    published: u64,
    heard: u64,
}

pub(super) async fn run(network: &mut Network) {
    let publisher = socket(network.dice.pick(&[SocketType::Pub, SocketType::XPub]), |_| ());
    let filters = network.dice.once_in(2);
    let subscriber = socket(if filters { SocketType::Sub } else { SocketType::XSub }, |_| ());
    let mut world =
        World { publisher, subscriber, filters, wanted: [0; TOPICS.len()], published: 0, heard: 0 };
    for _ in 0..network.dice.below(120) {
        match network.dice.below(8) {
            // Two at once would bring all twice.
            0 => {
                network.lose_all();
                network.settle().await;
                network.open(&world.subscriber, &world.publisher);
            }
            1 => world.subscribe(network),
            2 => world.unsubscribe(network),
            3 => world.publish(network),
            _ => network.go_on().await,
        }
        world.hear(network);
    }
    world.end(network).await;
}

impl World {
    fn subscribe(&mut self, network: &mut Network) {
        let topic = network.dice.below(TOPICS.len());
        self.subscriber.subscribe(TOPICS[topic]);
        self.wanted[topic] += 1;
    }

    /// Cancels something, which may not have been asked for.
    fn unsubscribe(&mut self, network: &mut Network) {
        let topic = network.dice.below(TOPICS.len());
        self.subscriber.unsubscribe(TOPICS[topic]);
        self.wanted[topic] = self.wanted[topic].saturating_sub(1);
    }

    fn publish(&mut self, network: &mut Network) {
        self.published += 1;
        let topic = network.dice.pick(&TOPICS);
        self.publisher
            .send([topic.into(), text(self.published)].into())
            .expect("publications go to whoever is there");
    }

    fn is_wanted(&self, topic: &[u8]) -> bool {
        let mut wanted = TOPICS.iter().zip(self.wanted).filter(|(_, times)| *times > 0);
        wanted.any(|(prefix, _)| topic.starts_with(prefix.as_bytes()))
    }

    /// Takes what has come.
    fn hear(&mut self, network: &mut Network) -> Vec<Message> {
        // An XPUB is told of subscriptions.
        while taken(&self.publisher).is_some() {}
        let mut heard = Vec::new();
        while let Some(message) = taken(&self.subscriber) {
            let number = number(&message[1]);
            assert!(number > self.heard, "{number} comes behind {}", self.heard);
            assert!(!self.filters || self.is_wanted(&message[0]), "{number} is not wanted any more");
            self.heard = number;
            network.seen.publications += 1;
            heard.push(message);
        }
        heard
    }

    /// All is lost, but the publisher does not know; by a new connection comes what is wanted and nothing else.
    async fn end(mut self, network: &mut Network) {
        network.lose_all();
        network.settle().await;
        network.open(&self.subscriber, &self.publisher);
        network.calm().await;
        self.hear(network);
        assert_eq!((self.subscriber.peers(), self.publisher.peers()), (1, 1));
        let before = self.publisher.counts().sent;
        let mut wanted = Vec::new();
        for topic in TOPICS {
            self.published += 1;
            let message: Message = [topic.into(), text(self.published)].into();
            if self.is_wanted(topic.as_bytes()) {
                wanted.push(message.clone());
            }
            self.publisher.send(message).expect("publications go to whoever is there");
        }
        // None of it was sent for what is not wanted any more.
        assert_eq!(self.publisher.counts().sent - before, wanted.len() as u64);
        network.calm().await;
        assert_eq!(self.hear(network), wanted);
        network.seen.restored += self.wanted.iter().filter(|times| **times > 0).count() as u64;
    }
}
