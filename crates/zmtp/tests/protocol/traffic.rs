//! What two sides that have met say to one another.

use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_zmtp::{Config, Connection, Encoded, Error, Event, Heartbeat, Message, SocketType};

use crate::support::{events, met, plain, talk};

#[test]
fn messages_sent_before_the_handshake_wait_for_it() {
    let (mut client, mut server) = (plain(SocketType::Push), plain(SocketType::Pull));
    let message = Message::from(["a", "", "c"]);
    client.send(&message).expect("it takes messages");
    let (_, there) = talk(&mut client, &mut server);
    assert!(matches!(there[0], Event::Ready(_)));
    assert_eq!(there[1..], [Event::Message(message)]);
}

#[test]
fn frames_of_all_lengths_arrive() {
    let (mut client, mut server) = met(SocketType::Dealer, SocketType::Router);
    for length in [0, 1, 255, 256, 65_535, 65_536, 1 << 20] {
        let message = Message::from([Bytes::from(vec![7; length]), Bytes::new()]);
        client.send(&message).expect("it is ready");
        let (_, there) = talk(&mut client, &mut server);
        assert_eq!(there, [Event::Message(message)], "{length}");
    }
}

#[test]
fn a_large_frame_is_read_to_where_it_stays() {
    const BYTES: usize = 1 << 18;
    let (mut side, _) = met(SocketType::Router, SocketType::Dealer);
    let frame: Vec<u8> = (0..BYTES).map(|index| (index % 251) as u8).collect();
    let header = [&[2][..], &(BYTES as u64).to_be_bytes()].concat();
    side.receive(&[&header, &frame[..4_000]].concat(), Instant::now());
    assert_eq!(events(&mut side), (vec![], None));
    assert!(side.has_made_room());
    let (place, capacity) = (side.input().as_ptr() as usize, side.input().capacity());
    assert!(capacity > header.len() + BYTES, "a read that is not full is known to be the last");
    side.input().extend_from_slice(&frame[4_000..]);
    side.received(Instant::now());
    let (events, _) = events(&mut side);
    let [Event::Message(message)] = &*events else { panic!("{events:?}") };
    assert!(message[0] == frame, "it is the same");
    assert_eq!(message[0].as_ptr() as usize, place + header.len());
    assert!(!side.has_made_room());
}

#[test]
fn subscriptions_come_as_commands_and_as_messages() {
    let topic = Bytes::from_static(b"prices");
    let (mut subscriber, mut publisher) = met(SocketType::Sub, SocketType::Pub);
    subscriber.subscribe(true, &topic).expect("it is ready");
    subscriber.subscribe(false, &topic).expect("it is ready");
    let (_, there) = talk(&mut subscriber, &mut publisher);
    assert_eq!(there, [Event::Subscribe(topic.clone()), Event::Cancel(topic.clone())]);

    subscriber.send(&Message::from([b"\x01prices".as_slice()])).expect("it is ready");
    subscriber.send(&Message::from([b"\x00prices".as_slice()])).expect("it is ready");
    subscriber.send(&Message::from([b"\x02prices".as_slice()])).expect("it is ready");
    let (_, there) = talk(&mut subscriber, &mut publisher);
    let other = Event::Message(Message::from([b"\x02prices".as_slice()]));
    assert_eq!(there, [Event::Subscribe(topic.clone()), Event::Cancel(topic), other]);
}

#[test]
fn a_subscription_needs_a_peer() {
    let mut subscriber = plain(SocketType::Sub);
    assert!(subscriber.subscribe(true, b"").is_err());
    assert_eq!(events(&mut subscriber), (vec![], None));
}

#[test]
fn a_peer_that_is_alive_is_left_alone() {
    let heartbeat = Heartbeat {
        every: Duration::from_secs(5),
        patience: Duration::from_secs(2),
        time_to_live: Duration::from_secs(60),
    };
    let start = Instant::now();
    let mut config = Config::new(SocketType::Dealer);
    config.heartbeat = Some(heartbeat);
    let mut here = Connection::new(config, start);
    let mut there = Connection::new(Config::new(SocketType::Router), start);
    talk(&mut here, &mut there);

    let mut now = start;
    for _ in 0..3 {
        now = here.deadline().expect("it has a pulse").max(now);
        here.tick(now).expect("the peer is alive");
        there.receive(&here.take_output(), now);
        assert_eq!(events(&mut there), (vec![Event::Control], None));
        here.receive(&there.take_output(), now + Duration::from_secs(1));
        assert_eq!(events(&mut here), (vec![Event::Control], None));
    }
    // The peer was told how long to wait for this side.
    assert_eq!(there.deadline(), Some(now + heartbeat.time_to_live));
    assert_eq!(there.tick(now + heartbeat.time_to_live), Err(Error::Silent));

    now = here.deadline().expect("it has a pulse");
    here.tick(now).expect("the peer has time to answer");
    assert_eq!(here.deadline(), Some(now + heartbeat.patience));
    assert_eq!(here.tick(now + heartbeat.patience), Err(Error::Silent));
    assert_eq!(here.send(&Message::from(["too late"])), Err(Error::Silent));
}

