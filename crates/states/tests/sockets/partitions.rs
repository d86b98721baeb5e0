//! Networks that fall apart between an owner and its copy, and come together again.

use std::net::SocketAddr;
use std::time::Duration;

use service_framework_core::address::{Address, Host};
use service_framework_core::value;
use service_framework_states::delta::reader::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{Copied, Home, Owned, entries, run};

/// How the network is.
#[derive(Clone, Copy, Default)]
struct Weather {
    is_parted: bool,
    /// How often the connections that there were have been lost.
    losses: u64,
}

/// A way to one socket, on which nothing moves while the network is parted, and nobody is told.
struct Line {
    address: Address,
    listening: JoinHandle<()>,
}

impl Line {
    async fn to(address: &Address, weather: &watch::Sender<Weather>) -> Self {
        let Address::Tcp { host: Host::Ip(ip), port } = *address else { panic!("{address} is not of TCP") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let weather = weather.subscribe();
        let listening = tokio::task::spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::task::spawn_local(carry(near, SocketAddr::new(ip, port), weather.clone()));
            }
        });
        Self { address, listening }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Carries what one connection says, until it ends or is lost.
async fn carry(near: TcpStream, far: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut loss = weather.clone();
    let losses = loss.borrow().losses;
    let carried = async {
        weather.clone().wait_for(|weather| !weather.is_parted).await.ok()?;
        let (near_in, near_out) = near.into_split();
        let (far_in, far_out) = TcpStream::connect(far).await.ok()?.into_split();
        tokio::select! {
            () = pass(near_in, far_out, weather.clone()) => {}
            () = pass(far_in, near_out, weather.clone()) => {}
        }
        Some(())
    };
    tokio::select! {
        _ = carried => {}
        _ = loss.wait_for(|weather| weather.losses > losses) => {}
    }
}

/// Carries what comes in one direction, and holds it while the network is parted.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut bytes = [0; 4_096];
    // Nothing is read before it may go on, so that it is lost where it would be on a network.
    while from.readable().await.is_ok() {
        if weather.wait_for(|weather| !weather.is_parted).await.is_err() {
            return;
        }
        match from.read(&mut bytes).await {
            Ok(length @ 1..) if to.write_all(&bytes[..length]).await.is_ok() => {}
            _ => return,
        }
    }
}

/// An owner and its copy are parted, and the owner goes on; then they are together again, with the connections that they had, or without.
fn part_and_heal(losses: u64) {
    run(async move {
        let owned = Owned::start(Some(Duration::from_millis(50))).await;
        owned.set(entries(100, 100));
        let weather = watch::Sender::new(Weather::default());
        let updates = Line::to(&owned.home.updates, &weather).await;
        let snapshots = Line::to(&owned.home.snapshots, &weather).await;
        let home = Home { updates: updates.address.clone(), snapshots: snapshots.address.clone() };
        let copied = Copied::of(&home);
        copied.catches_up_with(&owned).await;
        for round in 0..3 {
            let before = copied.seen.value();
            weather.send_modify(|weather| weather.is_parted = true);
            // It misses the heartbeats of its owner, whose connection is there, and what it asks does not arrive.
            copied.is(Status::Stale).await;
            assert_eq!(copied.seen.value(), before, "what was known stays readable");
            let gone = format!("key {round:08}");
            owned.change(value!({"round": round, gone: null}));
            owned.set(value!({"round": round, "parted": true}));
            owned.change(value!({"parted": null, "more": round}));
            assert_eq!(copied.seen.status(), Status::Stale);
            weather.send_modify(|weather| {
                *weather = Weather { is_parted: false, losses: weather.losses + losses };
            });
            copied.until(|copied| copied.seen.value() == owned.value()).await;
            copied.catches_up_with(&owned).await;
        }
        let counts = copied.figures().counts;
        assert_eq!((counts.bad_digest, counts.refused, counts.other_owner), (0, 0, 0));
    });
}

/// A partition of both ways between an owner and its copy, by which no connection is lost: what was said meanwhile comes late.
#[test]
fn a_copy_is_right_and_live_after_a_partition_that_lost_nothing() {
    part_and_heal(0);
}

/// A partition of both ways that has cost all connections by its end, with what was said on them.
#[test]
fn a_copy_is_right_and_live_after_a_partition_that_lost_all_connections() {
    part_and_heal(1);
}
