//! Reads an address book from a value, and reports everything in it that is none.

use super::{AddressBook, Endpoint, Entry, Form, Group, Side, path};
use crate::declaration::ConnectionKind;
use crate::fault::{Step, quoted};
use crate::file::Document;
use crate::near::nearest;
use crate::problem::{Problem, Problems, meant};
use crate::shown::named;
use crate::value::{Map, Value};

const TOP: [&str; 5] = ["in", "out", "connections", "states", "settings"];

impl AddressBook {
    /// Reads a book from a file, or from what code gave.
    ///
    /// What is wrong with it is added to `problems`, and the rest is read. Whether it fits a service is told by
    /// [`wire`](crate::wiring::wire).
    pub fn read(document: &Document, problems: &mut Problems) -> Self {
        let mut book = Self { document: Some(document.clone()), ..Self::default() };
        let mut reading = Reading { document, problems, is_partial: document.is_broken() };
        let top = document
            .value()
            .and_then(|value| reading.section(value, &[], "an address book is a map with `in` and `out`"));
        let Some(top) = top else {
            book.is_partial = true;
            return book;
        };
        let has = |keys: [&str; 2]| top.keys().find(|key| keys.contains(key));
        if let Some(group) = has(["connections", "states"]) {
            book.form = Form::Groups;
            if let Some(side) = has(["in", "out"]) {
                let text = format!(
                    "`{side}` stands beside `{group}`: move it into `connections`, or take that away"
                );
                reading.wrong_key(&path(&[side]), text);
                reading.is_partial = true;
            }
        }
        for (key, value) in top.iter() {
            let Some(key) = reading.text_key(&[], key) else { continue };
            let here = path(&[key]);
            match (key, book.form) {
                ("settings", _) => {
                    if let Some(map) = reading.map(value, &here, "`settings` is a map of settings") {
                        book.settings = map.clone();
                    }
                }
                ("connections", _) => {
                    reading.group(Group::Connections, value, &here, &mut book.connections);
                }
                ("states", _) => reading.group(Group::States, value, &here, &mut book.states),
                ("in" | "out", Form::Sides) => {
                    let side = if key == "in" { Side::In } else { Side::Out };
                    reading.side((Group::Connections, side), value, &here, &mut book.connections);
                }
                ("in" | "out", Form::Groups) => {}
                _ => {
                    let text =
                        format!("{} is unknown in an address book{}", named(key), meant(key, "key", TOP));
                    reading.wrong_key(&here, text);
                    reading.is_partial |= nearest(key, TOP).is_some();
                }
            }
        }
        book.is_partial = reading.is_partial;
        book.connections.sort_by_key(|entry| entry.side);
        book.states.sort_by_key(|entry| entry.side);
        book
    }
}

struct Reading<'r> {
    document: &'r Document,
    problems: &'r mut Problems,
    /// Whether a part that may hold connections could not be read.
    is_partial: bool,
}

