//! Holds what was wired against itself: what each connection lacks, and what two of them cannot both have.

use super::{Wired, refuse_plaintext};
use crate::address::{Address, Host};
use crate::declaration::ConnectionKind;
use crate::problem::{Problem, Problems};
use crate::settings::{ANYBODY, ConnectionSettings, Plaintext, ServiceSettings, SlowSubscriber};
use crate::wire::{Encoding, Peer};

/// Holds the settings of the encryption against each other.
fn check_security(wired: &Wired, service: &ServiceSettings, wrong: &mut dyn FnMut(String)) {
    let Wired { name, settings, listens, .. } = wired;
    let ConnectionSettings { curve_keys, curve_server, curve_allow, .. } = settings;
    match (curve_keys, listens) {
        (None, _) if wired.is_exposed() && service.plaintext == Plaintext::Refuse => {
            wired.address.iter().for_each(|address| wrong(refuse_plaintext(name, address)));
        }
        (None, _) => {
            let lost = [("curve_server", curve_server), ("curve_allow", curve_allow)];
            for (setting, _) in lost.into_iter().filter(|(_, value)| value.is_some()) {
                wrong(format!(
                    "`{name}` has `{setting}` and no `curve_keys`: set the file with its own keys, too"
                ));
            }
        }
        (Some(_), _) if service.engine == "zeromq" => {
            wrong(format!("`{name}` has `curve_keys`, and the engine `zeromq` cannot encrypt"));
        }
        (Some(_), true) if curve_allow.is_none() => wrong(format!(
            "`{name}` listens with `curve_keys`, and nobody is let in: set `curve_allow` to the public keys of its peers, or to `{ANYBODY}`"
        )),
        (Some(_), false) if curve_server.is_none() => wrong(format!(
            "`{name}` connects with `curve_keys`, and to nobody: set `curve_server` to the public key of its peer"
        )),
        (Some(_), true) if curve_server.is_some() => {
            wrong(format!("`{name}` listens, and `curve_server` is of those that connect"));
        }
        (Some(_), _) => {}
    }
}

pub(super) fn check_wired(wired: &Wired, service: &ServiceSettings, problems: &mut Problems) {
    let name = &wired.name;
    let wrong = |text: String| Problem { text, place: wired.place.clone() };
    if let (Some(address @ Address::Tcp { host, port }), false) = (&wired.address, wired.listens) {
        let lacks = match (*host == Host::Any, *port == 0) {
            (false, false) => None,
            (true, false) => Some(format!("no host: write `localhost:{port}` for this machine")),
            (false, true) => Some("no port: only who listens may leave it to the system".to_owned()),
            (true, true) => Some("neither host nor port: write HOST:PORT".to_owned()),
        };
        if let Some(lacks) = lacks {
            problems.add(wrong(format!("`{name}` connects, and `{address}` names {lacks}")));
        }
    }
    check_security(wired, service, &mut |text| problems.add(wrong(text)));
    let engine = &service.engine;
    if let Some(address @ Address::Inproc(_)) = &wired.address
        && engine == "zeromq"
    {
        problems.add(wrong(format!(
            "`{name}` has the address `{address}`, and the engine `{engine}` has no inproc://: write ipc://PATH or HOST:PORT"
        )));
    }
    if wired.settings.slow_subscriber != SlowSubscriber::DropNewest && engine == "zeromq" {
        problems.add(wrong(format!(
            "`{name}` has `slow_subscriber`, and the engine `{engine}` always drops the newest publication, without a count"
        )));
    }
    if wired.settings.peer == Peer::Python && wired.settings.encoding == Encoding::Json {
        problems.add(wrong(format!(
            "`{name}` has `peer` python and `encoding` json, which Python does not read"
        )));
    }
}

/// Reports connections of one service that would listen at one address. Publishers may: they share a socket.
pub(super) fn check_listeners(connections: &[&Wired], problems: &mut Problems) {
    for (position, later) in connections.iter().enumerate() {
        let rival = connections[..position].iter().find(|earlier| {
            let both_publish =
                earlier.kind == ConnectionKind::Publisher && later.kind == ConnectionKind::Publisher;
            earlier.listens
                && later.listens
                && !both_publish
                && is_taken(earlier.address.as_ref(), later.address.as_ref())
        });
        if let (Some(earlier), Some(address)) = (rival, &later.address) {
            let rival = match earlier.name == later.name {
                true => format!("its own {}", earlier.kind),
                false => format!("`{}`", earlier.name),
            };
            let text = format!("`{}` cannot listen at {address}: {rival} does", later.name);
            problems.add(Problem { text, place: later.place.clone() });
        }
    }
}

/// Reports publishers that share a socket and would have it behave differently.
pub(super) fn check_shared(connections: &[&Wired], problems: &mut Problems) {
    let publishers = connections.iter().filter(|wired| wired.kind == ConnectionKind::Publisher);
    let publishers: Vec<_> = publishers
        .filter(|wired| wired.address.as_ref().is_some_and(|address| !address.is_ephemeral()))
        .collect();
    for (position, later) in publishers.iter().enumerate() {
        let first = publishers[..position]
            .iter()
            .find(|earlier| earlier.address == later.address && earlier.listens == later.listens);
        let Some(first) = first else { continue };
        for setting in contradictions(&first.settings, &later.settings) {
            let text = format!(
                "`{}` has the address of `{}`, whose socket it shares, and another `{setting}`: give both the same",
                later.name, first.name
            );
            problems.add(Problem { text, place: later.place.clone() });
        }
    }
}

/// The settings that a socket has once, and that two of its publishers have differently.
fn contradictions(
    one: &ConnectionSettings,
    other: &ConnectionSettings,
) -> impl Iterator<Item = &'static str> {
    let differ = [
        ("curve_keys", one.curve_keys != other.curve_keys),
        ("curve_server", one.curve_server != other.curve_server),
        ("curve_allow", one.curve_allow != other.curve_allow),
        ("slow_subscriber", one.slow_subscriber != other.slow_subscriber),
        ("queue", one.queue != other.queue),
        ("queue_bytes", one.queue_bytes != other.queue_bytes),
        ("max_peers", one.max_peers != other.max_peers),
    ];
    differ.into_iter().filter_map(|(name, differs)| differs.then_some(name))
}

fn is_taken(held: Option<&Address>, wanted: Option<&Address>) -> bool {
    match (held, wanted) {
        (Some(Address::Tcp { host: h, port: p }), Some(Address::Tcp { host, port })) => {
            p == port && *p != 0 && (h == host || *h == Host::Any || *host == Host::Any)
        }
        (Some(held), Some(wanted)) => held == wanted,
        _ => false,
    }
}
