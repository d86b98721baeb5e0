//! Checks a config against the model, and says of each fault where it stands.

use super::{Config, Source, fit, shape_at};
use crate::fault::{self, Fault, Problem as Kind, Step};
use crate::file::Document;
use crate::model::Shape;
use crate::problem::{Place, Problem, Problems};
use crate::value::{Map, Value};
use crate::wire::{self, Encoding, Limits};

impl Config {
    /// Adds to `problems` everything that the model of `service` does not allow.
    pub fn check(&self, service: &str, model: &Shape, problems: &mut Problems) {
        let is_empty = self.value.as_map().is_none_or(Map::is_empty);
        if takes_nothing(model) && !is_empty {
            return self.unwanted(service, problems);
        }
        for fault in model.faults(&self.value) {
            problems.add_with(|| self.problem(model, &fault));
        }
    }

    /// Reports a config for a service that takes none.
    fn unwanted(&self, service: &str, problems: &mut Problems) {
        for part in &self.parts {
            let place = match &part.source {
                // One problem for the file, however many keys it has.
                Source::Document { document, .. } => document.value_place(&[]),
                _ => part.place(&part.path, Document::key_place),
            };
            problems.add_with(|| Problem::at(place, format!("the service `{service}` takes no config")));
        }
    }

    fn problem(&self, model: &Shape, fault: &Fault) -> Problem {
        let path: Vec<Step> = fault.path().cloned().collect();
        let shape = shape_at::shape_at(model, &path);
        if *fault.problem() == Kind::Missing {
            let expected = shape.map(|shape| format!(": expected {}", shape.named())).unwrap_or_default();
            return self.missing(&path, format!("{fault}{expected}"));
        }
        let find: fn(&Document, &[Step]) -> Place = match fault.problem() {
            Kind::Unknown { .. } => Document::key_place,
            _ => Document::value_place,
        };
        let Some(part) = self.part_of(&path) else { return Problem::nowhere(format!("config: {fault}")) };
        let place = part.place(&path, find);
        let text = match (&part.source, fault.problem()) {
            // The place names the key already.
            (Source::Argument(_), Kind::Unknown { .. }) => {
                format!("config:{}", seen_from(fault, part.path.len()))
            }
            (Source::Argument(_), _) => {
                let fault = seen_from(fault, part.path.len());
                let inner =
                    shape.filter(|_| path == part.path).map(|shape| json_hint(shape, self.value_at(&path)));
                format!("{fault}{}", inner.unwrap_or_default())
            }
            (_, Kind::Mismatch { found, .. })
                if shape == Some(&Shape::Decimal) && found.starts_with("the float") =>
            {
                format!("{fault}: write it in quotes, which lose no digit")
            }
            _ => fault.to_string(),
        };
        Problem::at(place, text)
    }

    /// Places something missing at the map that lacks it.
    fn missing(&self, path: &[Step], text: String) -> Problem {
        let around = &path[..path.len().saturating_sub(1)];
        if let Some(part) = self.part_of(around).filter(|_| !around.is_empty()) {
            return Problem::at(part.place(around, Document::value_place), text);
        }
        match &self.document {
            Some(document) => Problem::at(document.value_place(&[]), text),
            None => {
                let mut key = String::new();
                fault::write_path(&mut key, path.iter()).expect("a string takes any text");
                Problem::nowhere(format!("config: {text}; give a config file, or --{key}"))
            }
        }
    }

    fn value_at(&self, path: &[Step]) -> Option<&Value> {
        path.iter().try_fold(&self.value, |value, step| match (step, value) {
            (Step::Field(name), value) => value.get(name),
            (Step::Index(index), Value::List(items) | Value::Set(items)) => items.get(*index),
            _ => None,
        })
    }
}

/// Whether a model allows nothing but an empty map.
fn takes_nothing(model: &Shape) -> bool {
    matches!(model, Shape::Record(record) if record.fields.is_empty() && !record.open)
}

/// The fault without the first steps of its path.
fn seen_from(fault: &Fault, steps: usize) -> Fault {
    let inner = Fault::new(fault.problem().clone());
    fault.path().skip(steps).collect::<Vec<_>>().into_iter().rev().fold(inner, |fault, step| match step {
        Step::Field(name) => fault.within(name),
        Step::Index(index) => fault.at(*index),
    })
}

/// Why a text is no JSON, where JSON was due.
fn json_hint(shape: &Shape, value: Option<&Value>) -> String {
    let Some(Value::Text(text)) = value else { return String::new() };
    if !fit::has_inside(shape) {
        return String::new();
    }
    match wire::decode::<Value>(text.as_bytes(), Encoding::Json, &Limits::default()) {
        Ok(_) => String::new(),
        Err(fault) => format!("; it is read as JSON: {fault}"),
    }
}
