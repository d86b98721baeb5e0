//! What an author may set for a port, and the methods that all ports have.

use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Run, StateKind, StateModel};
use service_framework_core::model;
use service_framework_core::settings::SlowSubscriber;

use crate::{Map, Model, Value};

/// What an author may set for a port. The address book of whoever runs the service wins over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) doc: &'static str,
    pub(super) deadline_s: Option<f64>,
    pub(super) topic: Option<&'static str>,
    pub(super) is_x_pub: bool,
    pub(super) is_binder: bool,
    pub(super) idempotent: bool,
    pub(super) wait_after_creation_s: Option<f64>,
    pub(super) wait_for_subscribers: Option<u32>,
    pub(super) slow_subscriber: Option<SlowSubscriber>,
    pub(super) heartbeat_s: Option<f64>,
    pub(super) expect_every_s: Option<f64>,
    pub(super) python: bool,
    pub(super) json: bool,
}

impl Settings {
    pub(super) const NONE: Self = Self {
        doc: "",
        deadline_s: None,
        topic: None,
        is_x_pub: false,
        is_binder: false,
        idempotent: false,
        wait_after_creation_s: None,
        wait_for_subscribers: None,
        slow_subscriber: None,
        heartbeat_s: None,
        expect_every_s: None,
        python: false,
        json: false,
    };

    /// Those that were set.
    fn given(&self) -> Map {
        let flag = |is_set: bool, value: &'static str| is_set.then(|| Value::from(value));
        let settings = [
            ("deadline_s", self.deadline_s.map(Value::from)),
            ("topic", self.topic.map(Value::from)),
            ("is_x_pub", self.is_x_pub.then(|| Value::from(true))),
            ("is_binder", self.is_binder.then(|| Value::from(true))),
            ("idempotent", self.idempotent.then(|| Value::from(true))),
            ("wait_after_creation_s", self.wait_after_creation_s.map(Value::from)),
            ("wait_for_subscribers", self.wait_for_subscribers.map(Value::from)),
            ("slow_subscriber", self.slow_subscriber.map(|choice| Value::from(choice.name()))),
            ("heartbeat_s", self.heartbeat_s.map(Value::from)),
            ("expect_every_s", self.expect_every_s.map(Value::from)),
            ("peer", flag(self.python, "python")),
            ("encoding", flag(self.json, "json")),
        ];
        settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// The connection of a port.
    pub(super) fn connection<A: Model, R: Model>(
        &self,
        name: &str,
        kind: ConnectionKind,
        run: Run,
    ) -> ConnectionModel {
        ConnectionModel {
            name: name.to_owned(),
            doc: self.doc.to_owned(),
            kind,
            args: model::describe::<A>(),
            returns: model::describe::<R>(),
            run,
            exclusive: false,
            settings: self.given(),
        }
    }

    /// The state of a port.
    pub(super) fn state<S: Model>(&self, name: &str, kind: StateKind) -> StateModel {
        StateModel {
            name: name.to_owned(),
            doc: self.doc.to_owned(),
            kind,
            state: model::describe::<S>(),
            run: None,
            exclusive: false,
            settings: self.given(),
        }
    }
}

macro_rules! common {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Says what it is for, in exported models.
            #[must_use]
            pub const fn doc(mut self, doc: &'static str) -> Self {
                self.settings.doc = doc;
                self
            }

            /// The name that addresses, counters and errors call it by.
            pub const fn name(&self) -> &'static str {
                self.name
            }
        }

        impl<$($param),+> std::fmt::Debug for $type<$($param),+> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.name).finish()
            }
        }
    };
}

macro_rules! options {
    ($type:ident<$($param:ident),+>: $($(#[$doc:meta])* $option:ident($($argument:ident: $argument_type:ty)?) $field:ident = $value:expr;)+) => {
        impl<$($param),+> $type<$($param),+> {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $option(mut self $(, $argument: $argument_type)?) -> Self {
                    self.settings.$field = $value;
                    self
                }
            )+
        }
    };
}

macro_rules! for_python {
    ($type:ident<$($param:ident),+>) => {
        options! { $type<$($param),+>:
            /// Sends only what the Python original understands.
            python() python = true;
        }
    };
}

macro_rules! for_peers {
    ($type:ident<$($param:ident),+>) => {
        for_python!($type<$($param),+>);
        options! { $type<$($param),+>:
            /// Sends JSON instead of MessagePack.
            json() json = true;
        }
    };
}

/// The options of what publishes: a publisher, or a state that is owned.
macro_rules! publishing {
    ($type:ident<$($param:ident),+>) => {
        options! { $type<$($param),+>:
            /// Publishes under a topic.
            topic(topic: &'static str) topic = Some(topic);
            /// Connects, to a proxy or to subscribers that bind, instead of binding.
            x_pub() is_x_pub = true;
            /// Waits that many seconds after the socket is open, so that subscribers may find it; 0.15 if nobody says.
            wait_after_creation_s(seconds: f64) wait_after_creation_s = Some(seconds);
            /// Ends that wait when so many have subscribed; 1 if nobody says, and 0 for none.
            wait_for_subscribers(count: u32) wait_for_subscribers = Some(count);
        }
    };
}

/// The options of a state that is owned.
macro_rules! owning {
    ($type:ident<$($param:ident),+>) => {
        publishing!($type<$($param),+>);
        for_python!($type<$($param),+>);
        options! { $type<$($param),+>:
            /// Publishes that often at least, in seconds, so that copies know that it is there; 0 for never.
            heartbeat_s(seconds: f64) heartbeat_s = Some(seconds);
        }
    };
}

/// The options of a copy.
macro_rules! copying {
    ($type:ident<$($param:ident),+>) => {
        options! { $type<$($param),+>:
            /// Takes what is published under a topic.
            topic(topic: &'static str) topic = Some(topic);
            /// Binds, for owners that connect, instead of connecting.
            binder() is_binder = true;
            /// Says after how many seconds without an update the copy is stale, though its owner is there; never if nobody says.
            expect_every_s(seconds: f64) expect_every_s = Some(seconds);
        }
    };
}

pub(super) use {common, copying, for_peers, for_python, options, owning, publishing};