/// A subscriber with a pulse, which has met a publisher that speaks ZMTP 3.0.
fn met_an_old_publisher(start: Instant) -> (Connection, Connection) {
    let mut config = Config::new(SocketType::Sub);
    let second = Duration::from_secs(1);
    config.heartbeat = Some(Heartbeat { every: second, patience: second, time_to_live: second });
    let mut subscriber = Connection::new(config, start);
    let mut publisher = Connection::new(Config::new(SocketType::Pub), start);
    let mut greeting = publisher.take_output().to_vec();
    greeting[11] = 0;
    subscriber.receive(&greeting, start);
    let (here, _) = talk(&mut subscriber, &mut publisher);
    assert!(matches!(&here[..], [Event::Ready(peer)] if peer.minor_version == 0), "{here:?}");
    (subscriber, publisher)
}

#[test]
fn a_peer_of_an_older_version_is_not_asked_for_signs_of_life() {
    let start = Instant::now();
    let (mut subscriber, _) = met_an_old_publisher(start);
    assert_eq!(subscriber.deadline(), None);
    assert_eq!(subscriber.tick(start + Duration::from_secs(3_600)), Ok(()));
    assert!(subscriber.output().is_empty(), "a command that it does not know");
}

#[test]
fn a_peer_of_an_older_version_is_subscribed_to_by_messages() {
    let (mut subscriber, _) = met_an_old_publisher(Instant::now());
    subscriber.subscribe(true, b"a").expect("it is ready");
    subscriber.subscribe(false, b"a").expect("it is ready");
    assert_eq!(*subscriber.take_output(), *b"\x00\x02\x01a\x00\x02\x00a");
}

#[test]
fn a_pong_repeats_what_its_ping_said() {
    let (mut here, _) = met(SocketType::Dealer, SocketType::Router);
    here.receive(b"\x04\x0a\x04PING\x00\x00abc", Instant::now());
    assert_eq!(events(&mut here), (vec![Event::Control], None));
    assert_eq!(*here.take_output(), *b"\x04\x08\x04PONGabc");
    assert_eq!(here.deadline(), None);
}

#[test]
fn commands_that_say_nothing_are_told_one_by_one_and_counted() {
    let (mut here, _) = met(SocketType::Dealer, SocketType::Router);
    here.receive(b"\x04\x06\x05HELLO\x04\x0a\x09SUBSCRIBE\x00\x01x", Instant::now());
    let message = Event::Message(Message::from(["x"]));
    assert_eq!(events(&mut here), (vec![Event::Control, Event::Control, message], None));
    assert_eq!(here.commands_ignored(), 2);
}

/// The bytes that are copied when so many connections send frames of these lengths, encoded once; all must arrive.
fn copied(connections: u64, lengths: &[usize]) -> u64 {
    let message: Message = lengths.iter().map(|length| Bytes::from(vec![7; *length])).collect();
    let encoded = Encoded::new(message.clone());
    let mut copied = 0;
    for _ in 0..connections {
        let (mut publisher, mut subscriber) = met(SocketType::Pub, SocketType::Sub);
        let before = publisher.output().copied();
        publisher.send_encoded(&encoded).expect("it is ready");
        copied += publisher.output().copied() - before;
        let (_, there) = talk(&mut publisher, &mut subscriber);
        assert_eq!(there, [Event::Message(message.clone())]);
    }
    copied
}

#[test]
fn what_many_send_is_shared_unless_it_is_short() {
    assert_eq!(copied(20, &[10]), 20 * 12, "a frame and its header");
    assert_eq!(copied(20, &[10, 2_000]), 0);
    assert_eq!(copied(20, &[3_000, 0, 70_000]), 0);
    // What stands between two large frames is copied: their headers.
    assert_eq!(copied(20, &[70_000, 70_000]), 20 * 2 * 9);
}

#[test]
fn what_one_sends_is_shared_if_it_is_large() {
    let (mut dealer, _) = met(SocketType::Dealer, SocketType::Router);
    let before = dealer.output().copied();
    dealer.send(&[Bytes::from(vec![7; 1 << 20])]).expect("it is ready");
    assert_eq!(dealer.output().copied() - before, 9);
}
