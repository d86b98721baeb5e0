//! The recordings of the Python original.

use service_framework_core::wire::{self, Encoding};

/// A frame as Python 0.0.18 sent it.
pub(crate) struct Recording {
    /// What it is.
    pub(crate) name: String,
    topic: Option<String>,
    bytes: Vec<u8>,
}

impl Recording {
    /// What follows the topic, if the frame has one.
    pub(crate) fn payload(&self) -> &[u8] {
        let Some(topic) = &self.topic else { return &self.bytes };
        let head = wire::encode(topic, Encoding::MessagePack).unwrap();
        self.bytes.strip_prefix(&*head).expect("the topic is the head of the frame")
    }
}

/// All of them.
pub(crate) fn recordings() -> Vec<Recording> {
    let json: serde_json::Value = serde_json::from_str(include_str!("../data/golden.json")).unwrap();
    let byte = |text: &str, at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    let hex = |text: &str| (0..text.len()).step_by(2).map(|at| byte(text, at)).collect();
    let recording = |entry: &serde_json::Value| Recording {
        name: entry["name"].as_str().unwrap().to_owned(),
        topic: entry["topic"].as_str().map(str::to_owned),
        bytes: hex(entry["hex"].as_str().unwrap()),
    };
    json.as_array().unwrap().iter().map(recording).collect()
}
