//! Laws of copies, changes and messages, tried on arbitrary ones.

use std::collections::BTreeMap;

use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use service_framework_core::value::{Map, Uuid};
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, value};
use service_framework_states::message::{Part, Since, WantedPart};
use service_framework_states::{Change, Copy, SnapshotReply, SnapshotRequest, Update};

/// What a state is when it is not bytes.
type Simple = BTreeMap<String, Value>;

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,40}".prop_map(Value::from),
        Just(value!({"asks": [1, 2.5], "nothing": null})),
    ]
}

/// Keys so few that they meet, and more than fit into one leaf of a copy; some that begin alike.
fn changes() -> impl Strategy<Value = BTreeMap<String, Option<Value>>> {
    btree_map("[a-o]{1,2}|a{27,31}[ab]?", proptest::option::of(values()), 0..60)
}

fn keys() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-300..300_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (0..400_usize).prop_map(|length| Value::from("x".repeat(length))),
        (0..400_usize).prop_map(|length| Value::Bytes(vec![7; length])),
        any::<u128>().prop_map(|uuid| Value::from(Uuid::from_u128(uuid))),
    ]
}

fn encoded(change: &BTreeMap<String, Option<Value>>) -> Vec<u8> {
    let entries = change.iter().map(|(key, value)| (key.as_str(), value.clone()));
    wire::encode(&Value::Map(entries.collect::<Map>()), Encoding::MessagePack).unwrap()
}

fn read(map: &[u8]) -> Change {
    Change::read(map, &Limits::default()).unwrap()
}

fn copy_of(state: &Simple) -> Copy {
    let change = state.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    Copy::of(&read(&encoded(&change)))
}

