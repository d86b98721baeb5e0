//! A request that a service waits for: begun and kept on the service's thread, waited for on any.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use bytes::Bytes;
use service_framework_core::Failure;
use slab::Slab;
use tokio::sync::oneshot;

use super::{ServiceHost, stopped};
use crate::outgoing::Exchange;

/// What a request ends with: encoded return arguments.
pub(super) type Outcome = Result<Bytes, Failure>;

/// The requests that were begun on the service's thread, which they never leave. Whoever waits for one has its number.
#[derive(Default)]
pub(super) struct Requests(RefCell<Slab<Option<Exchange>>>);

/// What another thread wants: of a request that was begun, or of a state.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Its outcome.
    Outcome(usize, oneshot::Sender<Outcome>),
    /// Nothing any more.
    Nothing(usize),
    /// That what was published of a state, by its position, is sent. The flag says that this is asked for.
    Flush(usize, Arc<AtomicBool>),
}

impl Requests {
    fn add(&self, request: Exchange) -> usize {
        self.0.borrow_mut().insert(Some(request))
    }

    /// Goes on with a request, which is not there meanwhile: it may lead to another one.
    fn poll(&self, number: usize, context: &mut Context<'_>) -> Poll<Outcome> {
        let request = self.0.borrow_mut().get_mut(number).and_then(Option::take);
        let Some(mut request) = request else { return Poll::Ready(Err(stopped())) };
        let polled = Pin::new(&mut request).poll(context);
        let mut requests = self.0.borrow_mut();
        match requests.get_mut(number) {
            Some(place) if polled.is_pending() => *place = Some(request),
            _ => _ = requests.try_remove(number),
        }
        polled
    }

    pub(super) fn take(&self, number: usize) -> Option<Exchange> {
        self.0.borrow_mut().try_remove(number).flatten()
    }

    /// Gives up all of them.
    pub(super) fn clear(&self) {
        let requests = self.0.take();
        drop(requests);
    }
}

/// Waits for a request. It may be polled on one thread after the other, and dropped on any.
pub(super) struct Asked {
    host: Arc<ServiceHost>,
    at: At,
}

enum At {
    /// It is polled where it is waited for.
    Home(usize),
    /// The service's thread polls it for whoever waits.
    Away(oneshot::Receiver<Outcome>),
    Over,
}

impl Asked {
    /// To be called on the service's thread.
    pub(super) fn new(host: Arc<ServiceHost>, requests: &Requests, request: Exchange) -> Self {
        Self { host, at: At::Home(requests.add(request)) }
    }
}

impl Future for Asked {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        if let At::Home(number) = this.at {
            match this.host.requests() {
                Some(requests) => {
                    let polled = requests.poll(number, context);
                    if polled.is_ready() {
                        this.at = At::Over;
                    }
                    return polled;
                }
                None => {
                    let (answer, answered) = oneshot::channel();
                    this.host.want(Wanted::Outcome(number, answer));
                    this.at = At::Away(answered);
                }
            }
        }
        match &mut this.at {
            At::Away(answered) => Pin::new(answered).poll(context).map(|outcome| {
                this.at = At::Over;
                outcome.unwrap_or_else(|_| Err(stopped()))
            }),
            At::Home(_) | At::Over => Poll::Ready(Err(stopped())),
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let At::Home(number) = self.at else { return };
        match self.host.requests() {
            Some(requests) => drop(requests.take(number)),
            None => self.host.want(Wanted::Nothing(number)),
        }
    }
}