impl Reading<'_> {
    fn wrong_key(&mut self, path: &[Step], text: String) {
        let document = self.document;
        self.problems.add_with(|| Problem::at(document.key_place(path), text));
    }

    fn wrong_value(&mut self, path: &[Step], text: String) {
        let document = self.document;
        self.problems.add_with(|| Problem::at(document.value_place(path), text));
    }

    fn map<'v>(&mut self, value: &'v Value, path: &[Step], expected: &str) -> Option<&'v Map> {
        let map = value.as_map();
        if map.is_none() {
            self.wrong_value(path, format!("{expected}, got {}", value.named()));
        }
        map
    }

    /// A map that may hold connections.
    fn section<'v>(&mut self, value: &'v Value, path: &[Step], expected: &str) -> Option<&'v Map> {
        let map = self.map(value, path, expected);
        self.is_partial |= map.is_none();
        map
    }

    fn text_key<'v>(&mut self, path: &[Step], key: &'v Value) -> Option<&'v str> {
        let text = key.as_text();
        if text.is_none() {
            self.wrong_value(path, format!("expected a text as key, got {}", key.named()));
        }
        text
    }

    fn group(&mut self, group: Group, value: &Value, path: &[Step], entries: &mut Vec<Entry>) {
        let expected = format!("`{}` is a map with `in` and `out`", group.name());
        let Some(sides) = self.section(value, path, &expected) else {
            return;
        };
        for (key, value) in sides.iter() {
            let Some(key) = self.text_key(path, key) else { continue };
            let here = deeper(path, key);
            match Side::ALL.into_iter().find(|side| side.name() == key) {
                Some(side) => self.side((group, side), value, &here, entries),
                None => {
                    let text = format!("{} is unknown here{}", named(key), meant(key, "key", ["in", "out"]));
                    self.wrong_key(&here, text);
                    self.is_partial = true;
                }
            }
        }
    }

    fn side(&mut self, (group, side): (Group, Side), value: &Value, path: &[Step], entries: &mut Vec<Entry>) {
        let expected = format!("`{}` is a map of names", side.name());
        let Some(names) = self.section(value, path, &expected) else { return };
        for (name, value) in names.iter() {
            let Some(name) = self.text_key(path, name) else { continue };
            let mut entry =
                Entry { group, side, name: name.to_owned(), endpoints: Vec::new(), unread: false };
            self.entry(value, &deeper(path, name), &mut entry);
            entries.push(entry);
        }
    }

    fn entry(&mut self, value: &Value, path: &[Step], entry: &mut Entry) {
        let name = named(&entry.name);
        let example = match (entry.group, entry.side) {
            (Group::Connections, Side::In) => "replyer",
            (Group::Connections, Side::Out) => "requester",
            (Group::States, Side::In) => "subscriber",
            (Group::States, Side::Out) => "publisher",
        };
        let Some(sockets) = value.as_map() else {
            let found = value.named();
            let text = match value {
                Value::Text(text) => {
                    let text = quoted(text);
                    format!("{name} has no socket: write {{\"{example}\": {text}}}, or the socket that it is")
                }
                _ => format!("{name} is a map such as {{\"{example}\": \"HOST:PORT\"}}, got {found}"),
            };
            self.wrong_value(path, text);
            entry.unread = true;
            return;
        };
        for (socket, value) in sockets.iter() {
            let Some(socket) = self.text_key(path, socket) else { continue };
            match self.endpoint(&name, socket, value, &deeper(path, socket)) {
                Some(endpoint) => entry.endpoints.push(endpoint),
                None => entry.unread = true,
            }
        }
    }

    /// Reads an endpoint of the connection or state of that name, which is shown as it stands.
    fn endpoint(&mut self, name: &str, socket: &str, value: &Value, path: &[Step]) -> Option<Endpoint> {
        let (address, settings, path) = match value {
            Value::Text(_) => (Some(value), Map::new(), path.to_vec()),
            Value::Map(map) => {
                let settings = map.iter().filter(|(key, _)| key.as_text() != Some("address"));
                let settings = settings.map(|(key, value)| (key.clone(), value.clone())).collect();
                (map.get("address"), settings, deeper(path, "address"))
            }
            other => {
                let text = format!(
                    "{name}: an endpoint is HOST:PORT or a map with an `address`, got {}",
                    other.named()
                );
                self.wrong_value(path, text);
                return None;
            }
        };
        let address = match address {
            Some(Value::Text(text)) => match text.parse() {
                Ok(address) => Some(address),
                Err(error) => {
                    self.wrong_value(&path, format!("{name}: {error}"));
                    None
                }
            },
            Some(other) => {
                self.wrong_value(
                    &path,
                    format!("{name}: an address is a text such as HOST:PORT, got {}", other.named()),
                );
                None
            }
            None if socket == ConnectionKind::ExternalTarget.name() => None,
            None => {
                let slip = nearest("address", settings.keys())
                    .map(|slip| format!("; is it what {} is meant to be?", named(slip)));
                let text = format!("{name}: the map has no `address`{}", slip.unwrap_or_default());
                self.wrong_value(&path, text);
                return None;
            }
        };
        Some(Endpoint { socket: socket.to_owned(), address, settings })
    }
}

fn deeper(path: &[Step], key: &str) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(Step::Field(key.to_owned()));
    path
}