proptest! {
    #[test]
    fn applying_is_the_top_level_of_rfc_7396_and_the_digest_is_that_of_the_result(changes in vec(changes(), 0..20)) {
        let (mut copy, mut simple) = (Copy::new(), Simple::new());
        for change in &changes {
            let read = read(&encoded(change));
            let (before, expected) = (copy.clone(), copy.digest_after(&read));
            let simple_before = simple.clone();
            copy.apply(&read);
            for (key, value) in change {
                match value {
                    Some(value) => _ = simple.insert(key.clone(), value.clone()),
                    None => _ = simple.remove(key),
                }
            }
            prop_assert_eq!(copy.digest(), expected);
            let scratch = copy_of(&simple);
            prop_assert_eq!((copy.digest(), copy.len()), (scratch.digest(), simple.len()));
            prop_assert_eq!(copy.size_bytes(), scratch.size_bytes());
            prop_assert_eq!(&copy, &scratch);
            prop_assert!(copy.iter().is_sorted());
            prop_assert_eq!(before, copy_of(&simple_before), "a clone does not change with the copy");
            let mut whole = Vec::new();
            copy.write(&mut whole);
            prop_assert_eq!(Copy::of(&self::read(&whole)), copy.clone());
        }
    }

    #[test]
    fn keys_are_equal_if_their_bytes_are(one in keys(), other in keys(), wide in any::<bool>()) {
        let (one_bytes, other_bytes) = (
            wire::encode(&one, Encoding::MessagePack).unwrap(),
            wire::encode(&other, Encoding::MessagePack).unwrap(),
        );
        // What we write, we read.
        for bytes in [&one_bytes, &other_bytes] {
            prop_assert!(Change::read(&of_key(bytes), &Limits::default()).is_ok());
        }
        prop_assert_eq!(one == other, one_bytes == other_bytes);
        // The same integer in any other form is refused.
        if let Value::Int(int) = &one
            && let Ok(int) = i64::try_from(*int)
        {
            let mut widest = vec![if wide && int >= 0 { 0xcf } else { 0xd3 }];
            widest.extend(int.to_be_bytes());
            let is_shortest = widest == one_bytes;
            prop_assert_eq!(Change::read(&of_key(&widest), &Limits::default()).is_ok(), is_shortest);
        }
    }

    #[test]
    fn different_copies_are_unequal(one in changes(), other in changes()) {
        let (a, b) = (Copy::of(&read(&encoded(&one))), Copy::of(&read(&encoded(&other))));
        let whole = |change: &BTreeMap<String, Option<Value>>| -> Simple {
            change.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
        };
        prop_assert_eq!(a == b, whole(&one) == whole(&other));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        all_read(&bytes);
    }

    #[test]
    fn merging_a_copy_is_applying_all_of_it(ours in changes(), theirs in changes()) {
        let (mut merged, theirs) = (Copy::of(&read(&encoded(&ours))), read(&encoded(&theirs)));
        let mut applied = merged.clone();
        merged.merge(&Copy::of(&theirs));
        applied.apply(&theirs.without_idle_nulls(&Copy::new()));
        prop_assert_eq!(merged.size_bytes(), applied.size_bytes());
        prop_assert_eq!(merged, applied);
    }

    #[test]
    fn no_change_of_a_message_makes_a_reader_panic(change in changes(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let state = read(&encoded(&change));
        let (epoch, digest) = (Some(Uuid::from_u128(7)), Some(u64::MAX));
        let mut frame = Vec::new();
        Update { number: -7, is_snapshot: false, state: state.clone(), epoch, digest, workflow_id: None }.write(&mut frame);
        let part = Some(Part { index: 1, count: 3 });
        let (state, heartbeat) = (Copy::of(&state), Some(Duration::from_millis(u64::MAX)));
        let reply = SnapshotReply { state, number: i64::MIN, epoch, digest, heartbeat, part }.write();
        for mut bytes in [encoded(&change), frame, reply] {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            all_read(&bytes);
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        change in changes(), number in any::<i64>(), is_snapshot in any::<bool>(), epoch in proptest::option::of(any::<u128>()),
        digest in proptest::option::of(any::<u64>()), count in 1..9_u32, max_bytes in any::<u64>(),
    ) {
        let (state, epoch) = (read(&encoded(&change)), epoch.map(Uuid::from_u128));
        let update = Update { number, is_snapshot, state: state.clone(), epoch, digest, workflow_id: None };
        let mut frame = Vec::new();
        update.write(&mut frame);
        prop_assert_eq!(Update::read(&frame, &Limits::default(), 256).unwrap(), update.clone());
        let json: Value = wire::decode(&frame, Encoding::MessagePack, &Limits::default()).unwrap();
        let json = wire::encode(&json, Encoding::Json).unwrap();
        prop_assert_eq!(Update::read(&json, &Limits::default(), 256).unwrap(), update);

        let (state, part) = (Copy::of(&state), Some(Part { index: count - 1, count }));
        let heartbeat = digest.map(|milliseconds| Duration::from_millis(milliseconds.max(1)));
        let reply = SnapshotReply { state, number, epoch, digest, heartbeat, part };
        prop_assert_eq!(SnapshotReply::read(&reply.write(), &Limits::default()).unwrap(), reply);

        let since = Some(Since { epoch, number: Some(number), max_bytes });
        let request = SnapshotRequest { encoding: Encoding::MessagePack, since, part: Some(WantedPart { index: count, number }) };
        prop_assert_eq!(SnapshotRequest::read(&request.write(), &Limits::default()).unwrap(), request);
    }
}

fn all_read(bytes: &[u8]) {
    let limits = Limits { max_message_bytes: 150, max_depth: 8, max_values: 50 };
    for limits in [limits, Limits::default()] {
        if let Ok(change) = Change::read(bytes, &limits) {
            let mut again = Vec::new();
            change.write(&mut again);
            assert_eq!(read(&again), change);
        }
        _ = Update::read(bytes, &limits, 64);
        _ = SnapshotRequest::read(bytes, &limits);
        _ = SnapshotReply::read(bytes, &limits);
    }
}

#[track_caller]
fn check_refused(map: &[u8], expected: &str) {
    let fault = Change::read(map, &Limits::default()).unwrap_err();
    assert_eq!(fault.to_string(), expected);
}

/// A map of one entry, whose key has these bytes.
fn of_key(key: &[u8]) -> Vec<u8> {
    [b"\x81", key, b"\x07"].concat()
}

#[test]
fn a_key_has_one_form_and_any_other_is_refused() {
    let long = |marker: &[u8], length: usize| [marker, &vec![b'a'; length]].concat();
    for other in [
        b"\xcc\x01".to_vec(),
        b"\xcc\x7f".to_vec(),
        b"\xd0\x01".to_vec(),
        b"\xd0\xff".to_vec(),
        b"\xcd\x00\xff".to_vec(),
        b"\xd1\x01\x00".to_vec(),
        b"\xce\x00\x00\xff\xff".to_vec(),
        b"\xd2\xff\xff\x80\x00".to_vec(),
        b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff".to_vec(),
        b"\xd3\x00\x00\x00\x00\x00\x00\x00\x01".to_vec(),
        b"\xca\x3f\x80\x00\x00".to_vec(),
        long(b"\xd9\x1f", 31),
        long(b"\xda\x00\xff", 255),
        long(b"\xdb\x00\x00\x00\xff", 255),
        long(b"\xc5\x00\xff", 255),
        long(b"\xc6\x00\x00\x00\x01", 1),
        b"\xdc\x00\x01\x01".to_vec(),
        b"\x91\xcc\x01".to_vec(),
    ] {
        let fault = Change::read(&of_key(&other), &Limits::default()).unwrap_err();
        assert_eq!(fault.to_string(), "a key that is not in its shortest form", "{other:02x?}");
        assert_eq!(fault.offset(), Some(1));
    }
    for shortest in [
        b"\x01".to_vec(),
        b"\xff".to_vec(),
        b"\xcc\x80".to_vec(),
        b"\xd0\xdf".to_vec(),
        b"\xc3".to_vec(),
        b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00".to_vec(),
        long(b"\xbf", 31),
        long(b"\xd9\x20", 32),
        long(b"\xda\x01\x00", 256),
        long(b"\xc4\xff", 255),
        b"\x92\x01\xa1a".to_vec(),
    ] {
        assert_eq!(read(&of_key(&shortest)).len(), 1, "{shortest:02x?}");
    }
}

/// Decimals are equal by their numbers: a map of a service would have one entry where the copy has two.
#[test]
fn a_key_that_is_a_decimal_has_no_zeros_that_say_nothing() {
    let key = |text: &str| {
        let key = Value::Decimal(text.parse().unwrap());
        of_key(&wire::encode(&key, Encoding::MessagePack).unwrap())
    };
    for shortest in ["1", "-1.5", "100", "0.001", "1E-7", "NaN", "Infinity"] {
        assert_eq!(read(&key(shortest)).len(), 1, "{shortest}");
    }
    for other in ["1.00", "-1.50", "1E+2", "0.0010", "nan", "-0"] {
        Change::read(&key(other), &Limits::default()).unwrap_err();
    }
    check_refused(
        &key("9950.00"),
        "a key that is not in its shortest form: the decimal 9950.00, which is 9950",
    );
    // As Python has no other keys than texts, which may be other ones though they mean the same number.
    assert_eq!(read(b"\x82\xa31.0\x01\xa41.00\x02").len(), 2);
}

#[test]
fn what_is_no_map_of_different_keys_is_refused() {
    check_refused(b"\x82\xa1a\x01\xa1a\x02", "a key stands twice");
    check_refused(b"\x90", "expected a map, got a list of 0");
    check_refused(b"\x80\x80", "1 bytes too many after the value");
}
