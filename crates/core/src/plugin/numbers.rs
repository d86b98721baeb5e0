//! The numbers that encodings, times and targets of calls have at the boundary.

use std::time::Duration;

use super::{Target, abi};
use crate::declaration::Hook;
use crate::wire::{Encoding, Peer};

pub(super) fn read_encoding(number: u32) -> (Encoding, Peer) {
    let encoding = if number & 0xff == abi::JSON { Encoding::Json } else { Encoding::MessagePack };
    let peer = if number & abi::FOR_PYTHON == 0 { Peer::Any } else { Peer::Python };
    (encoding, peer)
}

pub(super) fn write_encoding(encoding: Encoding, peer: Peer) -> u32 {
    let number = if encoding == Encoding::Json { abi::JSON } else { abi::MESSAGE_PACK };
    number + if peer == Peer::Python { abi::FOR_PYTHON } else { 0 }
}

pub(super) fn read_duration(milliseconds: u64) -> Option<Duration> {
    (milliseconds != abi::NEVER).then(|| Duration::from_millis(milliseconds))
}

pub(super) fn write_duration(duration: Option<Duration>) -> u64 {
    duration.map_or(abi::NEVER, |duration| u64::try_from(duration.as_millis()).unwrap_or(abi::NEVER))
}

pub(super) fn read_time(microseconds: u64) -> Option<Duration> {
    (microseconds != abi::NEVER).then(|| Duration::from_micros(microseconds))
}

pub(super) fn write_time(time: Option<Duration>) -> u64 {
    time.map_or(abi::NEVER, |time| u64::try_from(time.as_micros()).unwrap_or(abi::NEVER))
}

pub(super) fn read_hook(number: u32) -> Option<Hook> {
    Hook::ALL.get(number as usize).copied()
}

pub(super) fn write_hook(hook: Hook) -> u32 {
    let position = Hook::ALL.iter().position(|known| *known == hook);
    position.expect("the list has all hooks") as u32
}

pub(super) fn read_target(number: u32) -> Option<Target> {
    if let Some(hook) = number.checked_sub(abi::FIRST_HOOK) {
        return read_hook(hook).map(Target::Hook);
    }
    Some(number.checked_sub(abi::FIRST_STATE).map_or(Target::Connection(number), Target::State))
}

pub(super) fn write_target(target: Target) -> u32 {
    match target {
        Target::Connection(number) => number,
        Target::State(number) => abi::FIRST_STATE + number,
        Target::Hook(hook) => abi::FIRST_HOOK + write_hook(hook),
    }
}
