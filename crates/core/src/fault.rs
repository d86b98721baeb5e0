//! Says where in a value something is wrong, what was expected there and what came.

use std::fmt;

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the field or the text key of a map.
    Field(String),
    /// Into a list or tuple, counted from 0.
    Index(usize),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A required field is not there.
    Missing,
    /// A field that the model does not have; the nearest one that it has.
    Unknown {
        /// A field of the model whose name is one or two edits away.
        near: Option<String>,
    },
    /// A value of another type, or outside the allowed range or choices.
    Mismatch {
        /// What the model asks for, as a noun with its article.
        expected: String,
        /// What was found, likewise.
        found: String,
    },
    /// Bytes that are no value at all: truncated, trailing, not UTF-8, a key twice, nested too deep.
    Malformed(String),
}

/// A value that its model, or the wire, does not allow.
///
/// Reads as `args.order.asks[3].price: expected a decimal, got the text "abc"`. The path is built while the
/// error travels outwards, so that decoding a right value costs nothing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    /// Innermost step first.
    path: Vec<Step>,
    problem: Problem,
    /// Bytes from the start of what was read.
    offset: Option<usize>,
}

impl Fault {
    /// A fault at the value itself, with no path yet.
    pub fn new(problem: Problem) -> Self {
        Self(Box::new(Inner { path: Vec::new(), problem, offset: None }))
    }

    /// A required field that is not there.
    pub fn missing() -> Self {
        Self::new(Problem::Missing)
    }

    /// A field that is not in the model, whose fields are `known`.
    pub fn unknown<'a>(field: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let near = crate::near::nearest(field, known).map(str::to_owned);
        Self::new(Problem::Unknown { near }).within(field)
    }

    /// Another type or range than the model asks for.
    pub fn mismatch(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Problem::Mismatch { expected: expected.into(), found: found.into() })
    }

    /// Bytes that are no value.
    pub fn malformed(text: impl Into<String>) -> Self {
        Self::new(Problem::Malformed(text.into()))
    }

    /// The same fault, seen from the map around the value.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        self.0.path.push(Step::Field(field.to_owned()));
        self
    }

    /// The same fault, seen from the list around the value.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// The same fault with the place in the input, unless it has one.
    #[must_use]
    pub fn at_offset(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// From the outermost value inwards.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &Step> + Clone {
        self.0.path.iter().rev()
    }

    /// Where in the input, in bytes, if it was read from bytes.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }
}

/// Writes steps as `order.asks[3].price`; keys that are no plain words stand in brackets and quotes.
pub fn write_path<'a>(f: &mut impl fmt::Write, path: impl Iterator<Item = &'a Step>) -> fmt::Result {
    for (position, step) in path.enumerate() {
        match step {
            Step::Index(index) => write!(f, "[{index}]")?,
            Step::Field(name) if is_plain(name) => {
                if position > 0 {
                    f.write_char('.')?;
                }
                f.write_str(name)?;
            }
            Step::Field(name) => write!(f, "[{}]", quoted(name))?,
        }
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A text for people: in quotes, control characters escaped, cut after 40 characters.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, self.path())?;
        let colon = if self.0.path.is_empty() { "" } else { ": " };
        match &self.0.problem {
            Problem::Missing => f.write_str(" is missing"),
            Problem::Unknown { near: Some(near) } => write!(f, " is unknown, did you mean `{near}`?"),
            Problem::Unknown { near: None } => f.write_str(" is unknown"),
            Problem::Mismatch { expected, found } => write!(f, "{colon}expected {expected}, got {found}"),
            Problem::Malformed(text) => write!(f, "{colon}{text}"),
        }
    }
}

impl std::error::Error for Fault {}
