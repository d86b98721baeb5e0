//! How a copy hears what was published: whatever is received goes to it, without the topic.

use std::rc::Rc;

use bytes::Bytes;
use service_framework_connections::{Delivery, Subscriber};
use service_framework_core::{Fault, topic};

/// Has all that is received handled by `arrived`, for as long as the copy is there and the delivery is kept.
pub(crate) fn deliver<C: 'static>(
    subscriber: &Subscriber,
    copy: &Rc<C>,
    arrived: impl Fn(&C, &Bytes) + 'static,
) -> Delivery {
    let copy = Rc::downgrade(copy);
    subscriber.deliver_to(move |frame| {
        if let Some(copy) = copy.upgrade() {
            arrived(&copy, &frame);
        }
    })
}

/// What stands behind the topic, for a copy that takes that topic alone, or any.
///
/// # Errors
///
/// If the frame does not have the topic that it should.
pub(crate) fn payload<'f>(frame: &'f [u8], wanted: Option<&str>) -> Result<&'f [u8], Fault> {
    let Some(wanted) = wanted else {
        // All that comes is of the state, whether it has a topic or not.
        return Ok(topic::split(frame).map_or(frame, |(_, payload)| payload));
    };
    let (topic, payload) = topic::split(frame)?;
    match topic == Some(wanted) {
        true => Ok(payload),
        false => Err(Fault::malformed("it does not have the topic that was subscribed to")),
    }
}
