//! The payloads that are refused, each with its reason.

use service_framework_core::wire::{self, Encoding};
use service_framework_core::{Value, value};

/// The most bytes that the service under attack takes.
pub(crate) const MOST_BYTES: i64 = 65_536;

/// A payload, and what must be said of it.
pub(crate) struct Attack {
    pub(crate) name: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) code: &'static str,
    /// Part of the message: where it is, or what.
    pub(crate) told: &'static str,
}

/// A message that is right.
pub(crate) fn good() -> Vec<u8> {
    message(&value!({"id": "a-1", "size": 3, "price": 1.5}))
}

pub(crate) fn message(args: &Value) -> Vec<u8> {
    encode(&value!({"args": (args.clone()), "workflow_id": "w"}))
}

/// Writes `~~` as `__`: the keys of tags are not to be had from a writer that means well.
fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = wire::encode(value, Encoding::MessagePack).unwrap();
    for at in 1..bytes.len() {
        if &bytes[at - 1..=at] == b"~~" {
            bytes[at - 1..=at].copy_from_slice(b"__");
        }
    }
    bytes
}

/// An order in which one field is these bytes.
fn with_field(field: &str, bytes: &[u8]) -> Vec<u8> {
    let mut fields = vec![("id", b"\xa3a-1".to_vec()), ("size", vec![3]), ("price", vec![0xcb; 9])];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, bytes.to_vec()));
    let mut args = vec![0x80 | fields.len() as u8];
    for (name, value) in fields {
        args.extend(encode(&Value::from(name)));
        args.extend(value);
    }
    with_args(&args)
}

fn with_args(args: &[u8]) -> Vec<u8> {
    [b"\x82\xa4args".as_slice(), args, b"\xabworkflow_id\xa1w"].concat()
}

fn order(extra: (&str, Value)) -> Vec<u8> {
    let mut args = value!({"id": "a-1", "size": 3, "price": 1.5});
    if let Value::Map(map) = &mut args {
        map.insert(extra.0, extra.1);
    }
    message(&args)
}

fn tagged(tag: &str, key: &str, inner: Value) -> Value {
    value!({tag: true, key: (inner)})
}

/// Bytes like noise, the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let mut add = |name: &str, payload: Vec<u8>, code: &'static str, told: &'static str| {
        attacks.push(Attack { name: name.to_owned(), payload, code, told });
    };
    broken_bytes(&mut add);
    broken_envelopes(&mut add);
    lies_about_length(&mut add);
    wrong_arguments(&mut add);
    forged_tags(&mut add);
    broken_json(&mut add);
    attacks
}

type Add<'a> = &'a mut dyn FnMut(&str, Vec<u8>, &'static str, &'static str);

const BAD: &str = "bad_message";
const ARGS: &str = "bad_args";

fn broken_bytes(add: Add<'_>) {
    add("an empty frame", vec![], BAD, "empty");
    for seed in 1..=20 {
        add(&format!("noise {seed}"), noise(seed, 1 + seed as usize * 13), BAD, "");
    }
    let good = good();
    for cut in 1..good.len() {
        add(&format!("cut at {cut}"), good[..cut].to_vec(), BAD, "");
    }
    add("a trailing byte", [&good[..], b"\xc0"].concat(), BAD, "");
    add("a second message behind it", [&good[..], &good[..]].concat(), BAD, "");
    add("a list", encode(&value!([1, 2])), BAD, "map");
    add("an integer", vec![5], BAD, "map");
    add("null", vec![0xc0], BAD, "map");
    add("the reserved byte", vec![0xc1], BAD, "reserved");
    add("the reserved byte in a field", with_field("size", &[0xc1]), BAD, "args");
    add("an extension type", with_field("size", &[0xd4, 1, 0]), BAD, "args");
    add("text that is no UTF-8", with_field("id", b"\xa2\xff\xfe"), BAD, "args");
    add("a key that is no UTF-8", with_args(b"\x81\xa2\xff\xfe\x01"), BAD, "args");
    let deep = |marker: u8| [vec![marker; 10_000], vec![0xc0]].concat();
    add("10,000 lists in one another", with_field("anything", &deep(0x91)), BAD, "args");
    add("10,000 lists and no message", deep(0x91), BAD, "");
    let maps: Vec<u8> = std::iter::repeat_n(b"\x81\xa1a", 10_000).flatten().copied().chain([0xc0]).collect();
    add("10,000 maps in one another", with_field("anything", &maps), BAD, "args");
    let large = order(("anything", Value::from("x".repeat(MOST_BYTES as usize))));
    add("a message over the limit", large, "too_large", "the limit is 65536");
}

