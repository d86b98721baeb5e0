//! Long messages are read beside the service's thread, which goes on, and nothing overtakes them.

use std::sync::mpsc;
use std::time::Instant;

use bytes::Bytes;
use service_framework_core::value;
use service_framework_core::wire::Limits;
use service_framework_states::SnapshotReply;
use service_framework_states::delta::reader::{Settings, Status};
use tokio::sync::oneshot;

use crate::support::{
    Copied, Home, LINGER, Owned, any_port, entries, on_runtime, protocol, replyer, requester,
};

/// How many messages wait in a socket at most.
const INBOX_MESSAGES: usize = 1_000;

/// Holds the one thread for long work from its turn until it is dropped.
struct Held {
    begun: oneshot::Receiver<()>,
    _until: mpsc::Sender<()>,
}

impl Held {
    fn new() -> Self {
        let ((begin, begun), (_until, dropped)) = (oneshot::channel(), mpsc::channel::<()>());
        tokio::task::spawn_blocking(move || {
            _ = begin.send(());
            dropped.recv()
        });
        Self { begun, _until }
    }

    async fn begins(&mut self) {
        (&mut self.begun).await.unwrap();
    }
}

/// As a service, with one thread for long work.
fn run(test: impl Future<Output = ()>) {
    on_runtime(tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1), test);
}

/// What the service's thread does beside the copy: a request is answered, and it all takes place on this thread.
async fn the_service_answers() {
    let replyer = replyer(&any_port()).await;
    let requester = requester(replyer.address());
    let answer = async {
        let request = replyer.recv().await;
        replyer.reply(request.reply_to, request.payload);
    };
    let (reply, ()) = tokio::join!(requester.call(Bytes::from_static(b"here?"), None), answer);
    assert_eq!(reply.unwrap(), &b"here?"[..]);
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_service_goes_on_while_a_long_update_is_read_and_nothing_overtakes_that() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let (before, number) = (copied.figures(), owned.number());
        let received = copied.state.subscriber().counters();
        let before_messages = received.messages_in();
        let held = Held::new();
        owned.change(entries(100, 1_000));
        until(|| received.messages_in() > before_messages).await;
        owned.change(value!({"a": 2}));
        owned.set(entries(200, 1_000));
        owned.change(value!({"b": 3}));
        the_service_answers().await;
        assert_eq!((copied.seen.number(), copied.seen.status()), (Some(number), Status::Live));
        drop(held);
        copied.catches_up_with(&owned).await;
        let after = copied.figures().counts;
        assert_eq!(after.applied - before.counts.applied, 3);
        assert_eq!((after.gaps, after.asks, after.held), (0, before.counts.asks, before.counts.held));
    });
}

#[test]
fn a_service_goes_on_while_parts_are_read_and_put_together() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(entries(250, 1_000));
        // It passes on what the copy asks and what the owner answers.
        let between = replyer(&any_port()).await;
        let truth = requester(&owned.home.snapshots);
        let home = Home { updates: owned.home.updates.clone(), snapshots: between.address().clone() };
        let copied = Copied::with(&home, Settings { max_reply_bytes: 128 << 10, ..protocol() });
        let nothing = || (copied.seen.number(), copied.seen.status()) == (None, Status::Syncing);
        for replies in 1..=2 {
            let request = between.recv().await;
            let reply = truth.call(request.payload, None).await.unwrap();
            assert!(SnapshotReply::read(&reply, &Limits::default()).unwrap().part.unwrap().count == 2);
            let first = Held::new();
            between.reply(request.reply_to, reply);
            let received = copied.state.requester().counters();
            until(|| received.messages_in() == replies).await;
            the_service_answers().await;
            assert!(nothing());
            // The reading stands before this one, the joining behind it.
            let mut second = Held::new();
            drop(first);
            second.begins().await;
            the_service_answers().await;
            assert!(nothing());
        }
        // If the first request was sent before the link was up, there is another.
        let pass_on = async {
            loop {
                let request = between.recv().await;
                between.reply(request.reply_to, truth.call(request.payload, None).await.unwrap());
            }
        };
        tokio::select! {
            () = pass_on => {}
            () = copied.catches_up_with(&owned) => {}
        }
    });
}

/// What waits behind a long update is bounded: its publisher is not read any further.
#[test]
fn what_comes_behind_a_long_update_waits_in_the_socket() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let held = Held::new();
        owned.change(entries(100, 1_000));
        for number in 0..5_000 {
            owned.change(value!({"a": number}));
        }
        let counters = copied.state.subscriber().counters();
        let waiting = || counters.told(counters.ask(), Instant::now()).traffic.inbox_messages;
        until(|| waiting() == INBOX_MESSAGES).await;
        the_service_answers().await;
        assert_eq!(waiting(), INBOX_MESSAGES);
        drop(held);
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().counts.asks, 1, "none was lost");
    });
}

#[test]
fn a_copy_ends_while_a_long_update_is_read() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let received = copied.state.subscriber().counters();
        let before = received.messages_in();
        let _held = Held::new();
        owned.change(entries(100, 1_000));
        until(|| received.messages_in() > before).await;
        copied.state.close(LINGER).await;
    });
}
