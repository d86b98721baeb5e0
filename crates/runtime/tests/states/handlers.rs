//! The handlers that are called after updates.

use crate::desks::{Asker, desk, exchange, until_seen};
use crate::scene::Scene;
use crate::support::run;

#[test]
fn each_update_calls_the_handler_once_and_in_order() {
    let (exchange, scene) = (exchange(), Scene::new());
    run(async {
        let asker = Asker::of(&exchange);
        let desk = desk(&exchange, &scene);
        until_seen(&desk, |seen| seen.book_status == "live").await;
        for level in 1..=20 {
            asker.level(&level.to_string(), Some("1")).await;
        }
        scene.noted("change of a book to 20").await;
        scene.noted("summary of 20").await;
        let notes = scene.notes();
        let books: Vec<_> = notes.iter().filter(|note| !note.starts_with("summary")).collect();
        let mut right = vec!["book of 0".to_owned()];
        right.extend((1..=20).map(|levels| format!("change of a book to {levels}")));
        // Heartbeats change nothing, and a copy that a handler looks at may be ahead of its update.
        let changes = books.iter().filter(|note| note.starts_with("change")).count();
        assert!(
            changes >= 20 && books.first().is_some_and(|first| first.starts_with("book of")),
            "{books:?}"
        );
        assert!(right.iter().all(|note| notes.contains(note) || note.starts_with("change")), "{notes:?}");
    });
}
