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
        scene.noted("change of 20").await;
        scene.noted("summary of 20").await;
        let (summaries, books): (Vec<_>, Vec<_>) =
            scene.notes().into_iter().partition(|note| note.starts_with("summary"));
        // Heartbeats change nothing, and call nobody.
        let changes = (1..=20).map(|level| format!("change of {level}"));
        assert_eq!(books, ["book of 0".to_owned()].into_iter().chain(changes).collect::<Vec<_>>());
        let right: Vec<_> = (1..=20).map(|levels| format!("summary of {levels}")).collect();
        assert_eq!(summaries, right);
    });
}
