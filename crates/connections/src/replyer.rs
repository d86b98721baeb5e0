//! Answers requests, several at a time: a ROUTER that REQ and DEALER peers take for a REP.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;
use tokio::task::unconstrained;
use tokio::time::timeout;

use crate::counters::{Counters, Refusal};
use crate::delivery::Delivery;
use crate::engine::{Bound, Engine, Event, Frames, Role, SendError, Socket, Unsent};
use crate::error::Error;

/// How many requests are read, to be dropped, when a replyer is closed.
const UNREAD_MAX: usize = 100_000;

/// A listening connection that receives requests and sends replies, in any order.
pub struct Replyer {
    socket: Rc<dyn Socket>,
    desk: Rc<Desk>,
}

/// What it takes to make requests of messages.
struct Desk {
    address: Address,
    counters: Arc<Counters>,
}

/// A request, as it came.
#[derive(Debug)]
pub struct Request {
    /// The one frame after the envelope.
    pub payload: Bytes,
    /// Where its reply goes.
    pub reply_to: ReplyTo,
}

/// The envelope of a request: the peer, the frames it wants back, and the empty one that ends them.
///
/// Dropping it leaves the request without a reply.
#[derive(Debug)]
pub struct ReplyTo(Frames);

impl Replyer {
    /// Listens on `address`. `connection` is the name for errors.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with what stands in the way and the fix.
    pub async fn bind(engine: &Rc<dyn Engine>, connection: &str, address: &Address) -> Result<Self, Error> {
        let counters = Arc::default();
        let bound = crate::bind(engine, Role::Router, connection, address, &counters).await?;
        let Bound { socket, address } = bound;
        Ok(Self { socket, desk: Rc::new(Desk { address, counters }) })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> &Address {
        &self.desk.address
    }

    /// What it carried and refused so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.desk.counters
    }

    /// Waits for the next request. Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Request {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Gives the next request, or wakes the last caller when there is one.
    ///
    /// What is no request (no delimiter, not exactly one frame after it) is dropped and counted.
    pub fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Request> {
        loop {
            let Event::Message(frames) = std::task::ready!(self.socket.poll_recv(cx)) else {
                // A listening socket has no peer of its own to lose.
                continue;
            };
            if let Some(request) = self.desk.open(frames) {
                return Poll::Ready(request);
            }
        }
    }

    /// Gives requests to `handle` as soon as they are read, for as long as the delivery is kept and no older ones wait for
    /// [`poll_recv`](Self::poll_recv). With an engine that cannot, all of them wait.
    #[must_use = "it ends when it is dropped"]
    pub fn deliver_to(&self, handle: impl Fn(Request) + 'static) -> Delivery {
        let desk = Rc::clone(&self.desk);
        let delivery = Delivery::new(move |frames| desk.open(frames).into_iter().for_each(&handle));
        self.socket.deliver_to(delivery.receiver());
        delivery
    }

    /// Sends a reply. One whose peer has gone, or reads too slowly, is dropped and counted.
    pub fn reply(&self, reply_to: ReplyTo, payload: Bytes) {
        let bytes = payload.len();
        let ReplyTo(mut frames) = reply_to;
        frames.push(payload);
        match self.socket.send(frames) {
            Ok(()) => self.desk.counters.count_out(bytes),
            Err(Unsent { why: SendError::Gone, .. }) => self.desk.counters.count_refused(Refusal::PeerGone),
            Err(Unsent { why: SendError::Full, .. }) => self.desk.counters.count_refused(Refusal::QueueFull),
        }
    }

    /// Whether replies that were sent arrive after [`close`](Self::close), though their peers go on sending.
    pub fn half_closes(&self) -> bool {
        self.socket.half_closes()
    }

    /// Leaves a request without a reply, as too many wait for one, and counts that.
    pub fn give_up(&self, reply_to: ReplyTo) {
        drop(reply_to);
        self.desk.counters.count_refused(Refusal::QueueFull);
    }

    /// Stops listening, drops and counts the requests that nobody has received, and waits until the replies have
    /// left the process, but for no longer than `linger`.
    ///
    /// Whoever wants to answer late requests receives until there are none, then closes.
    pub async fn close(&self, linger: Duration) {
        let closing = async {
            // The system may discard what was sent to a peer whose requests were not read to the end.
            unconstrained(poll_fn(|cx| {
                for _ in 0..UNREAD_MAX {
                    if self.poll_recv(cx).is_pending() {
                        break;
                    }
                    self.desk.counters.count_refused(Refusal::Closing);
                }
                Poll::Ready(())
            }))
            .await;
            self.socket.close().await;
        };
        let _ = timeout(linger, closing).await;
    }
}

impl std::fmt::Debug for Replyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replyer").field("address", self.address()).finish_non_exhaustive()
    }
}

impl Desk {
    /// Drops and counts what is no request.
    fn open(&self, frames: Frames) -> Option<Request> {
        match open_envelope(frames) {
            Ok(request) => {
                self.counters.count_in(request.payload.len());
                Some(request)
            }
            Err(reason) => {
                tracing::debug!(address = %self.address, reason = reason.name(), "dropped a request");
                self.counters.count_refused(reason);
                None
            }
        }
    }
}

/// Splits a message of a ROUTER, peer first, into the envelope up to and with its delimiter, and the payload.
fn open_envelope(mut frames: Frames) -> Result<Request, Refusal> {
    // The peer's name is never empty, and is no delimiter if it were.
    let delimiter = frames.iter().skip(1).position(Bytes::is_empty).ok_or(Refusal::NoDelimiter)? + 1;
    if frames.len() != delimiter + 2 {
        return Err(Refusal::FrameCount);
    }
    let payload = frames.pop().ok_or(Refusal::FrameCount)?;
    Ok(Request { payload, reply_to: ReplyTo(frames) })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
    #[track_caller]
    fn check(frames: &[&'static str], expected: Expect) {
        let frames = frames.iter().map(|frame| Bytes::from_static(frame.as_bytes())).collect();
        match open_envelope(frames) {
            Ok(request) => {
                expected.assert_eq(&format!("{:?} to {:?}", request.payload, &*request.reply_to.0))
            }
            Err(reason) => expected.assert_eq(reason.name()),
        }
    }

    #[test]
    fn the_envelope_ends_at_the_first_empty_frame() {
        check(&["id", "", "payload"], expect![[r#"b"payload" to [b"id", b""]"#]]);
        check(&["id", "17", "", "payload"], expect![[r#"b"payload" to [b"id", b"17", b""]"#]]);
        check(
            &["id", "proxy", "17", "", "payload"],
            expect![[r#"b"payload" to [b"id", b"proxy", b"17", b""]"#]],
        );
        check(&["id", "", ""], expect![[r#"b"" to [b"id", b""]"#]]);
    }

    #[test]
    fn what_is_no_request_is_named() {
        check(&["id"], expect!["no_delimiter"]);
        check(&["id", "payload"], expect!["no_delimiter"]);
        check(&["id", ""], expect!["frame_count"]);
        check(&["id", "", "one", "two"], expect!["frame_count"]);
        check(&["id", "", "", "payload"], expect!["frame_count"]);
        check(&[], expect!["no_delimiter"]);
    }
}
