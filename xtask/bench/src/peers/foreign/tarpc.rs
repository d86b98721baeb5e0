//! tarpc, by bincode over TCP.

use std::{cell::Cell, rc::Rc};

use bytes::Bytes;
use futures::StreamExt as _;
use tarpc::{
    client, context,
    serde_transport::Transport,
    server::{BaseChannel, Channel as _},
    tokio_serde::formats::Bincode,
    tokio_util::codec::{Framed, LengthDelimitedCodec},
};
use tokio::net::TcpStream;

use crate::{
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw},
        on_tokio::{Clients, connect, listen},
    },
};

#[tarpc::service]
trait Echo {
    /// Returns its argument.
    async fn echo(body: Bytes) -> Bytes;
}

#[derive(Clone, Debug)]
struct Server;

impl Echo for Server {
    async fn echo(self, _: context::Context, body: Bytes) -> Bytes {
        body
    }
}

/// What carries one connection.
fn transport<Item, SinkItem>(
    stream: TcpStream,
) -> Transport<TcpStream, Item, SinkItem, Bincode<Item, SinkItem>>
where
    Item: for<'a> serde::Deserialize<'a>,
    SinkItem: serde::Serialize,
{
    tarpc::serde_transport::new(Framed::new(stream, LengthDelimitedCodec::new()), Bincode::default())
}

pub(super) async fn reply() -> anyhow::Result<()> {
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let channel = BaseChannel::with_defaults(transport(stream));
        // The handler does not wait, so it is run where the request was read.
        tokio::spawn(channel.execute(Server.serve()).for_each(|answering| answering));
    }
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let stream = connect(&target.endpoint).await?;
        let client = EchoClient::new(client::Config::default(), transport(stream)).spawn();
        for _ in 0..load.calls {
            clients.spawn(ask(client.clone(), load.bytes, clients.replies()));
        }
    }
    clients.measure(target.window()).await
}

async fn ask(client: EchoClient, bytes: usize, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let mut body = Vec::new();
    for number in 1.. {
        Raw::make(number, bytes, &mut body)?;
        let reply = client.echo(context::current(), Bytes::copy_from_slice(&body)).await?;
        Raw::reply_number(&reply)?;
        replies.set(replies.get() + 1);
    }
    Ok(())
}
