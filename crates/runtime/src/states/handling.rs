//! Calls the handler of a state after its updates: one at a time, in order.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Instant;

use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::{Encoding, Peer};
use service_framework_core::workflow::WorkflowId;
use tokio::sync::Notify;

use crate::control::Stop;
use crate::local::{Intake, Local};
use crate::subscribing::{self, DROPPED_OLDEST};
use crate::waiting::Waiting;

/// The updates of one state that wait for its handler.
#[derive(Debug, Default)]
pub(crate) struct Handling {
    waiting: RefCell<Waiting<(Vec<u8>, WorkflowId<'static>)>>,
    arrived: Notify,
}

impl Handling {
    /// Has the handler called with this when its turn comes. Beyond so many updates, and bytes, the oldest that wait are dropped; gives how many.
    #[must_use = "what is dropped is counted"]
    pub(crate) fn push(
        &self,
        args: Vec<u8>,
        id: WorkflowId<'static>,
        (updates, bytes): (usize, usize),
    ) -> usize {
        let mut waiting = self.waiting.borrow_mut();
        let mut dropped = 0;
        while waiting.is_full(updates, bytes) && waiting.pop().is_some() {
            dropped += 1;
        }
        let bytes = args.len();
        waiting.push((args, id), bytes);
        self.arrived.notify_one();
        dropped
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }
}

/// Calls the handler until the service is to stop and nothing waits any more.
pub(crate) async fn serve(local: Rc<Local>, number: usize, handling: Rc<Handling>) {
    let _intake = Intake::open(&local);
    let mut stopping = local.stopping();
    let mut stopping = pin!(stopping.wait_for(|stop| *stop != Stop::No));
    let mut last_round = 0;
    loop {
        let next = handling.waiting.borrow_mut().pop();
        let Some((args, id)) = next else {
            tokio::select! {
                () = handling.arrived.notified() => continue,
                _ = stopping.as_mut() => return,
            }
        };
        local.rounds.wait(&mut last_round).await;
        let pass = match local.enter_always(number) {
            Ok(pass) => pass,
            Err(turn) => turn.come().await,
        };
        let call = Call {
            target: Target::Connection(number as u32),
            encoding: Encoding::MessagePack,
            peer: Peer::Any,
            args: &args,
            workflow_id: Some(id),
            topic: None,
            until: None,
        };
        if let Some(going) = subscribing::run(&local, number, &call, (Instant::now(), None), pass) {
            going.await;
        }
    }
}

/// Counts an update that was dropped for newer ones.
pub(crate) fn count_dropped(local: &Local, number: usize) {
    local.counters(number).refuse(DROPPED_OLDEST);
}
