//! Models of single values: numbers, text, bytes, decimals, UUIDs, times, arrays.

use bytes::Bytes;

use super::derive::unknown;
use super::shape::{IntRange, Shape, Shapes};
use super::{Empty, Model};
use crate::fault::Fault;
use crate::value::{AnyArray, Array, DateTime, Decimal, Element, Map, Uuid, Value};
use crate::wire::{self, Reader, Token, Writer};

impl Model for Value {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Any
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        wire::read_value(reader)
    }

    fn encode(&self, writer: &mut Writer) {
        wire::write_value(writer, self);
    }
}

impl Model for Map {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Map(Box::new(Shape::Any), Box::new(Shape::Any))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        match wire::read_value(reader)? {
            Value::Map(map) => Ok(map),
            other => Err(Fault::mismatch("a map", other.named()).at_offset(start)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        // A map of values is written in one place; the copy costs only those who send whole untyped maps.
        wire::write_value(writer, &Value::Map(self.clone()));
    }
}

impl Model for bool {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Bool
    }

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        match reader.token()? {
            Token::Bool(flag) => Ok(flag),
            other => Err(reader.mismatch("a boolean", &other, start)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.bool(*self);
    }
}

#[cold]
fn not_in_range(reader: &Reader<'_>, range: IntRange, token: &Token<'_>, start: usize) -> Fault {
    reader.mismatch(range.named(), token, start)
}

macro_rules! integers {
    ($($int:ident)*) => {$(
        impl Model for $int {
            fn shape(_: &mut Shapes) -> Shape {
                Shape::Int(IntRange::from_name(stringify!($int)).expect("all of these have a name"))
            }

            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let start = reader.offset();
                if let Some(int) = reader.plain_int() {
                    return Self::try_from(int).map_err(|_| {
                        let range = IntRange { min: Self::MIN.into(), max: Self::MAX.into() };
                        not_in_range(reader, range, &Token::Int(int.into()), start)
                    });
                }
                let token = reader.token()?;
                if let Token::Int(int) = token && let Ok(int) = Self::try_from(int) {
                    return Ok(int);
                }
                Err(not_in_range(reader, IntRange { min: Self::MIN.into(), max: Self::MAX.into() }, &token, start))
            }

            fn encode(&self, writer: &mut Writer) {
                writer.int((*self).into());
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl Model for f64 {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Float
    }

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read_float(reader, "a float")
    }

    fn encode(&self, writer: &mut Writer) {
        writer.float(*self);
    }
}

/// Reads a float of 64 bits, `expected` being the name of what is wanted.
#[inline]
fn read_float(reader: &mut Reader<'_>, expected: &str) -> Result<f64, Fault> {
    let start = reader.offset();
    if let Some(float) = reader.plain_float() {
        return Ok(float);
    }
    match reader.token()? {
        Token::Float(float) => Ok(float),
        #[expect(clippy::cast_precision_loss, reason = "2 is taken for a float, as the wire says")]
        Token::Int(int) => Ok(int as f64),
        // JSON writes the floats that it lacks as a tagged map.
        Token::Map(entries) => {
            match wire::read_map(reader, entries).map_err(|fault| fault.at_offset(start))? {
                Value::Float(float) => Ok(float),
                other => Err(Fault::mismatch(expected, other.named()).at_offset(start)),
            }
        }
        other => Err(reader.mismatch(expected, &other, start)),
    }
}

/// The nearest float of 32 bits; `None` if it would be infinite and `float` is not.
pub(super) fn to_f32(float: f64) -> Option<f32> {
    let nearest = float as f32;
    (nearest.is_finite() || !float.is_finite()).then_some(nearest)
}

impl Model for f32 {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Float32
    }

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        const EXPECTED: &str = "a 32-bit float";
        let start = reader.offset();
        let float = read_float(reader, EXPECTED)?;
        to_f32(float).ok_or_else(|| Fault::mismatch(EXPECTED, Value::Float(float).named()).at_offset(start))
    }

    fn encode(&self, writer: &mut Writer) {
        writer.float((*self).into());
    }
}

impl Model for String {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Text
    }

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        if let Some(text) = reader.plain_text() {
            return Ok(text.to_owned());
        }
        match reader.token()? {
            Token::Text(text) => Ok(text.into_owned()),
            other => Err(reader.mismatch("a text", &other, start)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.text(self);
    }
}

impl Model for Bytes {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Bytes
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        match reader.token()? {
            Token::Bytes(bytes) => Ok(Self::copy_from_slice(bytes)),
            token => match tagged(reader, token, start, "bytes")? {
                Value::Bytes(bytes) => Ok(bytes.into()),
                other => Err(Fault::mismatch("bytes", other.named()).at_offset(start)),
            },
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self);
    }
}

