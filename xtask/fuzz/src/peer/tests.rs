//! The corpus comes to where it is meant to come to.

use std::path::Path;

use super::*;

/// What an input of the corpus leads to: how many messages and subscriptions came, and how it ends.
fn outcome(name: &str) -> (usize, Option<Error>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/peer").join(name);
    let bytes = std::fs::read(path).expect("an input");
    let (head, script) = bytes.split_first_chunk().expect("six bytes");
    let talk = Talk::of(head, &[], script);
    let is_said =
        |event: &&Event| matches!(event, Event::Message(_) | Event::Subscribe(_) | Event::Cancel(_));
    (talk.happened.iter().filter(is_said).count(), talk.error)
}

#[test]
fn boxes_are_opened_by_a_server_and_by_a_client() {
    assert_eq!(outcome("curve_server"), (1, None));
    assert_eq!(outcome("curve_client"), (1, Some(Error::Silent)));
    assert_eq!(outcome("curve_publisher"), (5, None));
    assert_eq!(outcome("curve_subscriber"), (1, None));
    assert_eq!(outcome("curve_replayed"), (2, Some(Error::Replayed)));
    assert_eq!(outcome("curve_repeated"), (1, Some(Error::Replayed)));
    assert_eq!(outcome("curve_error"), (0, Some(Error::Refused { reason: "why".to_owned() })));
    assert!(matches!(outcome("curve_too_large"), (1, Some(Error::MessageTooLarge { .. }))));
    assert!(matches!(outcome("curve_wrong_flags"), (0, Some(Error::Malformed(_)))));
}

#[test]
fn each_text_of_a_handshake_is_read() {
    assert!(matches!(outcome("curve_forged_hello"), (0, Some(Error::Malformed(_)))));
    assert_eq!(outcome("curve_forged_initiate"), (0, Some(Error::Unopened("the vouch of INITIATE"))));
    assert!(matches!(outcome("curve_forged_vouch"), (0, Some(Error::Malformed(_)))));
    assert_eq!(outcome("curve_forged_metadata"), (1, None));
    assert_eq!(outcome("curve_forged_welcome"), (0, Some(Error::Unopened("READY"))));
    assert!(matches!(outcome("curve_forged_ready"), (0, Some(Error::Incompatible { .. }))));
}

#[test]
fn time_passes() {
    assert_eq!(outcome("handshake_takes_too_long"), (0, Some(Error::HandshakeTimeout)));
    assert_eq!(outcome("handshake_takes_long"), (1, Some(Error::Silent)));
    assert_eq!(outcome("heartbeats"), (0, Some(Error::Silent)));
    assert_eq!(outcome("promise"), (1, Some(Error::Silent)));
    assert_eq!(outcome("promise_taken_back"), (0, Some(Error::Silent)));
    // It is not asked for signs of life.
    assert_eq!(outcome("old_peer"), (1, None));
}
