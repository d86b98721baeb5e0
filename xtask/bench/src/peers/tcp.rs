//! Raw TCP on tokio: a length in four bytes and as many bytes after it, and nothing else.

mod publish;
mod request;

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{
    body::{Body as _, Raw, SIZE},
    on_tokio,
};
use crate::options::Role;

/// A publication with its length.
const FRAME: usize = 4 + SIZE;

/// How much is read or written at a time.
const BUFFER: usize = 64 * 1024;

/// Runs one process, on one thread.
pub(crate) fn run(role: &Role) -> anyhow::Result<()> {
    on_tokio::run(async {
        match role {
            Role::Reply { .. } => request::reply().await,
            Role::Request { target, load } => request::request(target, load).await,
            Role::Publish { .. } => publish::publish().await,
            Role::Subscribe { target } => publish::subscribe(target).await,
            Role::Own { .. } | Role::Follow { .. } => anyhow::bail!("it keeps no states"),
        }
    })
}

fn put_frame(number: u64, bytes: usize, message: &mut Vec<u8>, into: &mut Vec<u8>) -> anyhow::Result<()> {
    Raw::make(number, bytes, message)?;
    into.extend_from_slice(&(bytes as u32).to_le_bytes());
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
