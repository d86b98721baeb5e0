//! How services live: started, stopped, started again, many in one process; and how they end.

#[path = "../support/peers.rs"]
mod support;
#[path = "../support/scene.rs"]
mod scene;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/asker.rs"]
mod asker;

mod ledger;

mod again;
mod starting;
mod chain;
mod errors;
mod encrypted;
mod failing_peers;
mod background;
mod stopping;
mod signals;
mod signal_handlers;
mod after_signals;
mod unread;
mod descriptors;
mod told_peers;
mod pressed;
mod arrived;
mod outliving;
mod under_load;
