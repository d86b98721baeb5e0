//! The recordings of the Python original decode, and encode to the same bytes again.

use service_framework_core::value::Value;
use service_framework_core::wire::{self, Encoding, Limits};

#[path = "support/recorded.rs"]
mod recorded;

use recorded::recordings;

#[test]
fn every_recording_decodes_and_encodes_to_the_same_bytes() {
    let recordings = recordings();
    assert!(recordings.len() >= 14, "the file of recordings has lost some");
    for recording in &recordings {
        let payload = recording.payload();
        let value: Value = wire::decode(payload, Encoding::MessagePack, &Limits::default())
            .unwrap_or_else(|fault| panic!("{}: {fault}", recording.name));
        let again = wire::encode(&value, Encoding::MessagePack).unwrap();
        if recording.name == "types" {
            // numpy's NaN has another payload than ours.
            assert_eq!(again.len(), payload.len());
            let back: Value = wire::decode(&again, Encoding::MessagePack, &Limits::default()).unwrap();
            assert_eq!(back, value);
        } else {
            assert_eq!(again, payload, "{}", recording.name);
        }
    }
}

#[test]
fn every_recording_survives_the_way_through_json() {
    for recording in recordings() {
        let value: Value =
            wire::decode(recording.payload(), Encoding::MessagePack, &Limits::default()).unwrap();
        if recording.name == "decimal_as_key" {
            // In JSON a key is text, so that this one comes back as text.
            continue;
        }
        let json = wire::encode(&value, Encoding::Json).unwrap();
        let back: Value = wire::decode(&json, Encoding::Json, &Limits::default()).unwrap_or_else(|fault| {
            panic!("{}: {fault} in {}", recording.name, String::from_utf8_lossy(&json))
        });
        assert_eq!(back, value, "{}", recording.name);
    }
}
