//! A declaration as text for people.

use std::fmt::Write as _;

use service_framework_core::declaration::{ConnectionModel, Declaration, StateModel};
use service_framework_core::model::{Field, Record, Shape};
use service_framework_core::shown::on_one_line;
use service_framework_core::value::Map;

use super::types;

/// The whole declaration.
pub(super) fn of(declaration: &Declaration) -> String {
    let mut text = Text(String::new());
    text.line(0, format!("{} {}", declaration.name, declaration.version).trim_end());
    text.doc(2, &declaration.doc);
    text.heading("config");
    text.model(2, &declaration.config);
    for (side, is_in) in [("in", true), ("out", false)] {
        let mut connections =
            declaration.connections.iter().filter(|connection| connection.kind.is_in() == is_in).peekable();
        if connections.peek().is_some() {
            text.heading(side);
        }
        connections.for_each(|connection| text.connection(connection));
    }
    for (side, is_in) in [("in", true), ("out", false)] {
        let mut states = declaration.states.iter().filter(|state| state.kind.is_in() == is_in).peekable();
        if states.peek().is_some() {
            text.heading(&format!("states, {side}"));
        }
        states.for_each(|state| text.state(state));
    }
    if !declaration.hooks.is_empty() {
        let hooks: Vec<_> = declaration.hooks.iter().map(|(hook, _)| hook.name()).collect();
        text.heading("methods");
        text.line(2, &hooks.join(", "));
    }
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, indent: usize, text: &str) {
        writeln!(self.0, "{:indent$}{}", "", on_one_line(text)).expect("a string takes any text");
    }

    /// A line with nothing in the one before.
    fn heading(&mut self, text: &str) {
        self.0.push('\n');
        self.line(0, text);
    }

    fn doc(&mut self, indent: usize, doc: &str) {
        doc.lines().for_each(|line| self.line(indent, line));
    }

    fn connection(&mut self, connection: &ConnectionModel) {
        let ConnectionModel { name, doc, kind, args, returns, run, exclusive, settings } = connection;
        let run = if kind.has_handler() { format!(", {run}") } else { String::new() };
        let alone = if *exclusive { ", runs alone" } else { "" };
        self.line(2, &format!("{name}: {kind}{run}{alone}"));
        self.doc(4, doc);
        self.settings(settings);
        self.line(4, "args");
        self.model(6, args);
        if kind.has_answer() {
            self.line(4, "returns");
            self.model(6, returns);
        }
    }

    fn state(&mut self, state: &StateModel) {
        let StateModel { name, doc, kind, state, run, exclusive, settings } = state;
        let run = run.map_or(String::new(), |run| format!(", with a handler: {run}"));
        let alone = if *exclusive { ", runs alone" } else { "" };
        self.line(2, &format!("{name}: {kind}{run}{alone}"));
        self.doc(4, doc);
        self.settings(settings);
        self.model(6, state);
    }

    fn settings(&mut self, settings: &Map) {
        for (setting, value) in settings.iter() {
            self.line(4, &format!("{} = {value}", setting.key_text().unwrap_or_default()));
        }
    }

    fn model(&mut self, indent: usize, shape: &Shape) {
        match shape {
            Shape::Record(record) if record.fields.is_empty() && !record.open => self.line(indent, "nothing"),
            Shape::Record(record) => self.fields(indent, record),
            other => {
                self.line(indent, &types::named(other));
                types::records(other).into_iter().for_each(|record| self.fields(indent + 2, record));
            }
        }
    }

    fn fields(&mut self, indent: usize, record: &Record) {
        let type_of = |field: &Field| {
            let optional = if field.required { "" } else { ", optional" };
            format!("{}{optional}", types::named(&field.shape))
        };
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        let names = width(&mut record.fields.iter().map(|field| field.name.chars().count()));
        let types = width(&mut record.fields.iter().map(|field| type_of(field).chars().count()));
        for field in &record.fields {
            // Further lines of a doc would look like fields.
            let doc = field.doc.lines().next().unwrap_or_default();
            let row = format!("{:names$}  {:types$}  {doc}", field.name, type_of(field));
            self.line(indent, row.trim_end());
            types::records(&field.shape).into_iter().for_each(|record| self.fields(indent + 2, record));
        }
        if record.open {
            self.line(indent, "(and any other)");
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn what_a_foreign_plugin_says_of_itself_drives_no_terminal() {
        let mut foreign = Declaration::new("foreign", "1\u{1b}[2J");
        foreign.doc = "one\r\u{9b}2J\ntwo\u{2028}".into();
        expect![[r"
            foreign 1\u{1b}[2J
              one\r\u{9b}2J
              two\u{2028}

            config
              nothing
        "]]
        .assert_eq(&of(&foreign));
    }
}
