//! Bytes that nobody meant well: all of them are refused, none of them panics or takes much memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use service_framework_core::Value;
use service_framework_core::declaration::Declaration;
use service_framework_core::wire::{self, Encoding, Limits, Reader, Token};
use service_framework_macros::Model;

#[path = "support/recorded.rs"]
mod recorded;

/// The system's allocator, which counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(change: impl FnOnce(usize) -> usize) {
    HELD.set(change(HELD.get()));
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: every call goes on to the system's allocator unchanged.
#[expect(unsafe_code, reason = "an allocator cannot be written without; it stands in this test alone")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|held| held + layout.size());
        // SAFETY: the caller keeps the promise of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // What another thread allocated may be freed here.
        count(|held| held.saturating_sub(layout.size()));
        // SAFETY: the caller keeps the promise of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes held at once while `run` runs, beyond those held before.
fn most_held<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = run();
    (result, MOST.get() - before)
}

#[derive(Model, Debug)]
#[model(crate = "service_framework_core")]
struct Tree {
    name: String,
    #[model(default)]
    size: u64,
    leaves: Vec<Tree>,
    more: std::collections::BTreeMap<String, f64>,
}

/// What both kinds of reading say of bytes, and the most that either held.
fn read(bytes: &[u8], encoding: Encoding) -> (Result<Value, String>, usize) {
    let limits = Limits::default();
    let told = |fault: service_framework_core::Fault| fault.to_string();
    let (value, held) = most_held(|| wire::decode::<Value>(bytes, encoding, &limits).map_err(told));
    let (_, typed_held) = most_held(|| wire::decode::<Tree>(bytes, encoding, &limits).map_err(told));
    (value, held.max(typed_held))
}

#[track_caller]
fn check_refused(bytes: &[u8], encoding: Encoding, most_held: usize, text: &str) {
    let (told, held) = read(bytes, encoding);
    let told = told.unwrap_err();
    assert!(told.contains(text), "{told}");
    assert!(held <= most_held, "{held} bytes were held for {}", bytes.len());
}

#[test]
fn a_declared_length_allocates_nothing() {
    for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
        let mut message = vec![marker, 0xff, 0xff, 0xff, 0xff];
        message.extend_from_slice(b"\x01\x02\x03\x04\x05");
        check_refused(&message, Encoding::MessagePack, 2048, "truncated");
    }
    // Each list claims as many as there could be.
    let nested: Vec<u8> = [0xdd, 0xff, 0xff, 0xff, 0xff].repeat(64).into_iter().chain([0xc0; 500]).collect();
    check_refused(&nested, Encoding::MessagePack, 64 * 1024 + 32 * 1024, "truncated");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    check_refused(&[0x91; 10_000], Encoding::MessagePack, 100_000, "nested deeper than 64 levels");
    check_refused("[".repeat(10_000).as_bytes(), Encoding::Json, 100_000, "nested deeper than 64 levels");
    let maps = b"\x81\xa1a".repeat(10_000);
    check_refused(&maps, Encoding::MessagePack, 100_000, "nested deeper than 64 levels");
    check_refused(
        r#"{"a":"#.repeat(10_000).as_bytes(),
        Encoding::Json,
        100_000,
        "nested deeper than 64 levels",
    );
}

#[test]
fn a_setting_cannot_allow_what_the_stack_does_not() {
    let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
    let tree: Vec<u8> = b"\x83\xa4name\xa0\xa4more\x80\xa6leaves\x91".repeat(10_000);
    let fault = wire::decode::<Tree>(&tree, Encoding::MessagePack, &limits).unwrap_err();
    assert!(fault.to_string().ends_with("nested deeper than 256 levels"), "{fault}");
    assert!(wire::decode::<Value>(&[0x91; 10_000], Encoding::MessagePack, &limits).is_err());
}

#[test]
fn bytes_that_message_pack_does_not_have_are_refused() {
    for (message, text) in [
        (&b""[..], "truncated: 1 bytes are due, 0 are left"),
        (b"\xc1", "the reserved byte c1"),
        (b"\x81\xa1a\xc1", "a: the reserved byte c1"),
        (b"\xd4\x01\x00", "an extension type"),
        (b"\xc7\x01\x00\x00", "an extension type"),
        (b"\xa2\xff\xfe", "not UTF-8"),
        (b"\x81\xa1\xff\xc0", "not UTF-8"),
        (b"\x82\xa1a\x01\xa1a\x02", "a: the key stands twice"),
        (b"\x80\x80", "1 bytes too many after the value"),
        (b"\x81\x80\x01", "expected a key that is no map, set or array, got a map"),
        (b"\xcd\x01", "truncated: 2 bytes are due, 1 are left"),
    ] {
        check_refused(message, Encoding::MessagePack, 2048, text);
    }
}

