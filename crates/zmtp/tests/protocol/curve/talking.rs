//! What two sides that have met say to one another.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use service_framework_zmtp::{Encoded, Heartbeat, Message};

use super::*;
use crate::support::plain;

#[test]
fn messages_of_all_sizes_arrive_and_nobody_reads_them_on_the_way() {
    let (mut client, mut server) = met(SocketType::Dealer, SocketType::Router);
    for length in [0, 1, 221, 222, 223, 255, 16_383, 16_384, 65_536, 1 << 20] {
        let message =
            Message::from([Bytes::from(vec![7; length]), Bytes::new(), Bytes::from_static(b"in the open")]);
        for side in [&mut client, &mut server] {
            side.send(&message).expect("it is ready");
        }
        let (out, back) = (client.take_output(), server.take_output());
        assert!(![&out, &back].iter().any(|said| said.windows(11).any(|bytes| bytes == b"in the open")));
        server.receive(&out, Instant::now());
        client.receive(&back, Instant::now());
        for side in [&mut client, &mut server] {
            assert_eq!(events(side), (vec![Event::Message(message.clone())], None), "{length}");
        }
    }
}

#[test]
fn what_is_sent_before_the_handshake_waits_and_is_encrypted_then() {
    let (mut client, mut server) = (client(SocketType::Push), server(SocketType::Pull));
    let (first, second) = (Message::from(["a", "", "c"]), Message::from(["shared"]));
    client.send(&first).expect("it takes messages");
    client.send_encoded(&Encoded::new(second.clone())).expect("it takes messages");
    talk(&mut client, &mut server);
    server.admit();
    let (_, there) = talk(&mut client, &mut server);
    assert!(matches!(there[0], Event::Ready(_)));
    assert_eq!(there[1..], [Event::Message(first), Event::Message(second)]);
}

#[test]
fn what_many_send_is_encrypted_for_each() {
    let message = Message::from([Bytes::from(vec![7; 3_000]), Bytes::from_static(b"b")]);
    let encoded = Encoded::new(message.clone());
    let mut said = Vec::new();
    let (mut open, mut reader) = (plain(SocketType::Pub), plain(SocketType::Sub));
    talk(&mut open, &mut reader);
    for _ in 0..3 {
        let (mut subscriber, mut publisher) = met(SocketType::Sub, SocketType::Pub);
        open.send_encoded(&encoded).expect("it is ready");
        publisher.send_encoded(&encoded).expect("it is ready");
        said.push(publisher.take_output());
        subscriber.receive(&said[said.len() - 1], Instant::now());
        assert_eq!(events(&mut subscriber), (vec![Event::Message(message.clone())], None));
        assert_eq!(told(&mut open, &mut reader), (vec![Event::Message(message.clone())], None));
    }
    assert!(said[0] != said[1] && said[1] != said[2]);
}

#[test]
fn commands_are_encrypted_as_well() {
    let (mut subscriber, mut publisher) = met(SocketType::Sub, SocketType::Pub);
    subscriber.subscribe(true, b"prices").expect("it is ready");
    subscriber.subscribe(false, b"prices").expect("it is ready");
    let said = subscriber.take_output();
    assert!(!said.windows(6).any(|bytes| bytes == b"prices" || bytes == b"SUBSCR"));
    // As libzmq does it, boxes are frames of messages and not commands.
    assert_eq!(said[0] & 0b100, 0);
    publisher.receive(&said, Instant::now());
    let topic = Bytes::from_static(b"prices");
    assert_eq!(events(&mut publisher), (vec![Event::Subscribe(topic.clone()), Event::Cancel(topic)], None));
}

/// As the RFC has it.
#[test]
fn boxes_may_come_as_commands() {
    let (mut client, mut server) = met(SocketType::Dealer, SocketType::Router);
    client.send(&Message::from(["a"])).expect("it is ready");
    let mut said = client.take_output().to_vec();
    said[0] |= 0b100;
    server.receive(&said, Instant::now());
    assert_eq!(events(&mut server), (vec![Event::Message(Message::from(["a"]))], None));
}

#[test]
fn signs_of_life_go_both_ways() {
    let second = Duration::from_secs(1);
    let mut client = with(SocketType::Dealer, |config| {
        config.mechanism = Mechanism::CurveClient { own: pair(CLIENT), server: *pair(SERVER).public() };
        config.heartbeat = Some(Heartbeat { every: second, patience: second, time_to_live: 5 * second });
    });
    let mut server = server(SocketType::Router);
    meet(&mut client, &mut server);
    let mut now = Instant::now();
    for _ in 0..3 {
        now = client.deadline().expect("it has a pulse");
        client.tick(now).expect("the peer is alive");
        server.receive(&client.take_output(), now);
        assert_eq!(events(&mut server), (vec![Event::Control], None));
        client.receive(&server.take_output(), now);
        assert_eq!(events(&mut client), (vec![Event::Control], None));
    }
    // The server was told how long to wait.
    assert_eq!(server.deadline(), Some(now + 5 * second));
    now = client.deadline().expect("it has a pulse");
    client.tick(now).expect("the peer has time to answer");
    assert_eq!(client.tick(now + second), Err(Error::Silent));
}

