//! Checks a config against the model, and says of each fault where it stands.

use std::collections::HashSet;

use super::{Config, Source, fit, path};
use crate::fault::{Fault, Problem as Kind, Step};
use crate::file::Document;
use crate::model::Shape;
use crate::problem::{Place, Problem, Problems, meant};
use crate::value::{Map, Value};
use crate::wire::{self, Encoding, Limits};

impl Config {
    /// Adds to `problems` everything that the model of `service` does not allow.
    pub fn check(&self, service: &str, model: &Shape, problems: &mut Problems) {
        let is_empty = self.value.as_map().is_none_or(Map::is_empty);
        if takes_nothing(model) && !is_empty {
            return self.unwanted(service, problems);
        }
        // Of a file that could not be read, nobody knows what is missing; and one slip is told once.
        let top = self.document.as_ref().map(|document| document.value().and_then(Value::as_map));
        let is_unread = top == Some(None);
        let faults = model.faults(&self.value);
        let meant: HashSet<String> = faults.iter().filter_map(key_meant).collect();
        for fault in &faults {
            let is_missing = *fault.problem() == Kind::Missing;
            if is_missing
                && (is_unread && fault.path().count() == 1 || meant.contains(&path::text(fault.path())))
            {
                continue;
            }
            problems.add_with(|| self.problem(model, fault));
        }
    }

    /// Reports a config for a service that takes none.
    fn unwanted(&self, service: &str, problems: &mut Problems) {
        for part in &self.parts {
            let (place, hint) = match &part.source {
                // One problem for the file, however many keys it has.
                Source::Document { document, .. } => (document.value_place(&[]), ": start it without"),
                Source::Argument(_) => (part.place(&part.path, Document::key_place), ": start it without"),
                Source::SetupConfig => (part.place(&part.path, Document::key_place), ""),
            };
            problems
                .add_with(|| Problem::at(place, format!("the service `{service}` takes no config{hint}")));
        }
    }

    fn problem(&self, model: &Shape, fault: &Fault) -> Problem {
        let path: Vec<Step> = fault.path().cloned().collect();
        let shape = path::shape_at(model, &path);
        let find: fn(&Document, &[Step]) -> Place = match fault.problem() {
            Kind::Missing => return self.missing(&path, shape, fault),
            Kind::Unknown { .. } => Document::key_place,
            _ => Document::value_place,
        };
        let Some(part) = self.part_of(&path) else { return Problem::nowhere(format!("config: {fault}")) };
        let hint = match (fault.problem(), shape) {
            (Kind::Mismatch { found, .. }, Some(Shape::Decimal)) if found.starts_with("the float") => {
                ": write it in quotes, which lose no digit".to_owned()
            }
            (Kind::Unknown { near: None }, _) => match path::shape_at(model, &path[..path.len() - 1]) {
                Some(Shape::Record(record)) => {
                    meant("", "key", record.fields.iter().map(|field| field.name.as_str()))
                }
                _ => String::new(),
            },
            _ => String::new(),
        };
        let text = match (&part.source, fault.problem()) {
            // The place names the key already.
            (Source::Argument(_), Kind::Unknown { near }) if path == part.path => {
                let near = near.as_ref().map(|near| format!(", did you mean `{near}`?"));
                format!("there is no such key{}{hint}", near.unwrap_or_default())
            }
            (Source::Argument(_), _) => {
                let json =
                    shape.filter(|_| path == part.path).map(|shape| json_hint(shape, self.value_at(&path)));
                format!("{}{}", seen_from(fault, part.path.len()), json.unwrap_or_default())
            }
            _ => format!("{fault}{hint}"),
        };
        Problem::at(part.place(&path, find), text)
    }

    /// Places something missing at the map that lacks it.
    fn missing(&self, path: &[Step], shape: Option<&Shape>, fault: &Fault) -> Problem {
        let expected = shape.map(|shape| format!(": expected {}", shape.named())).unwrap_or_default();
        let text = format!("{fault}{expected}");
        let around = &path[..path.len().saturating_sub(1)];
        if let Some(part) = self.part_of(around).filter(|_| !around.is_empty()) {
            return Problem::at(part.place(around, Document::value_place), text);
        }
        match &self.document {
            Some(document) => Problem::at(document.value_place(&[]), text),
            None => {
                let key = path::text(path.iter());
                Problem::nowhere(format!("config: {text}; write it in a config file, or give --{key}"))
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

/// The path to the key that somebody meant who wrote an unknown one.
fn key_meant(fault: &Fault) -> Option<String> {
    let Kind::Unknown { near: Some(near) } = fault.problem() else { return None };
    let near = Step::Field(near.clone());
    let around = fault.path().take(fault.path().count() - 1);
    Some(path::text(around.chain([&near])))
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