#[test]
fn json_that_is_not_utf8_is_refused() {
    check_refused(b"{\"a\": \"\xff\"}", Encoding::Json, 2048, "a: a text that is not UTF-8");
    check_refused(b"\xff", Encoding::Json, 2048, "expected a value");
}

#[test]
fn every_truncation_of_every_recording_is_refused() {
    for recording in recorded::recordings() {
        let payload = recording.payload();
        for end in 0..payload.len() {
            assert!(read(&payload[..end], Encoding::MessagePack).0.is_err(), "{} to {end}", recording.name);
        }
        let value: Value = wire::decode(payload, Encoding::MessagePack, &Limits::default()).unwrap();
        let json = wire::encode(&value, Encoding::Json).unwrap();
        for end in 0..json.len() {
            assert!(read(&json[..end], Encoding::Json).0.is_err(), "{} to {end}", recording.name);
        }
    }
}

#[test]
fn every_changed_byte_of_every_recording_is_taken_or_refused() {
    for recording in recorded::recordings() {
        let mut payload = recording.payload().to_vec();
        for at in 0..payload.len() {
            let kept = payload[at];
            // A fifth of all bytes each time, each byte in its turn.
            for byte in (at as u8 % 5..=255).step_by(5) {
                payload[at] = byte;
                let (_, held) = read(&payload, Encoding::MessagePack);
                assert!(held < 60 * payload.len() + 4096, "{}: {held} bytes", recording.name);
            }
            payload[at] = kept;
        }
    }
}

#[test]
fn many_small_values_hold_a_bounded_multiple() {
    let mut nulls = vec![0xdd, 0x00, 0x0e, 0x00, 0x00];
    nulls.resize(5 + 0x000e_0000, 0xc0);
    let (value, held) = read(&nulls, Encoding::MessagePack);
    assert!(value.is_ok());
    // A value is 32 bytes; a vector that grows holds its old and its new half for a moment.
    assert!(held < 110 * nulls.len(), "{held}");
    nulls[2] = 0x10;
    nulls.resize(5 + 0x0010_0000, 0xc0);
    assert!(
        read(&nulls, Encoding::MessagePack).0.unwrap_err().ends_with("more values than a message may have")
    );
}

#[test]
fn many_keys_cost_no_quadratic_time() {
    // With all pairs compared this would be 3e10 comparisons, of values that hash alike if containers counted as keys.
    let count = 250_000u32;
    let mut message = vec![0xdf];
    message.extend_from_slice(&count.to_be_bytes());
    for number in 0..count {
        message.push(0xce);
        message.extend_from_slice(&number.to_be_bytes());
        message.push(0xc0);
    }
    assert!(read(&message, Encoding::MessagePack).0.is_ok());
}

/// Reads past a value token by token.
fn walk(reader: &mut Reader<'_>) -> Result<(), service_framework_core::Fault> {
    match reader.token()? {
        Token::List(mut items) => {
            while items.next(reader)? {
                walk(reader)?;
            }
        }
        Token::Map(mut entries) => {
            while entries.next(reader)? {
                walk(reader)?;
                entries.colon(reader)?;
                walk(reader)?;
            }
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_neither_panic_nor_take_much(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for encoding in [Encoding::MessagePack, Encoding::Json] {
            let (value, held) = read(&bytes, encoding);
            prop_assert!(held <= 64 * 1024, "{held} bytes for {}", bytes.len());
            if let Ok(value) = value {
                let again = wire::encode(&value, encoding).unwrap();
                prop_assert_eq!(wire::decode::<Value>(&again, encoding, &Limits::default()).unwrap(), value);
            }
        }
        _ = wire::decode::<Declaration>(&bytes, Encoding::MessagePack, &Limits::default());
    }

    #[test]
    fn what_is_skipped_is_what_has_tokens(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80u8..0x9f, 0xc0u8..=0xdf], 0..40),
        limits in (0usize..5, 0usize..12)
    ) {
        let limits = Limits { max_depth: limits.0, max_values: limits.1, ..Limits::default() };
        for encoding in [Encoding::MessagePack, Encoding::Json] {
            let (mut skipping, mut walking) = [(); 2].map(|()| Reader::new(&bytes, encoding, &limits)).into();
            let told = |fault: service_framework_core::Fault| fault.to_string();
            prop_assert_eq!(skipping.skip().map_err(told), walk(&mut walking).map_err(told));
            prop_assert_eq!(skipping.offset(), walking.offset());
        }
    }

    #[test]
    fn almost_json_does_not_panic(text in "[\\[\\]{}:,\"\\\\0-9eE.+truefalsnu \\PC-]{0,60}") {
        let (_, held) = read(text.as_bytes(), Encoding::Json);
        prop_assert!(held <= 64 * 1024);
    }
}