/// Reads the rest of a value that is a tagged map on the wire, `expected` being its name with the article.
fn tagged(reader: &mut Reader<'_>, token: Token<'_>, start: usize, expected: &str) -> Result<Value, Fault> {
    match token {
        Token::Map(entries) => wire::read_map(reader, entries).map_err(|fault| fault.at_offset(start)),
        other => Err(reader.mismatch(expected, &other, start)),
    }
}

macro_rules! tagged {
    ($($type:ty, $shape:ident, $expected:literal, |$self:ident, $writer:ident| $encode:expr;)*) => {$(
        impl Model for $type {
            fn shape(_: &mut Shapes) -> Shape {
                Shape::$shape
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let start = reader.offset();
                let token = reader.token()?;
                match tagged(reader, token, start, $expected)? {
                    Value::$shape(inner) => Ok(inner),
                    other => Err(Fault::mismatch($expected, other.named()).at_offset(start)),
                }
            }

            fn encode(&self, $writer: &mut Writer) {
                let $self = self;
                $encode;
            }
        }
    )*};
}

tagged! {
    Decimal, Decimal, "a decimal", |decimal, writer| wire::write_decimal(writer, decimal);
    Uuid, Uuid, "a UUID", |uuid, writer| {
        wire::write_tagged_text(writer, "__uuid__", uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    };
}

impl Model for AnyArray {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Array(None)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        array(reader, || "an array".to_owned())
    }

    fn encode(&self, writer: &mut Writer) {
        wire::write_array(writer, self);
    }
}

impl<T: Element> Model for Array<T> {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Array(Some(T::TYPE))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        let array = array(reader, || format!("an array of {}", T::TYPE))?;
        array.try_into().map_err(|fault: Fault| fault.at_offset(start))
    }

    fn encode(&self, writer: &mut Writer) {
        wire::write_array(writer, &AnyArray::from(self));
    }
}

fn array(reader: &mut Reader<'_>, expected: impl Fn() -> String) -> Result<AnyArray, Fault> {
    let start = reader.offset();
    let found = match reader.token()? {
        Token::Map(entries) => {
            match wire::read_map(reader, entries).map_err(|fault| fault.at_offset(start))? {
                Value::Array(array) => return Ok(*array),
                other => other.named(),
            }
        }
        other => return Err(reader.mismatch(expected(), &other, start)),
    };
    Err(Fault::mismatch(expected(), found).at_offset(start))
}

impl Model for DateTime {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::DateTime
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        const EXPECTED: &str = "a time such as 2026-11-21T06:15:00Z";
        let start = reader.offset();
        let token = reader.token()?;
        match &token {
            Token::Text(text) => text.parse().map_err(|_| reader.mismatch(EXPECTED, &token, start)),
            _ => Err(reader.mismatch(EXPECTED, &token, start)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.text(&self.to_string());
    }
}

impl Model for Empty {
    fn shape(shapes: &mut Shapes) -> Shape {
        shapes.record::<Self>("Empty", "Nothing.", false, |_| Vec::new())
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let start = reader.offset();
        match reader.token()? {
            Token::Map(mut entries) => match entries.text_key(reader)? {
                None => Ok(()),
                Some(key) => Err(unknown(reader, start, start, key.as_bytes(), &[])),
            },
            other => Err(reader.mismatch("a map", &other, start)),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.map(0);
        writer.end_map();
    }
}