/// What a server with this limit makes of frames of these lengths, which are one message.
fn limited(change: impl FnOnce(&mut Config), lengths: &[usize]) -> (Vec<Event>, Option<Error>) {
    let mut server = with(SocketType::Router, |config| {
        config.mechanism = Mechanism::CurveServer { own: pair(SERVER) };
        change(config);
    });
    let mut client = client(SocketType::Dealer);
    meet(&mut client, &mut server);
    let message: Message = lengths.iter().map(|length| Bytes::from(vec![7; *length])).collect();
    client.send(&message).expect("it is ready");
    told(&mut client, &mut server)
}

#[test]
fn limits_are_of_what_is_inside() {
    let (frame, command) = (100_000, 65_536);
    let set = |config: &mut Config| (config.limits.frame_bytes, config.limits.message_bytes) = (frame, frame);
    assert_eq!(limited(set, &[frame]).1, None);
    let too_large = Error::FrameTooLarge { bytes: 100_001, limit: frame };
    assert_eq!(limited(set, &[frame + 1]), (vec![], Some(too_large)));
    let too_large = Error::MessageTooLarge { bytes: 100_001, limit: frame };
    assert_eq!(limited(set, &[frame - command, command + 1]), (vec![], Some(too_large.clone())));
    assert_eq!(limited(set, &[frame, 1]), (vec![], Some(too_large)));
    let few = |config: &mut Config| config.limits.message_frames = 2;
    assert_eq!(limited(few, &[1, 1]).1, None);
    assert_eq!(limited(few, &[1, 1, 1]).1, Some(Error::TooManyFrames { limit: 2 }));
    let small = |config: &mut Config| config.limits.frame_bytes = 10;
    assert_eq!(limited(small, &[11]).1, Some(Error::FrameTooLarge { bytes: 11, limit: 10 }));
}

#[test]
fn a_command_is_within_its_limit() {
    let mut publisher = with(SocketType::Pub, |config| {
        config.mechanism = Mechanism::CurveServer { own: pair(SERVER) };
        config.limits.command_bytes = 1_000;
    });
    let mut subscriber = client(SocketType::Sub);
    meet(&mut subscriber, &mut publisher);
    subscriber.subscribe(true, &[7; 990]).expect("it is ready");
    assert_eq!(told(&mut subscriber, &mut publisher).1, None);
    subscriber.subscribe(true, &[7; 991]).expect("it is ready");
    let error = told(&mut subscriber, &mut publisher).1;
    assert_eq!(error, Some(Error::FrameTooLarge { bytes: 1_001, limit: 1_000 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_bytes_are_cut_makes_no_difference(
        // What begins with 0 or 1 would be a subscription.
        messages in vec(vec(vec(2..=u8::MAX, 0..300), 1..4), 0..4),
        topics in vec("[a-z]{0,5}", 0..3),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (mut client, mut server) = (client(SocketType::XSub), server(SocketType::XPub));
        let (mut wanted, mut happened) = (Vec::new(), Vec::new());
        for message in messages {
            let message: Message = message.into_iter().collect();
            client.send(&message).expect("it waits for the handshake");
            wanted.push(Event::Message(message));
        }
        let now = Instant::now();
        let mut has_subscribed = false;
        // What each side says in one turn is cut in the same places.
        loop {
            let (out, back) = (client.take_output(), server.take_output());
            if out.is_empty() && back.is_empty() {
                break;
            }
            for (said, to) in [(out, &mut server), (back, &mut client)] {
                let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(said.len() + 1)).collect();
                ends.push(said.len());
                ends.sort_unstable();
                let mut start = 0;
                for end in ends {
                    to.receive(&said[start..end], now);
                    start = end;
                    let (events, error) = events(to);
                    prop_assert_eq!(error, None);
                    for event in events {
                        match event {
                            Event::Credentials(_) => to.admit(),
                            Event::Subscribe(_) | Event::Message(_) => happened.push(event),
                            _ => {}
                        }
                    }
                }
            }
            if client.is_ready() && !has_subscribed {
                has_subscribed = true;
                for topic in &topics {
                    client.subscribe(true, topic.as_bytes()).expect("it is ready");
                    wanted.push(Event::Subscribe(Bytes::from(topic.clone())));
                }
            }
        }
        prop_assert_eq!(happened, wanted);
    }
}
