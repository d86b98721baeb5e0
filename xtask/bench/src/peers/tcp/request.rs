//! An echo, and clients that keep so many calls in flight.

use std::{cell::Cell, rc::Rc};

use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::spawn_local};

use super::{BUFFER, FRAME, Received, connect, listen, put_frame};
use crate::{
    meter,
    options::Target,
    peers::{
        body::{Body as _, Raw},
        print_line,
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

pub(super) async fn request(target: &Target, connections: u32, calls: u32) -> anyhow::Result<()> {
    let replies = Rc::new(Cell::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..connections {
        clients.spawn_local(ask(connect(&target.endpoint).await?, calls, Rc::clone(&replies)));
    }
    tokio::select! {
        sample = meter::watch(&replies, target.window()) => print_line(&sample.line()?),
        Some(ended) = clients.join_next() => ended?,
    }
}

/// Sends a request for each reply, all that belong to one read with one write.
async fn ask(mut stream: TcpStream, calls: u32, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let (mut received, mut message) = (Received::new(), Vec::new());
    let mut requests = Vec::with_capacity(FRAME * calls as usize);
    let mut number = 0;
    for _ in 0..calls {
        number += 1;
        put_frame(number, &mut message, &mut requests)?;
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
            put_frame(number, &mut message, &mut requests)
        })?;
        replies.set(replies.get() + count);
    }
}
