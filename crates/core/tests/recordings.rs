//! The recordings of the Python original decode, and encode to the same bytes again.

use service_framework_core::value::Value;
use service_framework_core::wire::{self, Encoding, Limits};

struct Recording {
    name: String,
    topic: Option<String>,
    bytes: Vec<u8>,
}

fn recordings() -> Vec<Recording> {
    let json: serde_json::Value = serde_json::from_str(include_str!("data/golden.json")).unwrap();
    let hex = |text: &str| {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    };
    let recording = |entry: &serde_json::Value| Recording {
        name: entry["name"].as_str().unwrap().to_owned(),
        topic: entry["topic"].as_str().map(str::to_owned),
        bytes: hex(entry["hex"].as_str().unwrap()),
    };
    json.as_array().unwrap().iter().map(recording).collect()
}

/// The topic, if the frame has one, and what follows it.
fn split(recording: &Recording) -> (Option<String>, &[u8]) {
    let Some(topic) = &recording.topic else { return (None, &recording.bytes) };
    let head = wire::encode(topic, Encoding::MessagePack).unwrap();
    assert!(recording.bytes.starts_with(&head), "{}: the topic is not the head of the frame", recording.name);
    (Some(topic.clone()), &recording.bytes[head.len()..])
}

#[test]
fn every_recording_decodes_and_encodes_to_the_same_bytes() {
    let recordings = recordings();
    assert!(recordings.len() >= 14, "the file of recordings has lost some");
    for recording in &recordings {
        let (_, payload) = split(recording);
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
        let (_, payload) = split(&recording);
        let value: Value = wire::decode(payload, Encoding::MessagePack, &Limits::default()).unwrap();
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
