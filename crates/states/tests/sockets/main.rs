//! Owners and copies on real sockets: late ones, lossy ways, restarts, crowds, and peers that are not what they should be.

mod support;

mod aside;
mod deltas;
mod faults;
mod full;
mod late;
mod listening;
mod heartbeats;
mod hostile;
mod partitions;
mod sizes;
mod waiting;
