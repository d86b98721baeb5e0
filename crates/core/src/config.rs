//! The config of a service: a file, extra arguments, and what `setup_config` gave, checked against the model.

mod check;
mod fit;
mod path;

use std::collections::HashSet;

use crate::fault::Step;
use crate::file::Document;
use crate::model::Shape;
use crate::problem::{Place, Problem, Problems};
use crate::shown::named;
use crate::value::{Map, Value};

/// The config of a service, with where each part of it came from.
///
/// ```
/// use service_framework_core::config::Config;
/// use service_framework_core::file::{Document, JsonFile};
/// use service_framework_core::problem::Problems;
/// use service_framework_core::{model, value};
/// use service_framework_macros::Model;
///
/// #[derive(Model)]
/// #[model(crate = "service_framework_core")]
/// struct Settings { exchange: String, most: u32 }
///
/// let model = model::describe::<Settings>();
/// let file = JsonFile::from_text("configs/gateway.json", r#"{"exchange": "coinbase", "most": 3}"#);
/// let arguments = [("most".to_owned(), "7".to_owned())];
/// let mut problems = Problems::new();
/// let document = Document::read(file, &mut problems);
/// let config = Config::read(&model, Some(&document), &arguments, &mut problems);
/// config.check("gateway", &model, &mut problems);
/// assert!(problems.is_empty());
/// assert_eq!(*config.value(), value!({"exchange": "coinbase", "most": 7}));
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    value: Value,
    /// Who gave what, the winner last.
    parts: Vec<Part>,
    document: Option<Document>,
}

#[derive(Clone, Debug)]
struct Part {
    /// What was given, as a path in the config.
    path: Vec<Step>,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// This document, where all of the path stands in a section, if in any.
    Document { document: Document, section: Option<&'static str> },
    /// The argument with this key.
    Argument(String),
    /// The service's `setup_config`.
    SetupConfig,
}

impl Config {
    /// Reads a config from a document and the extra arguments, which win. Each is a key without its dashes, and a text.
    ///
    /// The document holds the keys of the model, or the two maps `required` and `optional` in which they stand, unless
    /// these are keys of the model. A text is read as the type that the model has for its key: a boolean, a number, a
    /// decimal, a UUID, base64 for bytes, JSON for whatever has something inside, and itself otherwise. `a.b` means the
    /// key `b` in the map `a`, and `-` may stand for `_`. In the document too, text may stand for a decimal, a UUID or
    /// bytes, and a list for a set, since JSON has no shorter form for these.
    pub fn read(
        model: &Shape,
        document: Option<&Document>,
        arguments: &[(String, String)],
        problems: &mut Problems,
    ) -> Self {
        let mut config =
            Self { value: Value::Map(Map::new()), parts: Vec::new(), document: document.cloned() };
        if let Some(document) = document {
            config.read_document(model, document, problems);
        }
        for (key, text) in arguments {
            let path = path::of_key(model, key);
            let value = match path::shape_at(model, &path) {
                Some(shape) => fit::read_text(shape, text),
                None => Value::from(&**text),
            };
            config.put(path, value, Source::Argument(key.clone()));
        }
        config.value = fit::fit(model, config.value);
        config
    }

    /// Puts what `setup_config` gave, a map, over the keys that are there.
    pub fn overwrite(&mut self, model: &Shape, returned: Value, problems: &mut Problems) {
        let map = match returned {
            Value::Map(map) => map,
            other => {
                let text = format!("expected a map of keys to overwrite, got {}", other.named());
                return problems.add(Problem::at(Place::Code("setup_config".into()), text));
            }
        };
        for (key, value) in map {
            let key = key.key_text().map(|key| key.into_owned()).unwrap_or_else(|| key.named());
            self.put(vec![Step::Field(key)], value, Source::SetupConfig);
        }
        let value = std::mem::take(&mut self.value);
        self.value = fit::fit(model, value);
    }

