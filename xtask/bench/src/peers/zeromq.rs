//! The crate `zeromq`, on a runtime with one thread, which is what it is fastest on.

use std::{cell::Cell, rc::Rc};

use anyhow::Context as _;
use bytes::Bytes;
use zeromq::{
    DealerSocket, PubSocket, RouterSocket, Socket as _, SocketRecv as _, SocketSend as _, SubSocket,
    ZmqMessage,
};

use super::{
    body::{Body as _, Raw, SIZE},
    on_tokio::{self, Clients},
    print_endpoint, print_line,
};
use crate::{
    meter::Meter,
    options::{Load, Role, Target},
};

/// How many publications are made before the connections have their turn: about 64 KiB, as of raw TCP.
const BATCH: usize = 1024;

/// How many messages are received between two looks at the clock, which would cost more than some.
const LOOK: u64 = 16;

/// Runs one process, on one thread.
pub(crate) fn run(role: &Role) -> anyhow::Result<()> {
    on_tokio::run(async {
        match role {
            Role::Reply { .. } => reply().await,
            Role::Request { target, load } => request(target, load).await,
            Role::Publish { .. } => publish().await,
            Role::Subscribe { target } => subscribe(target).await,
            Role::Own { .. } | Role::Follow { .. } => anyhow::bail!("it keeps no states"),
        }
    })
}

async fn reply() -> anyhow::Result<()> {
    let mut socket = RouterSocket::new();
    print_endpoint(&socket.bind("tcp://127.0.0.1:0").await?.to_string())?;
    loop {
        // Both fail when a client hangs up, in the middle of a call.
        if let Ok(request) = socket.recv().await {
            let _ = socket.send(request).await;
        }
    }
}

async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let mut socket = DealerSocket::new();
        socket.connect(&target.endpoint).await?;
        clients.spawn(ask(socket, *load, clients.replies()));
    }
    clients.measure(target.window()).await
}

/// Sends a request for each reply.
async fn ask(mut socket: DealerSocket, load: Load, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let (mut body, mut number) = (Vec::new(), 0);
    let mut next = || -> anyhow::Result<ZmqMessage> {
        number += 1;
        Raw::make(number, load.bytes, &mut body)?;
        let frames = vec![Bytes::new(), Bytes::copy_from_slice(&body)];
        ZmqMessage::try_from(frames).ok().context("a request has no frames")
    };
    for _ in 0..load.calls {
        socket.send(next()?).await?;
    }
    loop {
        let reply = socket.recv().await?;
        Raw::reply_number(reply.iter().next_back().context("a reply has no frames")?)?;
        replies.set(replies.get() + 1);
        socket.send(next()?).await?;
    }
}

async fn publish() -> anyhow::Result<()> {
    let mut socket = PubSocket::new();
    print_endpoint(&socket.bind("tcp://127.0.0.1:0").await?.to_string())?;
    let (mut body, mut number) = (Vec::new(), 0);
    loop {
        for _ in 0..BATCH {
            number += 1;
            Raw::make(number, SIZE, &mut body)?;
            socket.send(Bytes::copy_from_slice(&body).into()).await?;
        }
        tokio::task::yield_now().await;
    }
}

async fn subscribe(target: &Target) -> anyhow::Result<()> {
    let mut socket = SubSocket::new();
    socket.subscribe("").await?;
    socket.connect(&target.endpoint).await?;
    let mut meter = Meter::new(target.window());
    loop {
        let mut last_number = 0;
        for _ in 0..LOOK {
            let publication = socket.recv().await?;
            last_number = Raw::number(publication.get(0).context("a publication has no frames")?)?;
        }
        if let Some(sample) = meter.add_numbered(LOOK, last_number) {
            return print_line(&sample.line()?);
        }
    }
}
