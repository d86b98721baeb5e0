//! Values of unknown shape, and the tagged maps that stand for decimals, UUIDs, sets, arrays, bytes and special floats.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Encoding, Entries, Peer, Reader, Token, Writer};
use crate::fault::Fault;
use crate::value::{AnyArray, Decimal, ElementType, Map, Uuid, Value, first_repeated};

/// Reads any value. A map with the key of a tag is what the tag stands for, or is refused.
pub(crate) fn read_value(reader: &mut Reader<'_>) -> Result<Value, Fault> {
    let start = reader.offset();
    Ok(match reader.token()? {
        Token::Null => Value::Null,
        Token::Bool(flag) => Value::Bool(flag),
        Token::Int(int) => Value::Int(int),
        Token::Float(float) => Value::Float(float),
        Token::Text(text) => Value::Text(text.into_owned()),
        Token::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Token::List(mut items) => {
            let mut list = Vec::with_capacity(reader.capacity::<Value>(items.declared()));
            while items.next(reader)? {
                list.push(read_value(reader).map_err(|fault| fault.at(list.len()))?);
            }
            Value::List(list)
        }
        Token::Map(entries) => read_map(reader, entries).map_err(|fault| fault.at_offset(start))?,
    })
}

/// Reads what follows the start of a map.
pub(crate) fn read_map(reader: &mut Reader<'_>, mut entries: Entries) -> Result<Value, Fault> {
    let mut map = Vec::with_capacity(reader.capacity::<(Value, Value)>(entries.declared()));
    while entries.next(reader)? {
        let start = reader.offset();
        let key = read_value(reader)?;
        if reader.encoding() == Encoding::Json && key.as_text().is_none() {
            return Err(Fault::mismatch("a text as key", key.named()).at_offset(start));
        }
        if !key.is_hashable() {
            return Err(unhashable("a key", &key).at_offset(start));
        }
        entries.colon(reader)?;
        let value = read_value(reader).map_err(|fault| match key.key_text() {
            Some(key) => fault.within(&key),
            None => fault,
        })?;
        map.push((key, value));
    }
    if let Some(key) = first_repeated(map.iter().map(|(key, _)| key)) {
        let text = key.key_text().unwrap_or_else(|| key.named().into());
        return Err(Fault::malformed("the key stands twice").within(&text));
    }
    untag(Map::from_distinct(map))
}

/// Turns a map that carries a tag into what it stands for.
fn untag(mut map: Map) -> Result<Value, Fault> {
    let Some(tag) = map.keys().find_map(Tag::of_key) else {
        return Ok(Value::Map(map));
    };
    if let Some(stray) =
        map.iter().find(|(key, _)| !key.as_text().is_some_and(|key| tag.fields().contains(&key)))
    {
        return Err(Fault::mismatch(tag.article(), format!("a map that also has {}", stray.0.named())));
    }
    let mut take = |field: &str| map.remove(field).ok_or_else(|| Fault::missing().within(field));
    let flag = take(tag.key())?;
    if tag != Tag::Float && flag != Value::Bool(true) {
        return Err(Fault::mismatch("true", flag.named()).within(tag.key()));
    }
    match tag {
        Tag::Decimal => {
            let text = text(take("as_str")?, "as_str")?;
            let decimal = text.parse().map_err(|_| Fault::mismatch("a decimal", named(&text)))?;
            Ok(Value::Decimal(decimal))
        }
        Tag::Uuid => {
            let text = text(take("as_str")?, "as_str")?;
            let uuid = Uuid::parse_str(&text).map_err(|_| Fault::mismatch("a UUID", named(&text)))?;
            Ok(Value::Uuid(uuid))
        }
        Tag::Set => match take("value")? {
            Value::List(members) => set(members),
            other => Err(Fault::mismatch("a list", other.named()).within("value")),
        },
        Tag::Array => array(take("as_bytes")?, map.remove("dtype"), map.remove("shape")),
        Tag::Bytes => {
            let text = text(take("as_base64")?, "as_base64")?;
            let bytes = BASE64
                .decode(&text)
                .map_err(|_| Fault::mismatch("base64", named(&text)).within("as_base64"))?;
            Ok(Value::Bytes(bytes))
        }
        Tag::Float => match flag.as_text() {
            Some("NaN") => Ok(Value::Float(f64::NAN)),
            Some("Infinity") => Ok(Value::Float(f64::INFINITY)),
            Some("-Infinity") => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => Err(Fault::mismatch("NaN, Infinity or -Infinity", flag.named()).within("__float__")),
        },
    }
}