    /// The config: a map.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Each key with where its value came from, in the order they were given; what an argument changed inside a map
    /// stands for itself, as `limits.most`.
    pub fn origins(&self) -> Vec<(String, Place)> {
        let origin =
            |part: &Part| (path::text(part.path.iter()), part.place(&part.path, Document::key_place));
        self.parts.iter().map(origin).collect()
    }

    /// Each thing that the config comes from, once: files, arguments as `--key`, and hooks by their names.
    pub fn sources(&self) -> Vec<String> {
        let mut sources = Vec::new();
        for (_, place) in self.origins() {
            let source = match place {
                Place::File { file, .. } => file.display().to_string(),
                other => other.to_string(),
            };
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    fn read_document(&mut self, model: &Shape, document: &Document, problems: &mut Problems) {
        let Some(value) = document.value() else { return };
        let Some(top) = value.as_map() else {
            let text = format!("a config is a map, got {}", value.named());
            return problems.add_with(|| Problem::at(document.value_place(&[]), text));
        };
        let part = |section, key: &Value| Part {
            path: key.as_text().map(|key| Step::Field(key.to_owned())).into_iter().collect(),
            source: Source::Document { document: document.clone(), section },
        };
        if !are_sections(model, top) {
            self.parts.extend(top.iter().map(|(key, _)| part(None, key)));
            self.value = value.clone();
            return;
        }
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        for section in SECTIONS {
            for (key, value) in top.get(section).and_then(Value::as_map).into_iter().flat_map(Map::iter) {
                if seen.insert(key) {
                    self.parts.push(part(Some(section), key));
                    entries.push((key.clone(), value.clone()));
                    continue;
                }
                let key = key.to_string();
                let text = format!("{} stands in both sections: take one away", named(&key));
                let path = [Step::Field(section.to_owned()), Step::Field(key)];
                problems.add_with(|| Problem::at(document.key_place(&path), text));
            }
        }
        self.value = Value::Map(Map::from_distinct(entries));
    }

    fn put(&mut self, path: Vec<Step>, value: Value, source: Source) {
        // Whatever was given before for the same path, or inside it, is no more.
        self.parts.retain(|part| !part.path.starts_with(&path));
        set_at(&mut self.value, &path, value);
        self.parts.push(Part { path, source });
    }

    /// Where what `path` leads to was given, if anyone gave it: the part that set it or the map around it, last.
    fn part_of(&self, path: &[Step]) -> Option<&Part> {
        self.parts.iter().rev().find(|part| path.starts_with(&part.path))
    }
}

impl Part {
    /// Where something stands that this part gave, by a path in the config.
    fn place(&self, path: &[Step], find: fn(&Document, &[Step]) -> Place) -> Place {
        match &self.source {
            Source::Argument(key) => Place::Argument(key.clone()),
            Source::SetupConfig => Place::Code("setup_config".into()),
            Source::Document { document, section } => {
                let section = section.map(|section| Step::Field(section.to_owned()));
                find(document, &section.into_iter().chain(path.iter().cloned()).collect::<Vec<_>>())
            }
        }
    }
}

const SECTIONS: [&str; 2] = ["required", "optional"];

fn are_sections(model: &Shape, top: &Map) -> bool {
    let is_section = |key: &Value| key.as_text().is_some_and(|key| SECTIONS.contains(&key));
    let is_of_model = |name: &&str| path::shape_at(model, &[Step::Field((*name).to_owned())]).is_some();
    !top.is_empty()
        && top.iter().all(|(key, value)| is_section(key) && value.as_map().is_some())
        && !SECTIONS.iter().any(is_of_model)
}

fn set_at(around: &mut Value, path: &[Step], value: Value) {
    let Some((Step::Field(key), rest)) = path.split_first() else {
        *around = value;
        return;
    };
    let mut map = match std::mem::take(around) {
        Value::Map(map) => map,
        // An argument for something inside replaces what is no map.
        _ => Map::new(),
    };
    let mut inner = map.get(key).cloned().unwrap_or_default();
    set_at(&mut inner, rest, value);
    map.insert(&**key, inner);
    *around = Value::Map(map);
}
