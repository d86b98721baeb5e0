//! An open connection of a service.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use service_framework_connections::{Counters, Publisher, Replyer, Requester, Subscriber};
use service_framework_core::address::Address;

/// An open connection.
pub(crate) enum Connection {
    Replyer(Rc<Replyer>),
    Subscriber(Rc<Subscriber>),
    Requester(Requester),
    Publisher(Rc<Publisher>),
    /// An external target has no socket.
    Target,
}

impl Connection {
    /// Where it lives, with the real port.
    pub(crate) fn address(&self) -> Option<&Address> {
        match self {
            Self::Replyer(replyer) => Some(replyer.address()),
            Self::Subscriber(subscriber) => Some(subscriber.address()),
            Self::Requester(requester) => Some(requester.address()),
            Self::Publisher(publisher) => Some(publisher.address()),
            Self::Target => None,
        }
    }

    pub(crate) fn counters(&self) -> Option<&Arc<Counters>> {
        match self {
            Self::Replyer(replyer) => Some(replyer.counters()),
            Self::Subscriber(subscriber) => Some(subscriber.counters()),
            Self::Requester(requester) => Some(requester.counters()),
            Self::Publisher(publisher) => Some(publisher.counters()),
            Self::Target => None,
        }
    }

    pub(crate) async fn close(&self, linger: Duration) {
        match self {
            Self::Replyer(replyer) => replyer.close(linger).await,
            Self::Subscriber(subscriber) => subscriber.close(linger).await,
            Self::Requester(requester) => requester.close(linger).await,
            Self::Publisher(publisher) => publisher.close(linger).await,
            Self::Target => {}
        }
    }
}
