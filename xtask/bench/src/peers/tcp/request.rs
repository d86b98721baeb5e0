//! An echo, and clients that keep so many calls in flight.

use std::{cell::Cell, rc::Rc};

use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::spawn_local};

use super::{BUFFER, Received, put_frame};
use crate::{
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw},
        on_tokio::{Clients, connect, listen},
    },
};

pub(super) async fn reply() -> anyhow::Result<()> {
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that is done hangs up, in the middle of a call.
        spawn_local(async { echo(stream).await.ok() });
    }
}

/// Answers all that arrived together with one write.
async fn echo(mut stream: TcpStream) -> anyhow::Result<()> {
    let (mut received, mut replies) = (Received::new(), Vec::with_capacity(BUFFER));
    while received.more(&mut stream).await? {
        received.messages(|message| {
            replies.extend_from_slice(&(message.len() as u32).to_le_bytes());
            replies.extend_from_slice(message);
            Ok(())
        })?;
        stream.write_all(&replies).await?;
        replies.clear();
    }
    Ok(())
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let stream = connect(&target.endpoint).await?;
        clients.spawn(ask(stream, *load, clients.replies()));
    }
    clients.measure(target.window()).await
}

/// Sends a request for each reply, all that belong to one read with one write.
async fn ask(mut stream: TcpStream, load: Load, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let (mut received, mut message) = (Received::new(), Vec::new());
    let mut requests = Vec::new();
    let mut number = 0;
    for _ in 0..load.calls {
        number += 1;
        put_frame(number, load.bytes, &mut message, &mut requests)?;
    }
    loop {
        stream.write_all(&requests).await?;
        requests.clear();
        anyhow::ensure!(received.more(&mut stream).await?, "the server hung up");
        let mut count = 0;
        received.messages(|reply| {
            Raw::reply_number(reply)?;
            count += 1;
            number += 1;
            put_frame(number, load.bytes, &mut message, &mut requests)
        })?;
        replies.set(replies.get() + count);
    }
}
