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

macro_rules! for_peers {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Sends only what the Python original understands.
            #[must_use]
            pub const fn python(mut self) -> Self {
                self.settings.python = true;
                self
            }

            /// Sends JSON instead of MessagePack.
            #[must_use]
            pub const fn json(mut self) -> Self {
                self.settings.json = true;
                self
            }
        }
    };
}

/// The options of a copy, which come from those of its subscriber.
macro_rules! of_subscribers {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Takes what is published under a topic.
            #[must_use]
            pub const fn topic(mut self, topic: &'static str) -> Self {
                self.settings.topic = Some(topic);
                self
            }

            /// Binds, for owners that connect, instead of connecting.
            #[must_use]
            pub const fn binder(mut self) -> Self {
                self.settings.is_binder = true;
                self
            }

            /// Says after how many seconds without an update the copy is stale, though its owner is there; never if nobody says.
            #[must_use]
            pub const fn expect_every_s(mut self, seconds: f64) -> Self {
                self.settings.expect_every_s = Some(seconds);
                self
            }
        }
    };
}

/// The options of a state that is owned, which come from those of its publisher.
macro_rules! of_publishers {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Publishes under a topic.
            #[must_use]
            pub const fn topic(mut self, topic: &'static str) -> Self {
                self.settings.topic = Some(topic);
                self
            }

            /// Connects, to a proxy or to copies that bind, instead of binding.
            #[must_use]
            pub const fn x_pub(mut self) -> Self {
                self.settings.is_x_pub = true;
                self
            }

            /// Waits that many seconds after the socket is open, so that copies may find it; 0.15 if nobody says.
            #[must_use]
            pub const fn wait_after_creation_s(mut self, seconds: f64) -> Self {
                self.settings.wait_after_creation_s = Some(seconds);
                self
            }

            /// Ends that wait when so many copies are there; 1 if nobody says, and 0 for none.
            #[must_use]
            pub const fn wait_for_subscribers(mut self, count: u32) -> Self {
                self.settings.wait_for_subscribers = Some(count);
                self
            }

            /// Publishes that often at least, in seconds, so that copies know that it is there; 0 for never.
            #[must_use]
            pub const fn heartbeat_s(mut self, seconds: f64) -> Self {
                self.settings.heartbeat_s = Some(seconds);
                self
            }

            /// Sends only what the Python original understands.
            #[must_use]
            pub const fn python(mut self) -> Self {
                self.settings.python = true;
                self
            }
        }
    };
}

pub(super) use {common, for_peers, of_publishers, of_subscribers};
