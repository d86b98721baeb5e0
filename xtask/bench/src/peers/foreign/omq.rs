//! omq-tokio: ROUTER and DEALER, and a PUB that waits for its subscribers.

use std::{cell::Cell, rc::Rc};

use anyhow::Context as _;
use bytes::Bytes;
use omq_tokio::{Message, Options, Socket, SocketType};

use crate::{
    meter::Meter,
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw, SIZE},
        on_tokio::Clients,
        print_endpoint, print_line,
    },
};

/// How many publications are made before the connections have their turn: about 64 KiB, as of raw TCP.
const BATCH: usize = 1024;

/// How many messages are taken at once, and received between two looks at the clock.
const TAKEN: usize = 64;

async fn bind(socket: &Socket) -> anyhow::Result<()> {
    print_endpoint(&socket.bind("tcp://127.0.0.1:0").await?.to_string())
}

pub(super) async fn reply() -> anyhow::Result<()> {
    let socket = Socket::new(SocketType::Router, Options::default());
    bind(&socket).await?;
    let mut requests = Vec::with_capacity(TAKEN);
    loop {
        socket.recv_many_into(TAKEN, &mut requests).await?;
        for request in requests.drain(..) {
            // Fails when a client hangs up, in the middle of a call.
            let _ = socket.send(request).await;
        }
    }
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let socket = Socket::new(SocketType::Dealer, Options::default());
        socket.connect(target.endpoint.as_str()).await?;
        clients.spawn(ask(socket, *load, clients.replies()));
    }
    clients.measure(target.window()).await
}

/// Sends a request for each reply.
async fn ask(socket: Socket, load: Load, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let (mut body, mut number) = (Vec::new(), 0);
    let mut next = || -> anyhow::Result<Message> {
        number += 1;
        Raw::make(number, load.bytes, &mut body)?;
        Ok(Message::multipart([Bytes::new(), Bytes::copy_from_slice(&body)]))
    };
    for _ in 0..load.calls {
        socket.send(next()?).await?;
    }
    let mut received = Vec::with_capacity(TAKEN);
    loop {
        socket.recv_many_into(TAKEN, &mut received).await?;
        for reply in received.drain(..) {
            Raw::reply_number(reply.part_slice(reply.len() - 1).context("a reply has no frames")?)?;
            replies.set(replies.get() + 1);
            socket.send(next()?).await?;
        }
    }
}

pub(super) async fn publish() -> anyhow::Result<()> {
    let options = Options { xpub_nodrop: true, ..Options::default() };
    let socket = Socket::new(SocketType::Pub, options);
    bind(&socket).await?;
    let (mut body, mut number) = (Vec::new(), 0);
    loop {
        for _ in 0..BATCH {
            number += 1;
            Raw::make(number, SIZE, &mut body)?;
            socket.send(Message::single(Bytes::copy_from_slice(&body))).await?;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn subscribe(target: &Target) -> anyhow::Result<()> {
    let socket = Socket::new(SocketType::Sub, Options::default());
    socket.connect(target.endpoint.as_str()).await?;
    socket.subscribe(Bytes::new()).await?;
    let mut meter = Meter::new(target.window());
    let mut received = Vec::with_capacity(TAKEN);
    loop {
        socket.recv_many_into(TAKEN, &mut received).await?;
        let (count, mut last_number) = (received.len() as u64, 0);
        for publication in received.drain(..) {
            last_number = Raw::number(publication.part_slice(0).context("a publication has no frames")?)?;
        }
        if let Some(sample) = meter.add_numbered(count, last_number) {
            return print_line(&sample.line()?);
        }
    }
}
