//! What is wrong with what a service was given to start with, and where it stands.

use std::fmt;
use std::path::PathBuf;

use crate::near::nearest;
use crate::shown::on_one_line;

/// Where something stands that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In a file. Reads as `configs/gateway.json:12:5`.
    File {
        /// The file, as it was named.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The character in that line, counted from 1.
        column: usize,
    },
    /// In an extra argument of the command line. Reads as `--key`.
    Argument(String),
    /// In what code gave, by the name of what gave it, such as `setup_config`.
    Code(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => {
                write!(f, "{}:{line}:{column}", on_one_line(&file.to_string_lossy()))
            }
            Self::Argument(key) => write!(f, "--{}", on_one_line(key)),
            Self::Code(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong. Reads, on one line whatever it tells of, as `addresses/gateway.json:12:5: connection `orders` is unknown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and what to do about it.
    pub text: String,
    /// Where, if it stands anywhere.
    pub place: Option<Place>,
}

impl Problem {
    /// Something wrong at a place.
    pub fn at(place: Place, text: impl Into<String>) -> Self {
        Self { text: text.into(), place: Some(place) }
    }

    /// Something wrong that stands nowhere, such as a thing that is missing.
    pub fn nowhere(text: impl Into<String>) -> Self {
        Self { text: text.into(), place: None }
    }

    /// Whether both are in one file and the other is not further up.
    fn is_before_in_file(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (
                Some(Place::File { file, line, column }),
                Some(Place::File { file: other, line: other_line, column: other_column }),
            ) => file == other && (line, column) <= (other_line, other_column),
            _ => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = on_one_line(&self.text);
        match &self.place {
            Some(place) => write!(f, "{place}: {text}"),
            None => f.write_str(&text),
        }
    }
}

impl std::error::Error for Problem {}

/// Everything that was found wrong, one line for each.
///
/// Whatever checks something adds to the same report, so that a person who made three mistakes reads of all three.
/// Beyond the first 100 problems, the rest is only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    told: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// As many as anybody reads; finding the place of each takes time.
    const MOST: usize = 100;

    /// An empty report.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem, unless the same is there already; those in one file are kept in the order of their places.
    pub fn add(&mut self, problem: Problem) {
        self.add_with(|| problem);
    }

    /// Adds what `problem` gives, which is not called when the report is so long that its problem is only counted.
    pub fn add_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.told.len() == Self::MOST {
            self.left_out += 1;
            return;
        }
        let problem = problem();
        if self.told.contains(&problem) {
            return;
        }
        let earlier = self.told.iter().rposition(|held| held.is_before_in_file(&problem));
        let later = self.told.iter().position(|held| problem.is_before_in_file(held));
        let position = earlier.map(|earlier| earlier + 1).or(later).unwrap_or(self.told.len());
        self.told.insert(position, problem);
    }

    /// Adds all of another report.
    pub fn extend(&mut self, others: Self) {
        others.told.into_iter().for_each(|problem| self.add(problem));
        self.left_out += others.left_out;
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The number of problems.
    pub fn len(&self) -> usize {
        self.told.len() + self.left_out
    }

    /// The first 100 problems, in the order they were found.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.told.iter()
    }

    /// `value` if nothing was found.
    ///
    /// # Errors
    ///
    /// The report, if something was.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { told: vec![problem], left_out: 0 }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.told.iter().enumerate() {
            let line_feed = if position > 0 { "\n" } else { "" };
            write!(f, "{line_feed}{problem}")?;
        }
        match self.left_out {
            0 => Ok(()),
            count => write!(f, "\nand {count} more"),
        }
    }
}

impl std::error::Error for Problems {}

/// Ends a sentence about a word that is none of those known, which are called by the noun: with the one probably meant, or with all of them.
pub(crate) fn meant<'a>(word: &str, noun: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!(", did you mean `{near}`?");
    }
    let known: Vec<_> = known.into_iter().map(|word| format!("`{word}`")).collect();
    match &known[..] {
        [] => "; there is none".into(),
        [only] => format!("; the only {noun} is {only}"),
        known => format!("; there are {}", known.join(", ")),
    }
}
