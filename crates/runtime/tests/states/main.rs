//! States of running services: owners and copies in services of their own, wired by address books.

#[path = "../support/peers.rs"]
mod support;
#[path = "../support/scene.rs"]
mod scene;

mod desks;

mod books;
mod counted;
mod handlers;
mod restarts;
mod setup;
mod slow_handlers;
