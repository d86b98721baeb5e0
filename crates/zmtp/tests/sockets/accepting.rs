//! What becomes of connections while the system has no file descriptor for them.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Ended, Event};
use tokio::time::Instant;

use crate::support::{Carrier, bound, event, run};

/// Says to the same test that its process is its own.
const ALONE: &str = "SERVICE_FRAMEWORK_ALONE";

#[test]
fn who_cannot_be_accepted_is_tried_after_longer_and_longer_pauses() {
    if std::env::var_os(ALONE).is_none() {
        let mut alone = Command::new(std::env::current_exe().expect("its own path"));
        let name = "accepting::who_cannot_be_accepted_is_tried_after_longer_and_longer_pauses";
        let done = alone.args([name, "--exact"]).env(ALONE, "1").output().expect("it is there");
        let said = String::from_utf8_lossy(&done.stdout);
        return assert!(done.status.success() && said.contains("1 passed"), "{said}");
    }
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, |_| ()).await;
        let waiting = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port())).expect("a listener");
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).expect("it is less");
        tokio::time::pause();
        let began = Instant::now();
        for wanted in [0, 10, 30, 70, 150, 310, 630, 1_270, 2_270, 3_270] {
            let Event::AcceptFailed { .. } = event(&pull).await else { panic!("there was a descriptor") };
            let passed = began.elapsed().as_millis();
            // A timer may be late by a part of a millisecond, and so may each before it.
            assert!((wanted..wanted + 20).contains(&passed), "{passed} ms instead of {wanted}");
        }
        assert_eq!(pull.counts().accept_errors, 10);
        setrlimit(Resource::Nofile, limit).expect("it is what it was");
        drop(waiting);
        // It is taken, and was never met.
        assert!(matches!(event(&pull).await, Event::HandshakeFailed { why: Ended::ByPeer }));
        assert_eq!(pull.counts().accept_errors, 10);
    });
}
