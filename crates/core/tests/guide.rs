//! Writes the guide's page of settings from the table in the code, and fails when the page is out of date; reads the address books that the guide shows.
//!
//! `UPDATE_EXPECT=1 cargo test -p service-framework-core --test guide` writes it anew.

use std::fmt::Write as _;

use expect_test::expect_file;
use service_framework_core::address_book::AddressBook;
use service_framework_core::declaration::{Declaration, StateKind};
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::problem::Problems;
use service_framework_core::settings::{SETTINGS, STATE_SETTINGS, Setting, StateSetting};
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::wiring::Setup;
use service_framework_core::{Value, value, wiring};

const HEAD: &str = "\
# Settings

How the framework behaves. Each setting has a default; the author may give another at the connection or in `setup_connections`; the address book has the last word, see
[Configuration](configuration.md#the-address-book). `service_framework check` prints each value and where it came from.

This page is written from the code by a test of `service-framework-core`.
";

#[test]
fn the_page_of_settings_is_that_of_the_code() {
    let mut page = HEAD.to_owned();
    let (of_connections, of_services) =
        SETTINGS.iter().partition::<Vec<_>, _>(|setting| !setting.is_of_service());
    page.push_str("\n## Of a connection\n\nBeside its address. ");
    let own: Vec<_> = of_connections.iter().filter(|setting| is_own(setting)).collect();
    let own: Vec<_> = own.into_iter().map(|setting| format!("`{}`", setting.name)).collect();
    let others = "may also stand under `settings` at the top of the book, for all connections that have them";
    writeln!(page, "All but {} {others}.\n", own.join(", ")).expect("a string takes any text");
    page.push_str("| setting | of | takes | default | what it does |\n|---|---|---|---|---|\n");
    for setting in of_connections {
        let kinds: Vec<_> = setting.kinds.iter().map(|kind| kind.name()).collect();
        row(&mut page, setting, Some(&kinds.join(", ")));
    }
    states(&mut page);
    page.push_str("\n## Of the service\n\nUnder `settings` at the top of the book.\n\n");
    page.push_str("| setting | takes | default | what it does |\n|---|---|---|---|\n");
    for setting in of_services {
        row(&mut page, setting, None);
    }
    expect_file!["../../../guide/src/settings.md"].assert_eq(&page);
}

fn row(page: &mut String, setting: &Setting, of: Option<&str>) {
    let of = of.map(|of| format!(" {of} |")).unwrap_or_default();
    let (name, takes, doc) = (setting.name, setting.takes.named(), setting.doc);
    writeln!(page, "| `{name}` |{of} {takes} | {} | {doc} |", default(setting))
        .expect("a string takes any text");
}

const STATES: &str = "
## Of a state

Beside the address of the socket by which updates go: the `subscriber` of a copy, the `publisher` of an own state. At the top of the book they count for
connections alone, if they are of these, too.

| setting | of | takes | default | what it does |
|---|---|---|---|---|
";

const SOCKETS: &str = "
Each socket of a state has the settings of a connection of its type as well, those under `settings` at the top included, but for these:

| socket | has not |
|---|---|
";

/// What states have beside what connections have, and what they lack of it.
fn states(page: &mut String) {
    page.push_str(STATES);
    for setting in STATE_SETTINGS {
        let kinds: Vec<_> = setting.kinds.iter().map(|kind| kind.name()).collect();
        let (name, takes, doc) = (setting.name, setting.takes.named(), setting.doc);
        writeln!(
            page,
            "| `{name}` | {} | {takes} | {} | {doc} |",
            kinds.join(", "),
            default_of_state(setting)
        )
        .expect("a string takes any text");
    }
    page.push_str(SOCKETS);
    for kind in StateKind::ALL {
        for socket in kind.sockets() {
            let lacks = |setting: &&Setting| setting.is_of(*socket) && !setting.is_of_state(*kind, *socket);
            let is_own = |setting: &&Setting| {
                STATE_SETTINGS.iter().any(|own| own.name == setting.name && own.kinds.contains(kind))
            };
            let names = SETTINGS.iter().filter(lacks).filter(|setting| !is_own(setting));
            let names: Vec<_> = names.map(|setting| format!("`{}`", setting.name)).collect();
            if !names.is_empty() {
                writeln!(page, "| the {socket} of a {kind} | {} |", names.join(", "))
                    .expect("a string takes any text");
            }
        }
    }
}

/// The default of a setting of states, by type where they differ.
fn default_of_state(setting: &StateSetting) -> String {
    let of = setting.kinds.iter().map(|kind| (kind.name(), setting.default(*kind)));
    defaults(&of.map(|(kind, value)| (kind, shown(value))).collect::<Vec<_>>())
}

/// Whether the setting is refused at the top of a book.
fn is_own(setting: &Setting) -> bool {
    let mut settings = Map::new();
    settings.insert(setting.name, setting.default(setting.kinds.last().copied()));
    let mut problems = Problems::new();
    let document = Document::given(value!({"settings": (Value::Map(settings))}), "the test");
    let book = AddressBook::read(&document, &mut problems);
    wiring::wire(&Declaration::new("service", ""), &Setup::default(), &book, &mut problems);
    !problems.is_empty()
}

/// The default, by type of connection where they differ.
fn default(setting: &Setting) -> String {
    let of: Vec<_> =
        setting.kinds.iter().map(|kind| (kind.name(), shown(setting.default(Some(*kind))))).collect();
    if of.is_empty() { shown(setting.default(None)) } else { defaults(&of) }
}

fn defaults(of: &[(&str, String)]) -> String {
    match of {
        [(_, first), ..] if of.iter().all(|(_, default)| default == first) => first.clone(),
        _ => of.iter().map(|(kind, default)| format!("{kind}: {default}")).collect::<Vec<_>>().join(", "),
    }
}

fn shown(default: Value) -> String {
    match default {
        Value::Null => "none".to_owned(),
        Value::Text(text) => format!("`\"{text}\"`"),
        value => format!("`{value}`"),
    }
}

/// The samples of a page that are address books.
fn books(page: &str) -> Vec<&str> {
    let blocks = page.split("```json\n").skip(1).filter_map(|part| part.split("```").next());
    blocks.filter(|block| block.contains("\"out\"")).collect()
}

#[test]
fn the_address_books_that_the_guide_shows_are_right() {
    let pages = [
        (include_str!("../../../guide/src/configuration.md"), 2),
        (include_str!("../../../guide/src/python.md"), 1),
    ];
    let declaration = br#"{"service": "gateway", "connections": [
        {"name": "cancel_order", "type": "replyer"}, {"name": "audit", "type": "requester"},
        {"name": "news", "type": "publisher"}, {"name": "cancel_at_exchange", "type": "external_target"}], "states": [
        {"name": "book", "type": "delta_update_in"}, {"name": "summary", "type": "full_update_in"},
        {"name": "position", "type": "delta_update_out"}]}"#;
    let declaration: Declaration = wire::decode(declaration, Encoding::Json, &Limits::default()).unwrap();
    for (page, count) in pages {
        let books = books(page);
        assert_eq!(books.len(), count);
        for book in books {
            let is_shown = |name: &str| book.contains(&format!("\"{name}\": {{"));
            let mut shown = declaration.clone();
            shown.connections.retain(|connection| is_shown(&connection.name));
            shown.states.retain(|state| is_shown(&state.name));
            let mut problems = Problems::new();
            let document = Document::read(JsonFile::from_text("sample.json", book), &mut problems);
            let book = AddressBook::read(&document, &mut problems);
            wiring::wire(&shown, &Setup::default(), &book, &mut problems);
            assert!(problems.is_empty(), "{problems}");
        }
    }
}
