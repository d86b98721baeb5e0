//! Who runs beside whom, in which order, for how long, and what becomes of what does not fit.

#[path = "../support/scene.rs"]
mod scene;
#[path = "../support/peers.rs"]
mod support;

mod lending;
mod threads;
mod deadlines;
mod ends;
mod told;
mod order;
mod rounds;
mod main_mode;
mod sending;
mod slow_subscribers;
mod sizes;
mod crossing;
mod setup;
mod spinning;
