//! States both ways: our owners with copies in Python, owners in Python with our copies, and ours with ours.

mod owners;
mod readers;

mod lossy;

use serde_json::json;

use self::owners::{Home, Owning, ROUTES, Route, our_owner, our_owner_at, python_owner};
use self::readers::{Reading, our_reader, python_reader, until_book, until_levels};
use crate::support::{HeldPort, run};

/// The four scenarios of the original's own tests, by numbers of the owner's making.
async fn scenarios(owner: &mut impl Owning, reader: &mut impl Reading) {
    // Whoever has subscribed gets the whole. Until the subscription is known to work, it is said again.
    let mut number = 0;
    loop {
        number += 1;
        owner.publish(number, true, json!({"a": 1, "b": 2.5})).await;
        if reader.book().await == json!({"a": 1, "b": 2.5}) {
            break;
        }
    }
    // Changes and removals.
    owner.publish(number + 1, false, json!({"c": "text", "a": 3})).await;
    owner.publish(number + 2, false, json!({"b": null})).await;
    until_book(reader, json!({"a": 3, "c": "text"})).await;
    // A number from the future: something is missing, and the whole is asked for.
    owner.publish(number + 10, false, json!({"d": [1, 2]})).await;
    until_book(reader, json!({"a": 3, "c": "text", "d": [1, 2]})).await;
    owner.publish(number + 11, false, json!({"d": null})).await;
    until_book(reader, json!({"a": 3, "c": "text"})).await;
    // A snapshot is what it says, whatever its number.
    owner.publish(3, true, json!({"again": 1})).await;
    until_book(reader, json!({"again": 1})).await;
    owner.publish(4, false, json!({"more": 2})).await;
    until_book(reader, json!({"again": 1, "more": 2})).await;
}

/// Full states: whatever is set last.
async fn whole(owner: &mut impl Owning, reader: &mut impl Reading) {
    let mut levels = 0;
    while reader.levels().await.is_none() {
        levels += 1;
        owner.summarize(levels).await;
    }
    owner.summarize(-7).await;
    until_levels(reader, -7).await;
}

#[test]
fn our_owner_and_our_copy() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut reader = our_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn our_owner_and_a_copy_in_python() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut reader = python_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn an_owner_in_python_and_our_copy() {
    for route in ROUTES {
        let (mut owner, home) = python_owner(route);
        let mut reader = our_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn a_late_copy_of_ours_has_our_full_state_beside_one_in_python() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut early = python_reader(&home);
        run(async {
            whole(&mut owner, &mut early).await;
            let mut late = our_reader(&home);
            // Nothing is set any more.
            until_levels(&mut late, -7).await;
            // The other one is there as before.
            assert_eq!(early.levels().await, Some(-7));
            owner.summarize(8).await;
            until_levels(&mut early, 8).await;
            until_levels(&mut late, 8).await;
        });
    }
}

#[test]
fn a_copy_in_python_has_the_state_of_our_owner_by_the_next_heartbeat_and_after_its_restart() {
    let held = [(); 3].map(|()| HeldPort::new());
    let [book, snapshots, summary] = held.each_ref().map(HeldPort::port);
    let home = Home { book, snapshots, summary, topic: None, _proxies: Vec::new() };
    let mut owner = our_owner_at(book, snapshots, summary, None, false);
    run(async {
        owner.update(true, json!({"a": 1})).await;
        let mut reader = python_reader(&home);
        until_book(&mut reader, json!({"a": 1})).await;
        owner.update(false, json!({"b": 2, "never there": null})).await;
        until_book(&mut reader, json!({"a": 1, "b": 2})).await;
        // The numbers of the next one begin at the time of its start, which the copy takes for a gap.
        owner.service.stop().unwrap();
        let mut again = our_owner_at(book, snapshots, summary, None, false);
        again.update(false, json!({"after": 1})).await;
        until_book(&mut reader, json!({"start": 1, "after": 1})).await;
    });
}

#[test]
fn the_first_update_by_hand_reaches_a_copy_in_python_whatever_its_number() {
    // Below the numbers that the owner begins with, and above.
    for first in [7, 0, -3, i64::MAX - 1] {
        let (mut owner, home) = our_owner(Route::Direct);
        run(async {
            let mut reader = python_reader(&home);
            until_book(&mut reader, json!({"start": 1})).await;
            owner.publish(first, false, json!({"first": first})).await;
            until_book(&mut reader, json!({"start": 1, "first": first})).await;
            owner.publish(first + 1, false, json!({"start": null, "second": 2})).await;
            until_book(&mut reader, owner.book().await).await;
            assert_eq!(owner.book().await, json!({"first": first, "second": 2}));
        });
    }
}

#[test]
fn our_copy_follows_an_owner_in_python_from_its_first_update_on() {
    let (mut owner, home) = python_owner(Route::Direct);
    run(async {
        owner.publish(1, true, json!({"a": 1})).await;
        owner.publish(2, false, json!({"b": 2})).await;
        let mut reader = our_reader(&home);
        // It knows what its copy is with the first update that it gets, whatever came before.
        let mut number = 2;
        while !reader.current().await.is_live {
            number += 1;
            owner.publish(number, false, json!({"c": number})).await;
        }
        until_book(&mut reader, json!({"a": 1, "b": 2, "c": number})).await;
    });
}
