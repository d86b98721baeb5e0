//! A PUB that waits when a subscriber is far behind, so that nothing is lost, and a SUB.

use std::{
    cell::RefCell,
    future::poll_fn,
    rc::{Rc, Weak},
};

use anyhow::Context as _;
use bytes::Bytes;
use service_framework_zmtp::{
    Message, SocketType,
    socket::{Listener, Options, Queue, Receiver, Refused, Socket, Stream, WhenFull},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{
    meter::Meter,
    options::Target,
    peers::{
        body::{Body as _, Raw, SIZE},
        on_tokio::{connect, listen},
        print_line,
    },
    sample::Sample,
};

/// How many messages may wait for one subscriber: some milliseconds of the fastest.
const QUEUE: usize = 1 << 16;

/// How many are published before the connections have their turn: about 64 KiB, as of raw TCP.
const BATCH: usize = 1024;

/// How many messages are received between two looks at the clock, which would cost more than some.
const LOOK: u64 = 16;

pub(super) async fn publish() -> anyhow::Result<()> {
    let mut options = Options::new(SocketType::Pub);
    options.queue = Queue { messages: QUEUE, bytes: 2 * QUEUE * SIZE };
    options.when_full = WhenFull::Wait;
    let socket = Socket::new(options);
    socket.listen(Listener::Tcp(listen().await?));
    poll_fn(|context| socket.poll_subscribers(1, context)).await;
    let (mut body, mut number) = (Vec::new(), 0);
    loop {
        for _ in 0..BATCH {
            number += 1;
            Raw::make(number, SIZE, &mut body)?;
            let mut message = Message::from([Bytes::copy_from_slice(&body)]);
            while let Err(unsent) = socket.send(message) {
                anyhow::ensure!(unsent.why == Refused::Full, unsent.why);
                socket.room().await;
                message = unsent.message;
            }
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn subscribe(target: &Target) -> anyhow::Result<()> {
    let (done, mut told) = unbounded_channel();
    let state = State { meter: Meter::new(target.window()), unseen: 0, done };
    let counter = Rc::new(Counter(RefCell::new(state)));
    let socket = Socket::new(Options::new(SocketType::Sub));
    let receiver: Weak<Counter> = Rc::downgrade(&counter);
    socket.deliver_to(receiver);
    socket.subscribe("");
    socket.connect(Stream::Tcp(connect(&target.endpoint).await?)).await?;
    let sample: Sample = told.recv().await.context("the subscriber is gone")??;
    print_line(&sample.line()?)
}

/// Counts what comes.
struct Counter(RefCell<State>);

struct State {
    meter: Meter,
    unseen: u64,
    done: UnboundedSender<anyhow::Result<Sample>>,
}

impl Receiver for Counter {
    fn receive(&self, publication: Message) {
        let mut state = self.0.borrow_mut();
        state.unseen += 1;
        let State { meter, unseen, done } = &mut *state;
        let ended =
            match publication.last().context("a publication has no frames").and_then(|it| Raw::number(it)) {
                Ok(_) if *unseen < LOOK => None,
                Ok(number) => meter.add_numbered(std::mem::take(unseen), number).map(Ok),
                Err(fault) => Some(Err(fault)),
            };
        if let Some(ended) = ended {
            // Nobody listens any more once one was told.
            let _ = done.send(ended);
        }
    }
}