/// What a map with this key stands for, as a noun, if it is not for itself.
pub(crate) fn tagged_as(key: &str) -> Option<&'static str> {
    Tag::of_key(key).map(Tag::article)
}

#[derive(Clone, Copy, PartialEq)]
enum Tag {
    Decimal,
    Uuid,
    Set,
    Array,
    Bytes,
    Float,
}

impl Tag {
    fn of_key(key: &str) -> Option<Self> {
        if !key.starts_with("__") {
            return None;
        }
        [Self::Decimal, Self::Uuid, Self::Set, Self::Array, Self::Bytes, Self::Float]
            .into_iter()
            .find(|tag| tag.key() == key)
    }

    fn key(self) -> &'static str {
        self.fields()[0]
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Decimal => &["__decimal__", "as_str"],
            Self::Uuid => &["__uuid__", "as_str"],
            Self::Set => &["__set__", "value"],
            Self::Array => &["__numpy.ndarray__", "as_bytes", "dtype", "shape"],
            Self::Bytes => &["__bytes__", "as_base64"],
            Self::Float => &["__float__"],
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::Decimal => "a decimal",
            Self::Uuid => "a UUID",
            Self::Set => "a set",
            Self::Array => "an array",
            Self::Bytes => "bytes",
            Self::Float => "a float",
        }
    }
}

fn text(value: Value, field: &str) -> Result<String, Fault> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(Fault::mismatch("a text", other.named()).within(field)),
    }
}

fn named(text: &str) -> String {
    format!("the text {}", crate::fault::quoted(text))
}

/// Maps, sets and arrays have no order or number to find them by, neither here nor in Python.
fn unhashable(what: &str, found: &Value) -> Fault {
    Fault::mismatch(format!("{what} that is no map, set or array"), found.named())
}

fn set(members: Vec<Value>) -> Result<Value, Fault> {
    if let Some(member) = members.iter().find(|member| !member.is_hashable()) {
        return Err(unhashable("a member", member));
    }
    match first_repeated(members.iter()) {
        Some(member) => Err(Fault::malformed(format!("{} stands twice in a set", member.named()))),
        None => Ok(Value::Set(members)),
    }
}

fn array(bytes: Value, dtype: Option<Value>, shape: Option<Value>) -> Result<Value, Fault> {
    let bytes = match bytes {
        Value::Bytes(bytes) => bytes,
        other => return Err(Fault::mismatch("bytes", other.named()).within("as_bytes")),
    };
    let element_type = match dtype {
        None => ElementType::F64,
        Some(name) => {
            let known = name.as_text().and_then(ElementType::from_name);
            known.ok_or_else(|| {
                Fault::mismatch("a type of elements such as <f8", name.named()).within("dtype")
            })?
        }
    };
    let array = match shape {
        None if element_type == ElementType::F64 => AnyArray::of_floats(bytes)?,
        None => AnyArray::new(element_type, vec![bytes.len() / element_type.size()], bytes)?,
        Some(shape) => {
            AnyArray::new(element_type, lengths(&shape).map_err(|fault| fault.within("shape"))?, bytes)?
        }
    };
    Ok(Value::Array(Box::new(array)))
}

fn lengths(shape: &Value) -> Result<Vec<usize>, Fault> {
    let length = |value: &Value| match value {
        Value::Int(int) => usize::try_from(*int).ok(),
        _ => None,
    };
    match shape {
        Value::List(items) => items.iter().map(length).collect::<Option<_>>(),
        _ => None,
    }
    .ok_or_else(|| Fault::mismatch("a list of lengths", shape.named()))
}

