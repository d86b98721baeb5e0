//! Messages that are given to a receiver where they are read.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use service_framework_zmtp::socket::{Ended, Receiver, Socket};
use service_framework_zmtp::{Message, SocketType};
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::support::{CARRIERS, Carrier, bound, connected, ended, pair, run, send, text};

/// Answers what it takes by the socket that it came by.
pub(crate) struct Echo {
    pub(crate) socket: Rc<Socket>,
    pub(crate) taken: Cell<usize>,
}

impl Receiver for Echo {
    fn receive(&self, message: Message) {
        self.taken.set(self.taken.get() + 1);
        send(&self.socket, message);
    }
}

/// Keeps what it takes.
#[derive(Default)]
struct Keep {
    taken: RefCell<Vec<Message>>,
    has_taken: Notify,
}

impl Receiver for Keep {
    fn receive(&self, message: Message) {
        self.taken.borrow_mut().push(message);
        self.has_taken.notify_one();
    }
}

impl Keep {
    async fn until_there_are(&self, count: usize) {
        while self.taken.borrow().len() < count {
            self.has_taken.notified().await;
        }
    }
}

pub(crate) fn deliver(socket: &Socket, receiver: &Rc<impl Receiver + 'static>) {
    let receiver: Rc<dyn Receiver> = Rc::clone(receiver) as _;
    socket.deliver_to(Rc::downgrade(&receiver));
}

#[test]
fn what_it_answers_leaves_by_itself() {
    for carrier in CARRIERS {
        run(async move {
            let (router, dealer) = pair(SocketType::Router, SocketType::Dealer, carrier).await;
            let echo = Rc::new(Echo { socket: Rc::new(router), taken: Cell::new(0) });
            deliver(&echo.socket, &echo);
            // More than one turn takes, so that it must go on by itself.
            for number in 0..1_000 {
                send(&dealer, text(&number.to_string()));
            }
            for number in 0..1_000 {
                assert_eq!(dealer.recv().await, text(&number.to_string()));
            }
            assert_eq!(echo.taken.get(), 1_000);
        });
    }
}

#[test]
fn what_waits_already_comes_first_and_by_the_inbox() {
    run(async {
        let (pull, push) = pair(SocketType::Pull, SocketType::Push, Carrier::Tcp).await;
        send(&push, text("first"));
        send(&push, text("second"));
        assert_eq!(pull.recv().await, text("first"), "both are there now: they came by one write");
        let keep = Rc::new(Keep::default());
        deliver(&pull, &keep);
        send(&push, text("third"));
        while pull.counts().received < 3 {
            yield_now().await;
        }
        assert_eq!(pull.recv().await, text("second"));
        assert_eq!(pull.recv().await, text("third"), "it came while the second waited");
        send(&push, text("fourth"));
        keep.until_there_are(1).await;
        assert_eq!(*keep.taken.borrow(), [text("fourth")]);
    });
}

#[test]
fn a_receiver_that_is_gone_leaves_messages_to_who_asks() {
    run(async {
        let (pull, push) = pair(SocketType::Pull, SocketType::Push, Carrier::Tcp).await;
        let keep = Rc::new(Keep::default());
        deliver(&pull, &keep);
        send(&push, text("first"));
        keep.until_there_are(1).await;
        drop(keep);
        send(&push, text("second"));
        assert_eq!(pull.recv().await, text("second"));
    });
}

#[test]
fn one_who_sends_without_end_leaves_turns_to_others() {
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let keep = Rc::new(Keep::default());
        deliver(&pull, &keep);
        let (loud, quiet) = (
            connected(SocketType::Push, &place, |_| ()).await,
            connected(SocketType::Push, &place, |_| ()).await,
        );
        // They fill the queue at once, and lie in the system's buffers when the quiet one speaks.
        for _ in 0..9_000 {
            send(&loud, text("loud"));
        }
        send(&quiet, text("quiet"));
        keep.until_there_are(9_001).await;
        let place = keep.taken.borrow().iter().position(|message| *message == text("quiet"));
        assert!(place.is_some_and(|place| place < 8_000), "it came last: {place:?}");
    });
}

/// Panics at the first message.
struct Panics;

impl Receiver for Panics {
    fn receive(&self, message: Message) {
        panic!("{message:?} was too much");
    }
}

#[test]
fn a_receiver_that_panics_costs_the_peer_it_panicked_at_and_no_other() {
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let panics = Rc::new(Panics);
        deliver(&pull, &panics);
        let (unlucky, other) = (
            connected(SocketType::Push, &place, |_| ()).await,
            connected(SocketType::Push, &place, |_| ()).await,
        );
        send(&unlucky, text("first"));
        assert!(matches!(ended(&pull).await, Ended::ByUs));
        assert_eq!((pull.peers(), pull.peer_counts().len()), (1, 1));
        assert!(matches!(ended(&unlucky).await, Ended::ByPeer | Ended::System(_)));
        drop(panics);
        send(&other, text("second"));
        assert_eq!(pull.recv().await, text("second"));
    });
}

#[test]
fn a_rep_answers_where_it_was_asked() {
    run(async {
        let (rep, req) = pair(SocketType::Rep, SocketType::Req, Carrier::Tcp).await;
        let echo = Rc::new(Echo { socket: Rc::new(rep), taken: Cell::new(0) });
        deliver(&echo.socket, &echo);
        for number in 0..3 {
            send(&req, text(&number.to_string()));
            assert_eq!(req.recv().await, text(&number.to_string()));
        }
    });
}
