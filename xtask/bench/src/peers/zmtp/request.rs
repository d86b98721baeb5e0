//! A ROUTER that answers, and DEALERs that ask again, where the messages are read.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use anyhow::Context as _;
use bytes::Bytes;
use service_framework_zmtp::{
    Message, SocketType,
    socket::{Listener, Options, Receiver, Socket, Stream},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{
    meter,
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw},
        on_tokio::{connect, listen},
        print_line,
    },
};

pub(super) async fn reply() -> anyhow::Result<()> {
    let echo = Rc::new(Echo(Socket::new(Options::new(SocketType::Router))));
    let receiver: Weak<Echo> = Rc::downgrade(&echo);
    echo.0.deliver_to(receiver);
    echo.0.listen(Listener::Tcp(listen().await?));
    std::future::pending().await
}

/// Returns what comes, to where it came from.
struct Echo(Socket);

impl Receiver for Echo {
    fn receive(&self, request: Message) {
        // Refused if the client has gone: it is done, and hangs up in the middle of a call.
        let _ = self.0.send(request);
    }
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let replies = Rc::new(Cell::new(0));
    let (faults, mut first_fault) = unbounded_channel();
    let mut clients = Vec::new();
    for _ in 0..load.connections {
        let client = Rc::new(Client {
            socket: Socket::new(Options::new(SocketType::Dealer)),
            bytes: load.bytes,
            number: Cell::new(0),
            body: RefCell::default(),
            replies: Rc::clone(&replies),
            faults: faults.clone(),
        });
        let receiver: Weak<Client> = Rc::downgrade(&client);
        client.socket.deliver_to(receiver);
        client.socket.connect(Stream::Tcp(connect(&target.endpoint).await?)).await?;
        clients.push(client);
    }
    for client in &clients {
        for _ in 0..load.calls {
            client.ask()?;
        }
    }
    tokio::select! {
        sample = meter::watch(&replies, target.window()) => print_line(&sample.line()?),
        Some(fault) = first_fault.recv() => Err(fault),
    }
}

/// Asks again for each reply.
struct Client {
    socket: Socket,
    bytes: usize,
    number: Cell<u64>,
    body: RefCell<Vec<u8>>,
    replies: Rc<Cell<u64>>,
    faults: UnboundedSender<anyhow::Error>,
}

impl Client {
    fn ask(&self) -> anyhow::Result<()> {
        let number = self.number.get() + 1;
        self.number.set(number);
        let mut body = self.body.borrow_mut();
        Raw::make(number, self.bytes, &mut body)?;
        let request = Message::from([Bytes::new(), Bytes::copy_from_slice(&body)]);
        Ok(self.socket.send(request).map_err(|unsent| unsent.why)?)
    }

    fn take(&self, reply: &Message) -> anyhow::Result<()> {
        Raw::reply_number(reply.last().context("a reply has no frames")?)?;
        self.replies.set(self.replies.get() + 1);
        self.ask()
    }
}

impl Receiver for Client {
    fn receive(&self, reply: Message) {
        if let Err(fault) = self.take(&reply) {
            // Nobody listens any more once the time is over.
            let _ = self.faults.send(fault);
        }
    }
}
