//! What the peers on tokio have in common: one thread, sockets that send at once, clients that are counted together.

use std::{cell::Cell, rc::Rc};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, LocalOptions},
    task::JoinSet,
};

use super::{print_endpoint, print_line};
use crate::{meter, sample::Window};

/// Runs one process, on one thread.
pub(super) fn run(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default()).context("cannot start tokio")?;
    runtime.block_on(work)
}

/// Listens on a free port, which it prints.
pub(super) async fn listen() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_endpoint(&format!("tcp://{}", listener.local_addr()?))?;
    Ok(listener)
}

/// Connects to what [`listen`] has printed.
pub(super) async fn connect(endpoint: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address(endpoint)?)
        .await
        .with_context(|| format!("cannot connect to {endpoint}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The `HOST:PORT` of an endpoint.
pub(super) fn address(endpoint: &str) -> anyhow::Result<&str> {
    endpoint.strip_prefix("tcp://").context("an endpoint begins with tcp://")
}

/// Clients that ask for ever, and count their replies together.
#[derive(Debug)]
pub(super) struct Clients {
    replies: Rc<Cell<u64>>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Clients {
    pub(super) fn new() -> Self {
        Self { replies: Rc::default(), tasks: JoinSet::new() }
    }

    /// What a client raises by one for each reply.
    pub(super) fn replies(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.replies)
    }

    /// Adds a client.
    pub(super) fn spawn(&mut self, client: impl Future<Output = anyhow::Result<()>> + 'static) {
        self.tasks.spawn_local(client);
    }

    /// Waits for something that clients do meanwhile.
    ///
    /// # Errors
    ///
    /// As soon as a client fails.
    #[cfg(feature = "peers")]
    pub(super) async fn beside(
        mut self,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        tokio::select! {
            done = work => done,
            Some(ended) = self.tasks.join_next() => ended?,
        }
    }

    /// Prints a sample when the time is over.
    ///
    /// # Errors
    ///
    /// As soon as a client fails.
    pub(super) async fn measure(mut self, window: Window) -> anyhow::Result<()> {
        tokio::select! {
            sample = meter::watch(&self.replies, window) => print_line(&sample.line()?),
            Some(ended) = self.tasks.join_next() => ended?,
        }
    }
}
