//! PUB that waits for its subscribers, and SUB.

use super::{bind, no_drop};
use crate::{
    meter::Meter,
    options::Target,
    peers::{
        body::{Body, SIZE},
        print_endpoint, print_line,
    },
};

/// How many messages are received between two looks at the clock, which would cost more than some.
const BATCH: u64 = 16;

pub(super) fn publish<B: Body>(context: &zmq::Context) -> anyhow::Result<()> {
    let mut socket = context.socket(zmq::PUB)?;
    no_drop::set(&mut socket)?;
    print_endpoint(&bind(&socket)?)?;
    let mut message = Vec::new();
    for number in 1.. {
        B::make(number, SIZE, &mut message)?;
        socket.send(&message, 0)?;
    }
    Ok(())
}

pub(super) fn subscribe<B: Body>(context: &zmq::Context, target: &Target) -> anyhow::Result<()> {
    let socket = context.socket(zmq::SUB)?;
    socket.set_subscribe(b"")?;
    socket.connect(&target.endpoint)?;
    let mut meter = Meter::new(target.window());
    let mut message = zmq::Message::new();
    loop {
        let mut last_number = 0;
        for _ in 0..BATCH {
            socket.recv(&mut message, 0)?;
            last_number = B::number(&message)?;
        }
        if let Some(sample) = meter.add_numbered(BATCH, last_number) {
            return print_line(&sample.line()?);
        }
    }
}
