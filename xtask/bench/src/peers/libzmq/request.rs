//! REP and REQ in lock step; ROUTER and DEALER for many calls over one connection.

use anyhow::ensure;

use super::bind;
use crate::{
    meter::Meter,
    options::{Load, Target},
    peers::{body::Body, print_endpoint, print_line},
};

/// Answers one request after the other.
pub(super) fn reply<B: Body>(context: &zmq::Context) -> anyhow::Result<()> {
    let socket = context.socket(zmq::REP)?;
    print_endpoint(&bind(&socket)?)?;
    let (mut request, mut answer) = (zmq::Message::new(), Vec::new());
    loop {
        socket.recv(&mut request, 0)?;
        B::answer(&request, &mut answer)?;
        socket.send(&answer, 0)?;
    }
}

/// Answers requests whose envelope is `[identity, "", payload]`.
pub(super) fn route<B: Body>(context: &zmq::Context) -> anyhow::Result<()> {
    let socket = context.socket(zmq::ROUTER)?;
    print_endpoint(&bind(&socket)?)?;
    let (mut identity, mut frame, mut answer) = (zmq::Message::new(), zmq::Message::new(), Vec::new());
    loop {
        socket.recv(&mut identity, 0)?;
        socket.recv(&mut frame, 0)?;
        ensure!(frame.is_empty() && frame.get_more(), "a request is not in the envelope of REQ");
        socket.recv(&mut frame, 0)?;
        B::answer(&frame, &mut answer)?;
        socket.send(&*identity, zmq::SNDMORE)?;
        socket.send(&b""[..], zmq::SNDMORE)?;
        socket.send(&answer, 0)?;
    }
}

/// Asks in lock step over so many connections, all driven by one thread.
pub(super) fn request<B: Body>(context: &zmq::Context, target: &Target, load: &Load) -> anyhow::Result<()> {
    let mut sockets = Vec::new();
    let (mut request, mut reply, mut number) = (Vec::new(), zmq::Message::new(), 0);
    for _ in 0..load.connections {
        let socket = context.socket(zmq::REQ)?;
        socket.connect(&target.endpoint)?;
        sockets.push(socket);
    }
    let mut next = |socket: &zmq::Socket| -> anyhow::Result<()> {
        number += 1;
        B::make(number, load.bytes, &mut request)?;
        Ok(socket.send(&request, 0)?)
    };
    sockets.iter().try_for_each(&mut next)?;
    let mut items: Vec<_> = sockets.iter().map(|socket| socket.as_poll_item(zmq::POLLIN)).collect();
    let mut meter = Meter::new(target.window());
    loop {
        // A lone socket is waited for in `recv`, which is cheaper.
        if load.connections > 1 {
            zmq::poll(&mut items, -1)?;
        }
        for (item, socket) in items.iter().zip(&sockets) {
            if load.connections > 1 && !item.is_readable() {
                continue;
            }
            socket.recv(&mut reply, 0)?;
            B::reply_number(&reply)?;
            if let Some(sample) = meter.add(1) {
                return print_line(&sample.line()?);
            }
            next(socket)?;
        }
    }
}

/// Asks over one connection with so many calls in flight.
pub(super) fn deal<B: Body>(context: &zmq::Context, target: &Target, load: &Load) -> anyhow::Result<()> {
    let socket = context.socket(zmq::DEALER)?;
    socket.connect(&target.endpoint)?;
    let (mut request, mut frame, mut number) = (Vec::new(), zmq::Message::new(), 0);
    let mut next = || -> anyhow::Result<()> {
        number += 1;
        B::make(number, load.bytes, &mut request)?;
        socket.send(&b""[..], zmq::SNDMORE)?;
        Ok(socket.send(&request, 0)?)
    };
    for _ in 0..load.calls {
        next()?;
    }
    let mut meter = Meter::new(target.window());
    loop {
        socket.recv(&mut frame, 0)?;
        socket.recv(&mut frame, 0)?;
        B::reply_number(&frame)?;
        if let Some(sample) = meter.add(1) {
            return print_line(&sample.line()?);
        }
        next()?;
    }
}
