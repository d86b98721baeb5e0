//! What an owner has published waits for the thread of its sockets: so many updates, and so many bytes.

use std::rc::Rc;
use std::sync::Arc;

use service_framework_core::failure::code;
use service_framework_core::wire::{self, Encoding};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Value, value};
use service_framework_states::{DeltaOwner, DeltaUpdateOut, FullOwner, FullUpdateOut, OwnerOptions};

use crate::support::{any_port, publisher, replyer, run};

const MIB: usize = 1 << 20;

fn options() -> OwnerOptions {
    OwnerOptions { name: "book".into(), ..Default::default() }
}

fn encoded(value: &Value) -> Vec<u8> {
    wire::encode(value, Encoding::MessagePack).unwrap()
}

/// A value with so many bytes, but for a few.
fn of_bytes(bytes: usize) -> Value {
    value!({"text": ("x".repeat(bytes))})
}

/// Publishes until that is refused as it is when the thread does not keep up; gives how often it was not.
#[track_caller]
fn until_busy(mut publish: impl FnMut() -> Result<(), Failure>) -> usize {
    let mut taken = 0;
    loop {
        match publish() {
            Ok(()) => taken += 1,
            Err(failure) => {
                assert_eq!(failure.code(), code::BUSY, "{failure}");
                return taken;
            }
        }
    }
}

#[test]
fn an_owner_by_changes_refuses_what_is_too_much_until_the_rest_was_sent() {
    run(async {
        let owner = Arc::new(DeltaOwner::new(options()));
        let publish = |state: &Value| {
            let args = encoded(&value!({"state": (state.clone()), "is_snapshot": false}));
            owner.publish(&args, &WorkflowId::new())
        };
        let large = of_bytes(MIB);
        assert_eq!(until_busy(|| publish(&large)), 64, "the last one may go beyond 64 MiB");
        let number = owner.number();
        assert!(publish(&value!({"a": 1})).is_err());
        assert_eq!(
            (owner.number(), owner.snapshot().copy.len()),
            (number, 1),
            "what is refused changes nothing"
        );
        let (updates, snapshots) = (publisher(&any_port()).await, replyer(&any_port()).await);
        let state = DeltaUpdateOut::open(Arc::clone(&owner), Rc::new(updates), Rc::new(snapshots));
        state.flush();
        assert_eq!(until_busy(|| publish(&value!({"a": 1}))), 10_000);
        state.flush();
        publish(&large).unwrap();
    });
}

#[test]
fn an_owner_of_a_full_state_refuses_what_is_too_much_until_the_rest_was_sent() {
    run(async {
        let owner = Arc::new(FullOwner::new(options()));
        let publish =
            |state: &Value| owner.publish(Encoding::MessagePack, &encoded(state), &WorkflowId::new());
        let large = of_bytes(MIB);
        assert_eq!(until_busy(|| publish(&large)), 64, "the last one may go beyond 64 MiB");
        assert_eq!(owner.sets(), 64);
        let state = FullUpdateOut::open(Arc::clone(&owner), Rc::new(publisher(&any_port()).await));
        state.flush();
        assert_eq!(until_busy(|| publish(&value!({"a": 1}))), 10_000);
        state.flush();
        publish(&large).unwrap();
    });
}
