//! Who asks is given the answer to what was asked last, or none, whatever is answered how late and by which connection.

use std::collections::HashMap;

use bytes::Bytes;
use service_framework_zmtp::socket::Socket;
use service_framework_zmtp::{Message, SocketType};

use super::{Network, number, socket, taken, text};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// A REP: each question once, before the next.
    AtOnce,
    /// A ROUTER, once and some time.
    Later,
    /// A ROUTER that calls nobody by their names, though the one who asks has one.
    Namelessly,
    /// A ROUTER that knows who asks by the name when it comes again, and may answer twice. Questions are numbered.
    Again,
    /// A ROUTER that may answer twice, and questions that are not numbered: an answer to an older question may be taken for that to the last one if both
    /// went by the same connection, and not otherwise.
    AgainUnnumbered,
}

const ANSWERS: [Answers; 5] =
    [Answers::AtOnce, Answers::Later, Answers::Namelessly, Answers::Again, Answers::AgainUnnumbered];

struct World {
    answers: Answers,
    client: Socket,
    server: Socket,
    /// The last question, unless it was answered.
    asked: Option<u64>,
    questions: u64,
    /// Questions that the server has taken, and what it calls those by whom they came.
    came: HashMap<u64, Bytes>,
    /// Questions, and older ones whose answers were taken for theirs.
    mistaken: Vec<(u64, u64)>,
    /// Those that are not answered, or may be answered again.
    open: Vec<Message>,
}

pub(super) async fn run(network: &mut Network) {
    let answers = network.dice.pick(&ANSWERS);
    let is_named = matches!(answers, Answers::Namelessly | Answers::Again);
    let client = socket(SocketType::Req, |options| {
        options.correlate = answers == Answers::Again;
        options.connection.identity = Bytes::from_static(if is_named { b"name" } else { b"" });
    });
    let is_rep = answers == Answers::AtOnce;
    let server = socket(if is_rep { SocketType::Rep } else { SocketType::Router }, |options| {
        options.heeds_identities = answers != Answers::Namelessly;
    });
    let (came, mistaken, open) = (HashMap::new(), Vec::new(), Vec::new());
    let mut world = World { answers, client, server, asked: None, questions: 0, came, mistaken, open };
    for _ in 0..network.dice.below(200) {
        match network.dice.below(12) {
            0 if network.links.len() < 4 => network.open(&world.client, &world.server),
            1 | 2 => world.ask(),
            3 | 4 => world.hear(network),
            5 | 6 => world.answer(network),
            _ => network.go_on().await,
        }
    }
    world.end(network).await;
}

impl World {
    /// Asks, if it is the time for that.
    fn ask(&mut self) {
        self.questions += 1;
        if self.client.send(Message::from([text(self.questions)])).is_ok() {
            self.asked = Some(self.questions);
        }
    }

    /// Takes an answer that has come, if there is one.
    fn hear(&mut self, network: &mut Network) {
        if let Some(answer) = taken(&self.client) {
            let (to, asked) = (number(&answer[0]), self.asked.take().expect("nothing was asked"));
            match self.answers {
                Answers::AgainUnnumbered if to != asked => self.mistaken.push((asked, to)),
                _ => assert_eq!(to, asked, "the answer to something else, {:?}", self.answers),
            }
            network.seen.answers += 1;
        }
    }

    /// Takes a question, and answers one.
    fn answer(&mut self, network: &mut Network) {
        if let Some(question) = taken(&self.server) {
            let asked = number(&question[question.len() - 1]);
            let is_new = self.came.insert(asked, question[0].clone()).is_none();
            assert!(is_new, "no question comes twice");
            match self.answers {
                // One that it takes later makes it forget this one.
                Answers::AtOnce => self.open = vec![question],
                _ => self.open.push(question),
            }
        }
        if !self.open.is_empty() && network.dice.once_in(2) {
            let which = network.dice.below(self.open.len());
            let may_be_kept = matches!(self.answers, Answers::Again | Answers::AgainUnnumbered);
            let is_kept = may_be_kept && network.dice.once_in(2);
            let answer = if is_kept { self.open[which].clone() } else { self.open.swap_remove(which) };
            network.seen.answers_to_nobody += u64::from(self.server.send(answer).is_err());
        }
    }

    /// All is lost and seen to; then a new connection serves as the first.
    async fn end(mut self, network: &mut Network) {
        network.lose_all();
        network.calm().await;
        assert_eq!((self.client.peers(), self.server.peers()), (0, 0));
        self.hear(network);
        network.open(&self.client, &self.server);
        network.calm().await;
        assert_eq!((self.client.peers(), self.server.peers()), (1, 1), "nothing is in the way of it");
        let before = self.questions;
        self.ask();
        assert_eq!(self.asked, Some(before + 1), "who was lost owes nothing any more");
        for _ in 0..1_000 {
            network.calm().await;
            self.answer(network);
            network.calm().await;
            self.hear(network);
            if self.asked.is_none() {
                for (asked, other) in &self.mistaken {
                    let by = self.came.get(asked);
                    assert!(by.is_none_or(|by| self.came.get(other) == Some(by)), "by another connection");
                }
                network.seen.late_answers += self.client.counts().dropped_misfit;
                return;
            }
        }
        panic!("nobody answers the last question, {:?}", self.answers);
    }
}
