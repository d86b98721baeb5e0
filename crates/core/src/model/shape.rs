//! A model as data.

use std::sync::Arc;

use super::Model;
use crate::value::ElementType;

/// What a value must look like, as data: what `describe` prints, and what a service without types is declared by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Any value.
    Any,
    /// True or false.
    Bool,
    /// An integer within a range.
    Int(IntRange),
    /// A float; an integer is taken for one.
    Float,
    /// A float that 32 bits hold, rounded; an integer is taken for one.
    Float32,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A decimal of any precision.
    Decimal,
    /// A UUID.
    Uuid,
    /// Text in the form of RFC 3339.
    DateTime,
    /// An n-dimensional array, of any numbers or of one type.
    Array(Option<ElementType>),
    /// A list.
    List(Box<Shape>),
    /// A list of exactly these.
    Tuple(Vec<Shape>),
    /// A set.
    Set(Box<Shape>),
    /// A map from any number of keys to values of one shape.
    Map(Box<Shape>, Box<Shape>),
    /// Null, or the shape inside. An optional *field* is a matter of its [`Field`] instead.
    Nullable(Box<Shape>),
    /// One of a few texts.
    Choice(Arc<Choice>),
    /// A map with fields of its own.
    Record(Arc<Record>),
    /// A record around this one, by its name.
    Outer(Arc<str>),
}

/// The least and the greatest integer allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRange {
    /// The least.
    pub min: i128,
    /// The greatest.
    pub max: i128,
}

impl IntRange {
    /// Every integer that the wire can carry.
    pub const ALL: Self = Self { min: i64::MIN as i128, max: u64::MAX as i128 };

    const NAMED: [(&str, Self); 9] = [
        ("int", Self::ALL),
        ("i8", Self { min: i8::MIN as i128, max: i8::MAX as i128 }),
        ("i16", Self { min: i16::MIN as i128, max: i16::MAX as i128 }),
        ("i32", Self { min: i32::MIN as i128, max: i32::MAX as i128 }),
        ("i64", Self { min: i64::MIN as i128, max: i64::MAX as i128 }),
        ("u8", Self { min: 0, max: u8::MAX as i128 }),
        ("u16", Self { min: 0, max: u16::MAX as i128 }),
        ("u32", Self { min: 0, max: u32::MAX as i128 }),
        ("u64", Self { min: 0, max: u64::MAX as i128 }),
    ];

    /// The range called `int`, `i8` to `i64` or `u8` to `u64`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, range)| *range)
    }

    /// The name of the range, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(_, range)| range == self).map(|(name, _)| *name)
    }

    /// The range as a noun with its article.
    pub fn named(&self) -> String {
        if *self == Self::ALL {
            return "an integer".into();
        }
        format!("an integer from {} to {}", self.min, self.max)
    }
}

/// One of a few texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name of the type; empty if it has none.
    pub name: String,
    /// What the choice is about; empty if nobody said.
    pub doc: String,
    /// The texts, in the order they were declared.
    pub values: Vec<String>,
}

impl Choice {
    /// The choice as a noun.
    pub fn named(&self) -> String {
        named_choice(self.values.iter().map(String::as_str))
    }
}

/// "one of a, b, c", for messages.
pub fn named_choice<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    format!("one of {}", values.into_iter().collect::<Vec<_>>().join(", "))
}

/// A map with fields of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name of the type; empty if it has none.
    pub name: String,
    /// What it is; empty if nobody said.
    pub doc: String,
    /// Whether fields that it does not name are let pass.
    pub open: bool,
    /// The fields, in the order they were declared.
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key in the map.
    pub name: String,
    /// What it means; empty if nobody said.
    pub doc: String,
    /// Whether the map must have it.
    pub required: bool,
    /// What its value looks like.
    pub shape: Shape,
}

/// Collects the shape of a type, and knows which records it is inside of.
#[derive(Debug, Default)]
pub struct Shapes {
    around: Vec<Around>,
}

/// A record that is being described.
#[derive(Debug)]
struct Around {
    /// Tells types of one name apart.
    type_name: &'static str,
    name: String,
}

impl Shapes {
    /// The shape of a type.
    pub fn describe<T: Model>(&mut self) -> Shape {
        T::shape(self)
    }

    /// The shape of the record `T` called `name`: what `fields` gives, or a reference if it is inside itself.
    ///
    /// Inside another type of that name it is called `name_2`, so that a reference means one of them.
    pub fn record<T: ?Sized>(
        &mut self,
        name: &str,
        doc: &str,
        open: bool,
        fields: impl FnOnce(&mut Self) -> Vec<Field>,
    ) -> Shape {
        let type_name = std::any::type_name::<T>();
        if let Some(around) = self.around.iter().find(|around| around.type_name == type_name) {
            return Shape::Outer((&*around.name).into());
        }
        let is_taken = |name: &str| self.around.iter().any(|around| around.name == name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !is_taken(name)).expect("there are more numbers than records");
        self.around.push(Around { type_name, name });
        let fields = fields(self);
        let Around { name, .. } = self.around.pop().expect("it was pushed above");
        Shape::Record(Arc::new(Record { name, doc: doc.into(), open, fields }))
    }

    /// The shape of a choice called `name`.
    pub fn choice(&mut self, name: &str, doc: &str, values: &[&str]) -> Shape {
        let values = values.iter().copied().map(str::to_owned).collect();
        Shape::Choice(Arc::new(Choice { name: name.into(), doc: doc.into(), values }))
    }

    /// The shape of a field whose type is `T`: an optional one has the shape of what it may hold.
    pub fn field<T: Model>(&mut self, name: &str, doc: &str) -> Field {
        super::derive::field(self, name, doc, false, T::shape, T::absent)
    }
}