fn broken_envelopes(add: Add<'_>) {
    let of = |value: Value| encode(&value);
    add("no args", of(value!({"workflow_id": "w"})), BAD, "args");
    add("an empty map", of(value!({})), BAD, "args");
    add("null args", of(value!({"args": null, "workflow_id": "w"})), BAD, "args");
    add("a list as args", of(value!({"args": [1], "workflow_id": "w"})), BAD, "args");
    add("a key that is no text", b"\x82\xa4args\x80\x01\x02".to_vec(), BAD, "");
    let long = "w".repeat(1_025);
    add("a long workflow_id", of(value!({"args": {}, "workflow_id": (long.as_str())})), BAD, "workflow_id");
    add("a number as workflow_id", of(value!({"args": {}, "workflow_id": 7})), BAD, "workflow_id");
    add("a map as workflow_id", of(value!({"args": {}, "workflow_id": {"a": 1}})), BAD, "workflow_id");
    add("a text as deadline", of(value!({"args": {}, "deadline_ms": "soon"})), BAD, "deadline_ms");
    add("a negative deadline", of(value!({"args": {}, "deadline_ms": (-1)})), BAD, "deadline_ms");
    add("args twice", [b"\x82\xa4args\x80\xa4args\x80".as_slice()].concat(), BAD, "args");
    add(
        "workflow_id twice",
        b"\x83\xa4args\x80\xabworkflow_id\xa1a\xabworkflow_id\xa1b".to_vec(),
        BAD,
        "workflow_id",
    );
}

fn lies_about_length(add: Add<'_>) {
    for (what, marker) in [("list", 0xdd), ("map", 0xdf), ("text", 0xdb), ("bytes", 0xc6)] {
        let lie = [marker, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5];
        add(&format!("a {what} of 2^32-1 and 5 bytes"), lie.to_vec(), BAD, "");
        add(&format!("a {what} of 2^32-1 as args"), with_args(&lie), BAD, "args");
        for field in ["id", "anything", "tags", "points"] {
            add(&format!("a {what} of 2^32-1 as {field}"), with_field(field, &lie), BAD, "args");
        }
    }
    // The keys of the envelope lie, too.
    add("an envelope of 2^32-1 keys", [b"\xdf\xff\xff\xff\xff".as_slice(), &good()[1..]].concat(), BAD, "");
}

fn wrong_arguments(add: Add<'_>) {
    add("a text for an integer", order(("size", "3".into())), ARGS, "args.size");
    add("true for an integer", order(("size", true.into())), ARGS, "args.size");
    add("2.0 for an integer", order(("size", 2.0.into())), ARGS, "args.size");
    add("a negative one", order(("size", Value::Int(-1))), ARGS, "args.size");
    add("null for an integer", order(("size", Value::Null)), ARGS, "args.size");
    add("a missing field", message(&value!({"id": "a", "size": 1})), ARGS, "args.price");
    add("no field at all", message(&value!({})), ARGS, "args.id");
    add("an extra field", order(("colour", "red".into())), ARGS, "args.colour");
    add("an integer as a key", with_args(b"\x81\x01\x02"), ARGS, "args");
    add("a key twice", with_args(b"\x82\xa2id\xa1a\xa2id\xa1b"), ARGS, "args.id");
    let asks = value!({"asks": [{"price": (Value::Null)}]});
    add("a fault deep inside", order(("nested", asks)), ARGS, "args.nested.asks[0].price");
    let twice = b"\x82\xa1a\x01\xa1a\x02";
    add("a key twice in a map of any kind", with_field("anything", twice), ARGS, "args.anything.a");
}

