//! Raw TCP on tokio: a length in four bytes and 64 bytes after it, and nothing else.

mod publish;
mod request;

use anyhow::Context as _;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task::LocalSet,
};

use super::{
    body::{Body as _, Raw, SIZE},
    print_endpoint,
};
use crate::options::Role;

/// A message with its length.
const FRAME: usize = 4 + SIZE;

/// How much is read or written at a time.
const BUFFER: usize = 64 * 1024;

/// Runs one process, on one thread.
pub(crate) fn run(role: &Role) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build().context("cannot start tokio")?;
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        match role {
            Role::Reply { .. } => request::reply().await,
            Role::Request { target, connections, calls } => {
                request::request(target, *connections, *calls).await
            }
            Role::Publish => publish::publish().await,
            Role::Subscribe { target } => publish::subscribe(target).await,
        }
    })
}

async fn listen() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_endpoint(&format!("tcp://{}", listener.local_addr()?))?;
    Ok(listener)
}

async fn connect(endpoint: &str) -> anyhow::Result<TcpStream> {
    let address = endpoint.strip_prefix("tcp://").context("an endpoint begins with tcp://")?;
    let stream =
        TcpStream::connect(address).await.with_context(|| format!("cannot connect to {endpoint}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn put_frame(number: u64, message: &mut Vec<u8>, into: &mut Vec<u8>) -> anyhow::Result<()> {
    Raw::make(number, message)?;
    into.extend_from_slice(&(SIZE as u32).to_le_bytes());
    into.extend_from_slice(message);
    Ok(())
}

/// What was read and is not used yet.
#[derive(Debug)]
struct Received {
    buffer: Vec<u8>,
}

impl Received {
    fn new() -> Self {
        Self { buffer: Vec::with_capacity(BUFFER) }
    }

    /// Reads what there is; false at the end.
    async fn more(&mut self, stream: &mut TcpStream) -> anyhow::Result<bool> {
        Ok(stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Hands out each whole message, and forgets them.
    fn messages(&mut self, mut each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut rest = &self.buffer[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let Some((message, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else {
                break;
            };
            each(message)?;
            rest = after;
        }
        let used = self.buffer.len() - rest.len();
        self.buffer.drain(..used);
        Ok(())
    }
}
