//! What a running service holds while its peers and its network fail, for how long it does without them, and what is left when that is over.

#[path = "../support/process.rs"]
mod process;
#[path = "../support/peers.rs"]
mod support;
#[path = "../support/asker.rs"]
mod asker;

mod allocator;
mod held;
mod remote;
mod report;

mod slow_subscriber;
mod publish_times;
mod half_open;
mod timeouts;
mod late_replies;
mod seconds;
mod handshakes;
mod same_name;
mod restarts;
mod crowd;
