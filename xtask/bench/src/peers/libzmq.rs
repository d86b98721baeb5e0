//! libzmq, driven as its guide says, with one I/O thread in each process.

mod no_drop;
mod publish;
mod request;

use std::time::Duration;

use anyhow::Context as _;

use super::{
    body::{Body, SIZE},
    message::Typed,
};
use crate::options::{Load, Role};

/// Runs one process.
pub(crate) fn run<B: Body>(role: &Role) -> anyhow::Result<()> {
    let context = zmq::Context::new();
    match role {
        Role::Reply { calls: 1, .. } => request::reply::<B>(&context),
        Role::Reply { .. } => request::route::<B>(&context),
        Role::Request { target, load: load @ Load { calls: 1, .. } } => {
            request::request::<B>(&context, target, load)
        }
        Role::Request { target, load: load @ Load { connections: 1, .. } } => {
            request::deal::<B>(&context, target, load)
        }
        Role::Request { .. } => anyhow::bail!("one connection, or one call on each"),
        Role::Publish { .. } => publish::publish::<B>(&context),
        Role::Subscribe { target } => publish::subscribe::<B>(&context, target),
        Role::Own { .. } | Role::Follow { .. } => anyhow::bail!("it keeps no states"),
    }
}

/// Asks one call at a time, over a connection of its own.
pub(crate) struct Asker {
    socket: zmq::Socket,
    endpoint: String,
}

impl Asker {
    /// Connects to a typed replyer, which may take so long for each answer.
    pub(crate) fn new(endpoint: &str, patience: Duration) -> anyhow::Result<Self> {
        let context = zmq::Context::new();
        let socket = context.socket(zmq::REQ)?;
        socket.set_linger(0)?;
        socket.set_rcvtimeo(i32::try_from(patience.as_millis())?)?;
        socket.connect(endpoint)?;
        Ok(Self { socket, endpoint: endpoint.to_owned() })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// When there is none in time, or it is not the answer.
    pub(crate) fn ask(&self) -> anyhow::Result<()> {
        const NUMBER: u64 = 1;
        let Self { socket, endpoint } = self;
        let mut request = Vec::new();
        Typed::make(NUMBER, SIZE, &mut request)?;
        socket.send(&request, 0)?;
        let reply = socket.recv_bytes(0).with_context(|| format!("{endpoint} does not answer"))?;
        anyhow::ensure!(Typed::reply_number(&reply)? == NUMBER, "{endpoint} answers something else");
        Ok(())
    }
}

/// Binds to a free port; gives the endpoint.
fn bind(socket: &zmq::Socket) -> anyhow::Result<String> {
    socket.bind("tcp://127.0.0.1:*")?;
    socket.get_last_endpoint()?.map_err(|_| anyhow::anyhow!("the endpoint bound is not text"))
}
