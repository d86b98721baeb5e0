//! tonic: unary calls of gRPC, whose messages are bytes as they are.

use std::{
    cell::Cell,
    convert::Infallible,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::{
    Request, Response, Status,
    body::Body,
    client,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{BoxFuture, Service, http, http::uri::PathAndQuery},
    server::{self, NamedService, UnaryService},
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

use crate::{
    options::{Load, Target},
    peers::{
        body::{Body as _, Raw},
        on_tokio::{Clients, address, listen},
    },
};

/// Messages that need no protobuf.
#[derive(Clone, Copy, Debug)]
struct AsTheyAre;

impl Codec for AsTheyAre {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Returns what it is asked.
#[derive(Clone, Copy, Debug)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "bench.Echo";
}

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = std::future::Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(server::Grpc::new(AsTheyAre).unary(Self, request).await) })
    }
}

pub(super) async fn reply() -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listen().await?).with_nodelay(Some(true));
    Ok(Server::builder().add_service(Echo).serve_with_incoming(incoming).await?)
}

pub(super) async fn request(target: &Target, load: &Load) -> anyhow::Result<()> {
    let endpoint = Endpoint::from_shared(format!("http://{}", address(&target.endpoint)?))?.tcp_nodelay(true);
    let mut clients = Clients::new();
    for _ in 0..load.connections {
        let channel = endpoint.connect().await?;
        for _ in 0..load.calls {
            clients.spawn(ask(channel.clone(), load.bytes, clients.replies()));
        }
    }
    clients.measure(target.window()).await
}

async fn ask(channel: Channel, bytes: usize, replies: Rc<Cell<u64>>) -> anyhow::Result<()> {
    let path = PathAndQuery::from_static("/bench.Echo/Echo");
    let mut client = client::Grpc::new(channel);
    let mut body = Vec::new();
    for number in 1.. {
        Raw::make(number, bytes, &mut body)?;
        client.ready().await?;
        let request = Request::new(Bytes::copy_from_slice(&body));
        let reply: Response<Bytes> = client.unary(request, path.clone(), AsTheyAre).await?;
        Raw::reply_number(reply.get_ref())?;
        replies.set(replies.get() + 1);
    }
    Ok(())
}
