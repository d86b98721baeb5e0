//! The short way of reading an envelope beside the long one.

use proptest::prelude::*;

use super::*;
use crate::value::Uuid;
use crate::wire::{self, Encoding};
use crate::{Value, value};

/// A message with a byte or two that are not what they were.
fn nearly(message: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (message, prop::collection::vec(change, 0..3), any::<Option<prop::sample::Index>>()).prop_map(
        |(mut message, changes, cut)| {
            for (place, byte) in changes {
                let place = place.index(message.len());
                message[place] = byte;
            }
            if let Some(cut) = cut {
                message.truncate(cut.index(message.len()).max(1));
            }
            message
        },
    )
}

fn args() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(value!({})),
        any::<(i64, f64)>().prop_map(|(a, b)| value!({"a": a, "b": [b, null, {"c": "text"}]})),
        "\\PC{0,40}".prop_map(|text| value!({"text": text})),
    ]
    .prop_map(|value: Value| wire::encode(&value, Encoding::MessagePack).unwrap())
}

fn id() -> impl Strategy<Value = Option<WorkflowId<'static>>> {
    prop_oneof![
        Just(None),
        any::<[u8; 16]>().prop_map(|bytes| { Some(WorkflowId::uuid(Uuid::from_bytes(bytes).to_string())) }),
        "[a-z0-9_-]{0,50}".prop_map(|text| Some(WorkflowId::text(text))),
    ]
}

fn requests() -> impl Strategy<Value = Vec<u8>> {
    (args(), id(), any::<Option<u32>>()).prop_map(|(args, id, left)| {
        let left = left.map(|left| Duration::from_millis(left.into()));
        Request::write(Encoding::MessagePack, &args, id.as_ref(), left)
    })
}

fn replies() -> impl Strategy<Value = Vec<u8>> {
    (args(), id()).prop_map(|(args, id)| {
        let mut reply = Reply::head(Encoding::MessagePack);
        reply.extend_from_slice(&args);
        let mut bytes = Vec::new();
        workflow::append_message_pack(&mut bytes, id.as_ref());
        Reply::tail(&mut reply, Encoding::MessagePack, &bytes);
        reply
    })
}

/// Small enough for some of the messages to pass them.
fn limits() -> impl Strategy<Value = Limits> {
    (1..20_usize, 1..6_usize).prop_map(|(max_values, max_depth)| Limits {
        max_values,
        max_depth,
        ..Limits::default()
    })
}

#[test]
fn json_behind_a_blank_or_a_mark_is_told_where_json_begins() {
    for before in ["\n ", "\u{feff}", "\u{feff}\t"] {
        let text = "a JSON message begins with `{`, without blanks or a byte order mark before it";
        let request = format!(r#"{before}{{"args": {{}}, "workflow_id": null}}"#);
        let refusal = Request::read(request.as_bytes(), &Limits::default(), 1_024).unwrap_err();
        assert_eq!(refusal.failure, Failure::new(code::BAD_MESSAGE, text));
        let reply = format!(r#"{before}{{"return_args": {{}}, "workflow_id": null}}"#);
        let failure = Reply::read(reply.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(failure.message(), format!("the reply is broken: {text}"));
    }
    // A blank alone is the integer 32 of MessagePack.
    let refusal = Request::read(b" 7", &Limits::default(), 1_024).unwrap_err();
    assert_eq!(refusal.failure.message(), "expected a map, got the integer 32");
}

proptest! {
    #[test]
    fn the_short_way_reads_what_the_long_way_does(
        request in nearly(requests()),
        reply in nearly(replies()),
        limits in prop_oneof![Just(Limits::default()), limits()],
        max_id in prop_oneof![Just(1_024_usize), 0..60_usize],
    ) {
        let mut id_bytes = workflow::null(Encoding::MessagePack);
        let long = Request::read_map(&request, Encoding::of(&request), &limits, max_id, &mut id_bytes);
        if let Some(short) = Request::read_usual(&request, &limits, max_id) {
            prop_assert_eq!(Ok(short), long);
        }
        if let Some(short) = Reply::read_usual(&reply, &limits) {
            prop_assert_eq!(Ok(short), Reply::read_map(&reply, &limits));
        }
    }

    #[test]
    fn what_we_write_is_read_the_short_way(request in requests(), reply in replies()) {
        prop_assert!(Request::read_usual(&request, &Limits::default(), 1_024).is_some());
        prop_assert!(Reply::read_usual(&reply, &Limits::default()).is_some());
    }
}
