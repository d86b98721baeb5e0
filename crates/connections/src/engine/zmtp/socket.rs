//! A socket of our own engine, as connections use it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::presence::Presence;
use super::watch::Watch;
use super::zmtp::{self, Refused};
use crate::counters::Counters;
use crate::engine::{Event, Frames, Greeting, LocalFuture, Receiver, SendError, Socket, Unsent};
use crate::link::Task;
use crate::listen::SocketFile;
use crate::peers::{PeerCounts, Peers, Told, Traffic, printable};

/// A socket of our own engine.
#[derive(Debug)]
pub(super) struct ZmtpSocket {
    socket: zmtp::Socket,
    is_connecting: bool,
    file: RefCell<Option<SocketFile>>,
    /// Where it is to be told whether anybody is there.
    presence: Option<Presence>,
    watch: RefCell<Option<Watch>>,
    /// Waits for what happens to peers, where nobody else does.
    watching: RefCell<Option<Task>>,
    /// Tells who its peers are and what goes to and fro, as often as somebody asks.
    telling: RefCell<Option<Task>>,
}

impl ZmtpSocket {
    /// One that has met its peer.
    pub(super) fn connected(socket: zmtp::Socket) -> Self {
        Self::new(socket, true, None, None)
    }

    /// One that listens, at a socket file if there is one.
    pub(super) fn listening(socket: zmtp::Socket, file: Option<SocketFile>) -> Self {
        Self::new(socket, false, file, None)
    }

    /// The same, which tells whether anybody is there, once it is [watched](Socket::watch).
    pub(super) fn listening_for_publishers(socket: zmtp::Socket, file: Option<SocketFile>) -> Self {
        Self::new(socket, false, file, Some(Presence::default()))
    }

    fn new(
        socket: zmtp::Socket,
        is_connecting: bool,
        file: Option<SocketFile>,
        presence: Option<Presence>,
    ) -> Self {
        let (watch, watching, telling) = Default::default();
        Self { socket, is_connecting, file: RefCell::new(file), presence, watch, watching, telling }
    }

    fn told(&self) -> Told {
        Told { peers: self.peers(), traffic: self.traffic() }
    }

    fn traffic(&self) -> Traffic {
        let now = self.socket.traffic();
        Traffic {
            bytes_in: now.bytes_read,
            bytes_out: now.bytes_written,
            queued_messages: now.queued_messages,
            queued_bytes: now.queued_bytes,
            inbox_messages: now.inbox_messages,
            inbox_bytes: now.inbox_bytes,
        }
    }

    fn peers(&self) -> Peers {
        let (busiest, more) = self.socket.busiest_peers(Peers::SHOWN);
        let busiest = busiest.into_iter().map(|peer| PeerCounts {
            address: peer.address.map(|address| address.to_string()),
            identity: printable(&peer.asked_identity),
            messages_in: peer.received,
            messages_out: peer.sent,
            bytes_in: peer.bytes_read,
            bytes_out: peer.bytes_written,
            queued_messages: peer.queued_messages,
            queued_bytes: peer.queued_bytes,
            // What was given back to a replyer is dropped there.
            dropped: peer.dropped_full + peer.refused_full,
        });
        Peers { busiest: busiest.collect(), more }
    }

    /// Gives what happened next to a peer, counted and logged.
    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<zmtp::Event> {
        let event = ready!(self.socket.poll_event(cx));
        if let Some(watch) = &*self.watch.borrow() {
            watch.count(self.socket.counts());
            watch.tell(&event);
        }
        if let Some(presence) = &self.presence {
            presence.note(&event);
        }
        Poll::Ready(event)
    }
}

/// Tells of a socket as often as somebody asks.
fn telling(socket: &Rc<ZmtpSocket>, counters: &Arc<Counters>) -> Task {
    let (socket, counters) = (Rc::downgrade(socket), Arc::clone(counters));
    Task::spawn(async move {
        loop {
            counters.inquiry().asked().await;
            let Some(socket) = socket.upgrade() else { return };
            counters.inquiry().tell(|| socket.told());
        }
    })
}

impl Drop for ZmtpSocket {
    /// What it has carried, and whom it leaves, stays counted.
    fn drop(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end(self.socket.counts(), self.socket.peers(), self.traffic());
        }
    }
}

impl Socket for ZmtpSocket {
    fn send(&self, frames: Frames) -> Result<(), Unsent> {
        self.socket.send(frames).map_err(|unsent| Unsent {
            why: if unsent.why == Refused::Full { SendError::Full } else { SendError::Gone },
            frames: unsent.message,
        })
    }

    fn dropped(&self) -> u64 {
        self.socket.dropped_full()
    }

    fn poll_subscribers(&self, count: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_subscribers(count, cx)
    }

    fn greet(&self, prefix: &Bytes, greeting: &Greeting) {
        self.socket.greet(prefix.clone(), greeting);
    }

    fn subscribe(&self, filter: Bytes) {
        self.socket.subscribe(filter);
    }

    fn room(&self) -> LocalFuture<'static, ()> {
        Box::pin(self.socket.room())
    }

    fn deliver_to(&self, receiver: Weak<dyn Receiver>) {
        self.socket.deliver_to(receiver);
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.presence.as_ref().and_then(Presence::before_messages) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(message) = self.socket.poll_recv(cx) {
            return Poll::Ready(Event::Message(message));
        }
        while self.is_connecting
            && let Poll::Ready(event) = self.poll_event(cx)
        {
            if matches!(event, zmtp::Event::Disconnected { .. }) {
                return Poll::Ready(Event::Lost);
            }
        }
        match self.presence.as_ref().and_then(|presence| presence.after_messages(cx)) {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }

    fn watch(self: Rc<Self>, connection: &str, counters: &Arc<Counters>) {
        self.telling.replace(Some(telling(&self, counters)));
        self.watch.replace(Some(Watch::new(connection, counters, self.socket.counts())));
        // Who connects asks by itself, to hear that the peer is lost.
        if !self.is_connecting {
            let socket = Rc::downgrade(&self);
            let task = Task::spawn(poll_fn(move |cx| match socket.upgrade() {
                Some(socket) => {
                    while socket.poll_event(cx).is_ready() {}
                    if let Some(presence) = &socket.presence {
                        presence.settle(socket.socket.peers());
                    }
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }));
            self.watching.replace(Some(task));
        }
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn close(&self) -> LocalFuture<'static, ()> {
        drop(self.file.take());
        Box::pin(self.socket.close())
    }
}
