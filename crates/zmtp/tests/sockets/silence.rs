//! Who counts as silent, where signs of life are asked for.

use std::time::Duration;

use service_framework_zmtp::socket::{Event, Stream};
use service_framework_zmtp::{Heartbeat, Message, SocketType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Carrier, Hand, bound, event, introduction, ramp, run, send, text, texts, until};

#[test]
fn a_peer_that_is_not_read_is_not_silent() {
    run(async {
        let heartbeat = Heartbeat {
            every: Duration::from_millis(20),
            patience: Duration::from_millis(20),
            time_to_live: Duration::ZERO,
        };
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |options| {
            options.receive_messages = 1;
            options.connection.heartbeat = Some(heartbeat);
        })
        .await;
        // It says all at once, so that it is not silent before.
        let mut hand = Hand::met_with(SocketType::Push, &place, &[text("one"), text("two")]).await;
        until(|| pull.counts().received == 1).await;
        // It is asked for signs of life again and again, and those that it gives lie unread.
        for _ in 0..5 {
            let mut bytes = [0; 9];
            hand.stream.read_exact(&mut bytes).await.expect("a PING");
            assert_eq!(bytes[2..7], *b"\x04PING");
        }
        assert_eq!(pull.peers(), 1);
        assert_eq!(texts(&pull, 2).await, ["one", "two"]);
    });
}

#[test]
fn who_takes_a_backlog_is_not_silent_for_as_long_as_that_takes() {
    run(async {
        let second = Duration::from_secs(1);
        let heartbeat = Heartbeat { every: second, patience: second, time_to_live: Duration::ZERO };
        let (push, place) = bound(SocketType::Push, Carrier::Inproc, |options| {
            options.connection.heartbeat = Some(heartbeat)
        })
        .await;
        let Stream::Inproc(mut far) = place.dial().await else { unreachable!("it is inside this process") };
        far.write_all(&introduction(SocketType::Pull)).await.expect("it is taken");
        assert!(matches!(event(&push).await, Event::Connected { .. }));
        tokio::time::pause();
        // The questions for a sign of life stand behind all this, so that none comes to be answered.
        for _ in 0..100 {
            send(&push, Message::from([ramp(16 << 10)]));
        }
        for _ in 0..20 {
            tokio::time::sleep(second / 2).await;
            far.read_exact(&mut [0; 16 << 10]).await.expect("it is open");
        }
        assert_eq!(push.peers(), 1);
        // Then it takes nothing any more.
        let began = tokio::time::Instant::now();
        let Event::Disconnected { why, .. } = event(&push).await else { panic!("it was met") };
        assert_eq!(why.to_string(), "the peer has fallen silent");
        assert!(began.elapsed() <= 3 * second, "{:?}", began.elapsed());
    });
}

#[test]
fn a_peer_that_is_silent_is_found_out() {
    run(async {
        let heartbeat = Heartbeat {
            every: Duration::from_millis(20),
            patience: Duration::from_millis(20),
            time_to_live: Duration::ZERO,
        };
        let (pull, place) =
            bound(SocketType::Pull, Carrier::Tcp, |options| options.connection.heartbeat = Some(heartbeat))
                .await;
        let _half_open = Hand::met(SocketType::Push, &place).await;
        assert!(matches!(event(&pull).await, Event::Connected { .. }));
        let Event::Disconnected { why, .. } = event(&pull).await else { panic!("it was met") };
        assert_eq!(why.to_string(), "the peer has fallen silent");
    });
}
