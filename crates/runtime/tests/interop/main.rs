//! Services of the Python original and of ours take one another's places: real processes of 0.0.18 and 0.0.20 at the other end.

#[path = "../support/scene.rs"]
mod scene;
#[path = "../support/peers.rs"]
mod support;

mod python;
mod peers;

mod values;
mod codec;
mod publications;
mod states;
mod chains;
mod faults;
mod limits;
