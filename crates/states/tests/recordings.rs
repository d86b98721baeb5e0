//! The recordings of the Python original are read, and what we write in their place is the same bytes.

use service_framework_core::topic;
use service_framework_core::wire::{Encoding, Limits};
use service_framework_states::{SnapshotReply, SnapshotRequest, Update};

/// The frame of that name, as Python 0.0.18 sent it.
fn recording(name: &str) -> Vec<u8> {
    let text = include_str!("../../core/tests/data/golden.json");
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let entry = json.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
    let hex = entry["hex"].as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[track_caller]
fn check_update(name: &str, number: i64, is_snapshot: bool, entries: usize) -> Update {
    let frame = recording(name);
    let (topic, payload) = topic::split(&frame).unwrap();
    let update = Update::read(payload, &Limits::default(), 256).unwrap();
    assert_eq!((update.number, update.is_snapshot, update.state.len()), (number, is_snapshot, entries));
    assert_eq!((update.epoch, update.digest), (None, None), "Python has neither");
    let mut again = topic.map(topic::encode).unwrap_or_default();
    update.write(&mut again);
    assert_eq!(again, frame, "{name}");
    update
}

#[test]
fn updates_of_python_are_read_and_written_to_the_same_bytes() {
    check_update("delta_snapshot", 1, true, 1);
    check_update("delta_negative", -1, true, 0);
    let change = check_update("delta_change", 2, false, 2);
    let (removed, put): (Vec<_>, Vec<_>) = change.state.iter().partition(|(_, value)| value.is_none());
    assert_eq!(removed, [(&b"\xa9first_key"[..], None)]);
    assert_eq!(put, [(&b"\xaasecond_key"[..], Some(&b"\xcb\x40\x04\0\0\0\0\0\0"[..]))]);
}

#[test]
fn a_snapshot_request_of_python_is_read_and_written_to_the_same_bytes() {
    let frame = recording("request_no_workflow");
    let request = SnapshotRequest::read(&frame, &Limits::default()).unwrap();
    assert_eq!(request, SnapshotRequest { encoding: Encoding::MessagePack, since: None, part: None });
    assert_eq!(request.write(), frame);
}

#[test]
fn a_snapshot_reply_of_python_is_read_and_written_to_the_same_bytes() {
    let frame = recording("reply_null_workflow");
    let reply = SnapshotReply::read(&frame, &Limits::default()).unwrap();
    assert_eq!((reply.number, reply.state.len(), reply.epoch, reply.part), (0, 1, None, None));
    assert_eq!(reply.write(), frame);
}