fn forged_tags(add: Add<'_>) {
    let decimal = |inner| tagged("~~decimal~~", "as_str", inner);
    add("a decimal of a number", order(("amount", decimal(5.into()))), ARGS, "args.amount");
    let digits = format!("{}x", "7".repeat(50_000));
    add(
        "a decimal of 50,000 digits and a letter",
        order(("amount", decimal(digits.into()))),
        ARGS,
        "args.amount",
    );
    add("a decimal of a word", order(("amount", decimal("five".into()))), ARGS, "args.amount");
    add("a decimal of a number, anywhere", order(("anything", decimal(5.into()))), ARGS, "args.anything");
    let set = |inner| tagged("~~set~~", "value", inner);
    add("a set of maps", order(("tags", set(value!([{"a": 1}])))), ARGS, "args.tags");
    add("a set of maps, anywhere", order(("anything", set(value!([{"a": 1}])))), ARGS, "args.anything");
    add("a set that is a number", order(("tags", set(7.into()))), ARGS, "args.tags");
    let array = |inner: &[u8]| tagged("~~numpy.ndarray~~", "as_bytes", Value::Bytes(inner.to_vec()));
    add("an array of 7 bytes", order(("points", array(&[0; 7]))), ARGS, "args.points");
    add("an array of 7 bytes, anywhere", order(("anything", array(&[0; 7]))), ARGS, "args.anything");
    let huge = value!({"~~numpy.ndarray~~": true, "as_bytes": (Value::Bytes(vec![0; 8])), "dtype": "float64", "shape": [4294967295i64, 4294967295i64, 4294967295i64]});
    add("an array of more than there is", order(("points", huge)), ARGS, "args.points");
    let uuid = |inner| tagged("~~uuid~~", "as_str", inner);
    add("a UUID of a word, anywhere", order(("anything", uuid("you".into()))), ARGS, "args.anything");
    add("a UUID of a number, anywhere", order(("anything", uuid(7.into()))), ARGS, "args.anything");
    let workflow = encode(&value!({"args": {}, "workflow_id": (uuid("you".into()))}));
    add("a forged UUID as workflow_id", workflow, BAD, "workflow_id");
}

fn broken_json(add: Add<'_>) {
    let texts: &[(&str, &'static str, &'static str)] = &[
        ("{", BAD, ""),
        ("{}", BAD, "args"),
        (r#"{"args""#, BAD, ""),
        (r#"{"args": }"#, BAD, "args"),
        (r#"{"args": {}, }"#, BAD, ""),
        (r#"{"args": {}} and more"#, BAD, ""),
        (r#"{"args": {"id": "\ud800"}}"#, BAD, "args"),
        (r#"{"args": {"id": "\x"}}"#, BAD, "args"),
        (r#"{"args": {"price": NaN}}"#, BAD, "args"),
        (r#"{"args": {"price": 01}}"#, BAD, "args"),
        (r#"{"args": null}"#, BAD, "args"),
        (r#"{"args": {"id": 1}}"#, ARGS, "args.id"),
        (r#"{"args": {"id": "a", "id": "b"}}"#, ARGS, "args.id"),
        (r#"{"args": {"id": "a", "size": 18446744073709551616, "price": 1}}"#, BAD, "args"),
        (r#"{"args": {"id": "a", "size": 1e3, "price": 1}}"#, ARGS, "args.size"),
        (
            r#"{"args": {"id": "a", "size": 1, "price": 1, "amount": {"~~decimal~~": true, "as_str": 5}}}"#,
            ARGS,
            "args.amount",
        ),
    ];
    for (text, code, told) in texts {
        add(&format!("JSON {text}"), text.as_bytes().to_vec(), code, told);
    }
    let deep = |text: &str| format!(r#"{{"args": {{"anything": {}"#, text.repeat(10_000)).into_bytes();
    add("JSON of 10,000 lists", deep("["), BAD, "args");
    add("JSON of 10,000 maps", deep(r#"{"a":"#), BAD, "args");
    add("JSON that is no UTF-8", b"{\"args\": {\"id\": \"\xff\"}}".to_vec(), BAD, "");
}