/// Writes any value.
pub(crate) fn write_value(writer: &mut Writer, value: &Value) {
    if writer.has_failed() {
        return;
    }
    match value {
        Value::Null => writer.null(),
        Value::Bool(flag) => writer.bool(*flag),
        Value::Int(int) => writer.int(*int),
        Value::Float(float) => writer.float(*float),
        Value::Text(text) => writer.text(text),
        Value::Bytes(bytes) => writer.bytes(bytes),
        Value::List(items) => {
            writer.list(items.len());
            for item in items {
                writer.item();
                write_value(writer, item);
            }
            writer.end_list();
        }
        Value::Map(map) => write_map(writer, map),
        Value::Set(members) => write_set(writer, members),
        Value::Decimal(decimal) => write_decimal(writer, decimal),
        Value::Uuid(uuid) => {
            write_tagged_text(writer, "__uuid__", uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        Value::Array(array) => write_array(writer, array),
    }
}

/// Writes a decimal.
pub(crate) fn write_decimal(writer: &mut Writer, decimal: &Decimal) {
    if writer.peer() == Peer::Python {
        let expected = if !decimal.fits_python() {
            Some("a decimal with an exponent of at most 18 digits")
        } else if writer.is_in_set() && decimal.is_signalling() {
            Some("a member that Python can hash")
        } else {
            None
        };
        if let Some(expected) = expected {
            writer.fail(Fault::mismatch(expected, Value::Decimal(decimal.clone()).named()));
        }
    }
    write_tagged_text(writer, "__decimal__", decimal.as_str());
}

/// Writes a decimal or a UUID.
pub(crate) fn write_tagged_text(writer: &mut Writer, tag: &str, text: &str) {
    writer.map(2);
    writer.key(tag);
    writer.bool(true);
    writer.key("as_str");
    writer.text(text);
    writer.end_map();
}

fn write_set(writer: &mut Writer, members: &[Value]) {
    // A list can be no member of a set in Python, where it would be a tuple here.
    let is_legal = |value: &Value| {
        value.is_hashable() && !matches!((writer.peer(), value), (Peer::Python, Value::List(_)))
    };
    if let Some(member) = members.iter().find(|member| !is_legal(member)) {
        writer.fail(unhashable("a member", member));
    }
    writer.map(2);
    writer.key("__set__");
    writer.bool(true);
    writer.key("value");
    writer.members(|writer| {
        writer.list(members.len());
        for member in members {
            writer.item();
            write_value(writer, member);
        }
        writer.end_list();
    });
    writer.end_map();
}

fn write_map(writer: &mut Writer, map: &Map) {
    // Python refuses null for any field, so an absent one is what it is meant to see.
    let is_left_out = |value: &Value| matches!((writer.peer(), value), (Peer::Python, Value::Null));
    write_entries(writer, &map.iter().filter(|(_, value)| !is_left_out(value)).collect::<Vec<_>>());
}

/// Writes a map with all of its own nulls, whoever reads it.
pub(crate) fn write_with_nulls(writer: &mut Writer, map: &Map) {
    write_entries(writer, &map.iter().collect::<Vec<_>>());
}

fn write_entries(writer: &mut Writer, entries: &[(&Value, &Value)]) {
    if writer.wants_text_keys() {
        write_text_entries(writer, entries);
        return;
    }
    writer.map(entries.len());
    for (key, value) in entries {
        if !key.is_hashable() {
            writer.fail(unhashable("a key", key));
        }
        writer.checked_key(|writer| write_value(writer, key));
        write_value(writer, value);
    }
    writer.end_map();
}

fn write_text_entries(writer: &mut Writer, entries: &[(&Value, &Value)]) {
    let mut texts = HashSet::new();
    let all_text = entries.iter().all(|(key, _)| key.as_text().is_some());
    writer.map(entries.len());
    for (key, value) in entries {
        let text = key.key_text().unwrap_or_else(|| {
            writer.fail(Fault::mismatch("a key with a text form", key.named()));
            key.named().into()
        });
        writer.refuse_tag(&text);
        writer.key(&text);
        write_value(writer, value);
        // Keys that differ may have one text: the integer 1 and the text "1".
        if !all_text && !texts.insert(text) {
            writer.fail(Fault::malformed(format!("two keys are {} as text", key.named())));
        }
    }
    writer.end_map();
}

/// Writes an array.
pub(crate) fn write_array(writer: &mut Writer, array: &AnyArray) {
    let plain;
    let array = if writer.peer() == Peer::Python && !array.is_plain_floats() {
        plain = array.to_plain_floats();
        &plain
    } else {
        array
    };
    // The plain form is the one that Python writes; for it, the two keys of ours would say nothing new.
    let is_plain = array.is_plain_floats();
    writer.map(if is_plain { 2 } else { 4 });
    writer.key("__numpy.ndarray__");
    writer.bool(true);
    writer.key("as_bytes");
    writer.bytes(array.as_bytes());
    if !is_plain {
        writer.key("dtype");
        writer.text(array.element_type().name());
        writer.key("shape");
        writer.list(array.shape().len());
        for length in array.shape() {
            writer.item();
            writer.int(*length as i128);
        }
        writer.end_list();
    }
    writer.end_map();
}
