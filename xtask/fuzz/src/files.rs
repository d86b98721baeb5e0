//! What operators write: a text that is read as an address book and as a config, and behind each NUL an argument `KEY=TEXT`.

use service_framework_core::address_book::AddressBook;
use service_framework_core::config::Config;
use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Declaration, Run};
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::model::describe;
use service_framework_core::problem::Problems;
use service_framework_core::value::{DateTime, Decimal, Map, Uuid};
use service_framework_core::wiring::{Setup, wire};
use service_framework_macros::Model;

/// One field of each type that a text is read for.
#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Settings {
    exchange: String,
    limits: Limits,
    dry_run: Option<bool>,
    since: Option<DateTime>,
    account: Option<Uuid>,
    ratio: Option<f64>,
    key: Option<bytes::Bytes>,
    pairs: Option<Vec<(String, String)>>,
    regions: Option<std::collections::BTreeSet<String>>,
    fees: Option<std::collections::BTreeMap<String, Decimal>>,
}

#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Limits {
    most: u8,
    spread: Option<Decimal>,
}

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut parts = text.split('\0');
    let Some(text) = parts.next() else { return };
    let mut problems = Problems::new();
    let document = Document::read(JsonFile::from_text("a.json", text), &mut problems);
    assert_eq!(document.is_broken(), !problems.is_empty(), "what cannot be read is reported");
    check_places(&problems);

    check_book(&document);
    let argument = |part: &str| part.split_once('=').map(|(key, text)| (key.to_owned(), text.to_owned()));
    check_config(&document, &parts.filter_map(argument).collect::<Vec<_>>());
}

fn check_book(document: &Document) {
    let mut problems = Problems::new();
    let book = AddressBook::read(document, &mut problems);
    if problems.is_empty() && !document.is_broken() {
        let again = AddressBook::read(&Document::given(book.to_value(), "the book"), &mut problems);
        assert_eq!(problems.to_string(), "");
        assert_eq!(again, book, "what a book says reads as the book");
    }
    wire(&gateway(), &Setup::default(), &book, &mut problems);
    check_places(&problems);
}

fn check_config(document: &Document, arguments: &[(String, String)]) {
    let model = describe::<Settings>();
    let mut problems = Problems::new();
    let config = Config::read(&model, Some(document), arguments, &mut problems);
    config.check("gateway", &model, &mut problems);
    config.origins();
    check_places(&problems);
    if problems.is_empty() && !document.is_broken() {
        assert_eq!(model.faults(config.value()), [], "what is not reported is what the model takes");
    }
}

/// Each problem is said, and says where.
fn check_places(problems: &Problems) {
    assert_eq!(problems.is_empty(), problems.to_string().is_empty());
    assert!(problems.iter().all(|problem| problem.place.is_some()), "{problems}");
}

/// A service with one connection of each type.
fn gateway() -> Declaration {
    let mut gateway = Declaration::new("gateway", "0.1.0");
    let connection = |kind: &ConnectionKind| ConnectionModel {
        // Called as the type, which saves the fuzzer to find names.
        name: kind.name().into(),
        doc: String::new(),
        kind: *kind,
        args: describe::<()>(),
        returns: describe::<()>(),
        run: Run::Inline,
        exclusive: false,
        settings: Map::new(),
    };
    gateway.connections = ConnectionKind::ALL.iter().map(connection).collect();
    gateway
}
