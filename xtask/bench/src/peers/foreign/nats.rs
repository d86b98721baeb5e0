//! NATS by its own client, through a server on this machine.

use std::{cell::Cell, rc::Rc};

use anyhow::Context as _;
use async_nats::{Client, ConnectOptions};
use bytes::Bytes;
use futures::StreamExt as _;

use crate::{
    meter::Meter,
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw, SIZE},
        on_tokio::Clients,
        print_endpoint, print_line,
    },
};

/// What requests go to.
const ECHO: &str = "echo";

/// What publications are about.
const NUMBERS: &str = "numbers";

/// How many publications are made before the connection has its turn.
const BATCH: usize = 64;

/// How many messages are received between two looks at the clock, which would cost more than some.
const LOOK: u64 = 16;

async fn connect(server: &str) -> anyhow::Result<Client> {
    ConnectOptions::new()
        .skip_subject_validation(true)
        .connect(server)
        .await
        .with_context(|| format!("cannot connect to {server}"))
}

pub(super) async fn reply(server: &str) -> anyhow::Result<()> {
    let client = connect(server).await?;
    let mut requests = client.subscribe(ECHO).await?;
    client.flush().await?;
    print_endpoint(server)?;
    while let Some(request) = requests.next().await {
        let to = request.reply.context("a request does not say where its reply goes")?;
        client.publish(to, request.payload).await?;
    }
    anyhow::bail!("the server hung up")
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let client = connect(&target.endpoint).await?;
        for _ in 0..load.calls {
            clients.spawn(ask(client.clone(), load.bytes, clients.replies()));
        }
    }
    clients.measure(target.window()).await
}

async fn ask(client: Client, bytes: usize, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let mut body = Vec::new();
    for number in 1.. {
        Raw::make(number, bytes, &mut body)?;
        let reply = client.request(ECHO, Bytes::copy_from_slice(&body)).await?;
        Raw::reply_number(&reply.payload)?;
        replies.set(replies.get() + 1);
    }
    Ok(())
}

pub(super) async fn publish(server: &str) -> anyhow::Result<()> {
    let client = connect(server).await?;
    print_endpoint(server)?;
    let (mut body, mut number) = (Vec::new(), 0);
    loop {
        for _ in 0..BATCH {
            number += 1;
            Raw::make(number, SIZE, &mut body)?;
            client.publish(NUMBERS, Bytes::copy_from_slice(&body)).await?;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn subscribe(target: &Target) -> anyhow::Result<()> {
    let client = connect(&target.endpoint).await?;
    let mut publications = client.subscribe(NUMBERS).await?;
    let mut meter = Meter::new(target.window());
    loop {
        let mut last_number = 0;
        for _ in 0..LOOK {
            let publication = publications.next().await.context("the server hung up")?;
            last_number = Raw::number(&publication.payload)?;
        }
        if let Some(sample) = meter.add_numbered(LOOK, last_number) {
            return print_line(&sample.line()?);
        }
    }
}
