//! What a reader does with a snapshot that comes in parts.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Failure, Value, value};
use service_framework_states::delta::Owner;
use service_framework_states::delta::reader::{Event, Output, Reader, Settings};
use service_framework_states::message::Part;
use service_framework_states::{Change, Copy, SnapshotReply};

fn change(value: &Value) -> Change {
    let map = wire::encode(value, Encoding::MessagePack).unwrap();
    Change::read(&map, &Limits::default()).unwrap()
}

fn all(_: &Event<'_>) -> Result<(), Failure> {
    Ok(())
}

/// Whether it has asked since the last time.
fn asks(reader: &mut Reader) -> bool {
    let outputs: Vec<_> = std::iter::from_fn(|| reader.poll()).collect();
    outputs.iter().any(|output| matches!(output, Output::Ask(_)))
}

/// A snapshot is larger, with all its parts, than a copy may be.
#[test]
fn parts_that_are_too_much_together_are_dropped() {
    let now = Instant::now();
    let mut owner = Owner::new(Uuid::from_u128(1), 100, None, now);
    let many = (0..20_u32).map(|key| (key.to_string(), Value::from("x".repeat(30))));
    let state = Value::Map(many.collect());
    owner.set(change(&state), now).unwrap();
    let parts = owner.snapshot().encode_parts(340);
    let mut reader = Reader::new(Settings { max_snapshot_bytes: 800, ..Settings::default() }, now);
    reader.connected(now);
    for part in &parts[..3] {
        reader.reply(&SnapshotReply::read(part, &Limits::default()).unwrap(), now, &mut all);
    }
    assert_eq!((reader.copy(), reader.counts().bad_snapshots), (None, 1));
}

/// A part that came in answer to the last request.
fn part(index: u32, count: u32, state: &Value) -> SnapshotReply {
    SnapshotReply {
        state: Copy::of(&change(state)),
        number: 7,
        epoch: Some(Uuid::from_u128(1)),
        digest: None,
        heartbeat: None,
        part: Some(Part { index, count }),
    }
}

#[test]
fn a_part_that_brings_nothing_is_none() {
    let now = Instant::now();
    for states in [&[value!({})][..], &[value!({"a": 1}), value!({})]] {
        let mut reader = Reader::new(Settings::default(), now);
        reader.connected(now);
        for (index, state) in (0..).zip(states) {
            assert!(asks(&mut reader), "for {index} of {states:?}");
            reader.reply(&part(index, u32::MAX, state), now, &mut all);
        }
        assert!(!asks(&mut reader), "after {states:?}");
        assert_eq!((reader.copy(), reader.counts().bad_snapshots), (None, 1));
        assert!(reader.next_wake().unwrap() > now, "it asks again after a pause");
    }
}

#[test]
fn parts_are_put_together_elsewhere_and_have_entries_of_their_own() {
    let now = Instant::now();
    let a = value!({"a": 1});
    let cases: [(&[Value], usize); 4] = [
        (&[a.clone(), value!({"b": 1})], 2),
        (&[a.clone(), value!({"b": 1}), value!({"c": 1})], 3),
        (&[a.clone(), a.clone()], 0),
        (&[a.clone(), value!({"b": 1}), value!({"c": 1, "a": 2})], 0),
    ];
    for (states, entries) in cases {
        let mut reader = Reader::new(Settings::default(), now);
        reader.connected(now);
        for (index, state) in (0..).zip(states) {
            assert!(asks(&mut reader), "for {index} of {states:?}");
            reader.reply(&part(index, states.len() as u32, state), now, &mut all);
        }
        let Some(Output::Join(parts)) = reader.poll() else { panic!("it has all") };
        assert_eq!((reader.poll(), reader.copy()), (None, None), "nothing is asked meanwhile");
        reader.tick(now + Duration::from_secs(60));
        assert_eq!(reader.poll(), None, "nor later");
        reader.joined(parts.join(), now, &mut all);
        assert_eq!(reader.copy().map_or(0, Copy::len), entries, "{states:?}");
        assert_eq!(reader.counts().bad_snapshots, u64::from(entries == 0));
        let asks_again = reader.next_wake();
        assert_eq!(asks_again.is_some_and(|at| at > now), entries == 0, "after a pause");
    }
}

proptest! {
    /// Small entries take more memory than they have bytes on the wire.
    #[test]
    fn a_snapshot_is_taken_if_its_entries_fit_into_memory(
        values in proptest::collection::vec(0..60_usize, 1..40), part_bytes in 250..2_000_usize, max_snapshot_bytes in 0..6_000_usize,
    ) {
        let now = Instant::now();
        let mut owner = Owner::new(Uuid::from_u128(1), 100, None, now);
        let state = (0..).zip(&values).map(|(key, length): (i64, _)| (key, "x".repeat(*length)));
        owner.set(change(&Value::Map(state.collect())), now).unwrap();
        let mut reader = Reader::new(Settings { max_snapshot_bytes, ..Settings::default() }, now);
        reader.connected(now);
        for part in owner.snapshot().encode_parts(part_bytes) {
            reader.reply(&SnapshotReply::read(&part, &Limits::default()).unwrap(), now, &mut all);
            while let Some(output) = reader.poll() {
                if let Output::Join(parts) = output {
                    reader.joined(parts.join(), now, &mut all);
                }
            }
        }
        // Each has a key of one byte, and a text of so many bytes behind one or two.
        let bytes: usize = values.iter().map(|length| 1 + 1 + usize::from(*length > 31) + length).sum();
        let fits = bytes + 64 * values.len() <= max_snapshot_bytes;
        prop_assert_eq!(reader.copy().is_some(), fits);
        prop_assert_eq!(reader.counts().bad_snapshots, u64::from(!fits));
    }
}
