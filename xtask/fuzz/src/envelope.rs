//! Requests, publications and replies: what is read is read the same when it is written anew, and what is refused can be answered.

use std::time::Duration;

use service_framework_core::Failure;
use service_framework_core::envelope::{Reply, Request};
use service_framework_core::topic;
use service_framework_core::wire::{Encoding, Limits};

use crate::wire::WIDE;

/// Small, so that short inputs reach it.
const MAX_WORKFLOW_ID_BYTES: usize = 64;

pub(crate) fn run(bytes: &[u8]) {
    // A subscriber takes the topic off first.
    let Ok((_, payload)) = topic::split(bytes) else { return };
    check_request(payload);
    check_reply(payload);
}

fn check_request(payload: &[u8]) {
    let read = |payload| Request::read(payload, &Limits::default(), MAX_WORKFLOW_ID_BYTES);
    let request = match read(payload) {
        Ok(request) => request,
        Err(refusal) => {
            let reply = Reply::failure(refusal.encoding, refusal.workflow_bytes, &refusal.failure);
            let told = Reply::read(&reply, &WIDE).expect("a refusal can be read").outcome;
            return assert_eq!(told.expect_err("a refusal is no result").code(), refusal.failure.code());
        }
    };
    let Request { encoding, args, workflow_id, workflow_bytes, deadline } = &request;
    assert!(workflow_id.as_ref().is_none_or(|id| id.as_str().len() <= MAX_WORKFLOW_ID_BYTES));
    let again = Request::write(*encoding, args, workflow_id.as_ref(), *deadline);
    check_same(&request, &again);
    if let Some(longer) = with_one_more_key(payload) {
        check_same(&request, &longer);
    }
    let later = Request::with_time_left(payload, Duration::from_millis(7));
    assert_eq!(later.is_some(), deadline.is_some());

    let mut reply = Reply::head(*encoding);
    reply.extend_from_slice(args);
    Reply::tail(&mut reply, *encoding, workflow_bytes);
    let told = Reply::read(&reply, &WIDE).expect("a reply to what was read can be read");
    assert_eq!((told.encoding, told.outcome), (*encoding, Ok(*args)));
}

/// `bytes` are read as `request` was.
fn check_same(request: &Request<'_>, bytes: &[u8]) {
    let again = Request::read(bytes, &WIDE, MAX_WORKFLOW_ID_BYTES).expect("what was read can be read again");
    assert_eq!(
        (again.encoding, again.args, &again.workflow_id, again.deadline),
        (request.encoding, request.args, &request.workflow_id, request.deadline),
    );
}

/// The message with a key that says nothing: read the long way, in which every key is looked at.
fn with_one_more_key(payload: &[u8]) -> Option<Vec<u8>> {
    match payload {
        [count @ 0x80..0x8f, entries @ ..] => Some([&[count + 1], entries, b"\xa1x\xc0"].concat()),
        _ => None,
    }
}

fn check_reply(payload: &[u8]) {
    let Ok(Reply { encoding, outcome }) = Reply::read(payload, &Limits::default()) else { return };
    let null = match encoding {
        Encoding::MessagePack => &b"\xc0"[..],
        Encoding::Json => b"null",
    };
    match outcome {
        Ok(returned) => {
            let mut again = Reply::head(encoding);
            again.extend_from_slice(returned);
            Reply::tail(&mut again, encoding, null);
            assert_eq!(Reply::read(&again, &WIDE), Ok(Reply { encoding, outcome: Ok(returned) }));
            if let Some(longer) = with_one_more_key(payload) {
                assert_eq!(Reply::read(&longer, &WIDE), Ok(Reply { encoding, outcome: Ok(returned) }));
            }
        }
        Err(failure) => {
            let once = passed_on(encoding, null, &failure);
            assert_eq!(once.code(), failure.code());
            assert!(failure.message().starts_with(once.message()));
            assert_eq!(passed_on(encoding, null, &once), once);
        }
    }
}

/// What arrives of a failure that is sent.
fn passed_on(encoding: Encoding, workflow_bytes: &[u8], failure: &Failure) -> Failure {
    let reply = Reply::failure(encoding, workflow_bytes, failure);
    let told = Reply::read(&reply, &WIDE).expect("a failure can be read").outcome;
    told.expect_err("a failure is no result")
}
