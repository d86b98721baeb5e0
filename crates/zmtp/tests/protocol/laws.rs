//! What holds for all bytes and messages.

use std::time::Instant;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use service_framework_zmtp::{Config, Connection, Event, Message, SocketType};

use crate::support::{events, met, talk};

fn frame() -> impl Strategy<Value = Bytes> {
    let length = prop_oneof![8 => 0..40_usize, 1 => 250..260_usize, 1 => 65_530..65_540_usize];
    (length, any::<u8>()).prop_map(|(length, byte)| Bytes::from(vec![byte; length]))
}

fn message() -> impl Strategy<Value = Message> {
    vec(frame(), 1..6).prop_map(|frames| frames.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_sent_arrives(messages in vec(message(), 0..8)) {
        let (mut here, mut there) = met(SocketType::Dealer, SocketType::Router);
        for message in &messages {
            here.send(message).expect("it is ready");
        }
        let (_, arrived) = talk(&mut here, &mut there);
        prop_assert_eq!(arrived, messages.into_iter().map(Event::Message).collect::<Vec<_>>());
    }

    #[test]
    fn how_bytes_are_cut_makes_no_difference(
        messages in vec(message(), 0..5),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
        topics in vec("[a-z]{0,5}", 0..3),
    ) {
        // All that a subscriber says, from its greeting on.
        let now = Instant::now();
        let mut speaker = Connection::new(Config::new(SocketType::XSub), now);
        let mut said = speaker.take_output().to_vec();
        speaker.receive(&Connection::new(Config::new(SocketType::XPub), now).take_output(), now);
        speaker.poll().expect("a greeting");
        let (mut other, _) = met(SocketType::XSub, SocketType::XPub);
        for topic in &topics {
            other.subscribe(true, topic.as_bytes()).expect("it is ready");
        }
        for message in &messages {
            other.send(message).expect("it is ready");
        }
        said.extend(speaker.take_output());
        said.extend(other.take_output());

        let mut at_once = Connection::new(Config::new(SocketType::XPub), now);
        at_once.receive(&said, now);
        let whole = events(&mut at_once);

        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(said.len() + 1)).collect();
        ends.push(said.len());
        ends.sort_unstable();
        let mut in_parts = Connection::new(Config::new(SocketType::XPub), now);
        let (mut happened, mut start) = (Vec::new(), 0);
        for end in ends {
            in_parts.receive(&said[start..end], now);
            start = end;
            let (events, error) = events(&mut in_parts);
            prop_assert_eq!(error, None);
            happened.extend(events);
        }
        prop_assert_eq!((happened, None), whole);
        prop_assert_eq!(in_parts.take_output(), at_once.take_output());
    }
}
