//! What becomes of those who ask when the state cannot be written.

use service_framework_connections::{Requester, default_engine, publisher, requester};
use service_framework_core::wire::{self, Limits};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Value, value};

use super::*;
use crate::aside::SMALL_BYTES;
use crate::message::SnapshotReply;
use crate::owner::OwnerOptions;

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test =
        async { tokio::time::timeout(Duration::from_secs(60), test).await.expect("it takes too long") };
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// Has a mistake in it that shows for states of one entry.
fn mistaken(snapshot: &Snapshot, form: Form) -> Encoded {
    assert_ne!(snapshot.copy.len(), 1, "a mistake");
    encode(snapshot, form)
}

fn encoded(value: &Value) -> Bytes {
    wire::encode(value, Encoding::MessagePack).unwrap().into()
}

fn change(state: &DeltaUpdateOut, change: Value) {
    let args = encoded(&value!({"state": change, "is_snapshot": false}));
    state.owner().publish(&args, &WorkflowId::new()).unwrap();
}

/// An owner with that text in its only entry, and who asks it.
async fn owned(text: String) -> (DeltaUpdateOut, Requester) {
    let (engine, any) = (default_engine(), "127.0.0.1:0".parse().unwrap());
    let publisher = Publisher::bind(&engine, "updates", &any, publisher::Options::default()).await.unwrap();
    let replyer = Replyer::bind(&engine, "snapshots", &any).await.unwrap();
    let owner = Arc::new(DeltaOwner::new(OwnerOptions::default()));
    let (publisher, replyer) = (Rc::new(publisher), Rc::new(replyer));
    let state = DeltaUpdateOut::encoding_by(mistaken, owner, publisher, replyer);
    change(&state, value!({"text": text}));
    let address = state.replyer().address().clone();
    let asker = Requester::connect(&engine, "snapshots", &address, requester::Options::default()).unwrap();
    (state, asker)
}

async fn ask(asker: &Requester, request: Value) -> Result<SnapshotReply, Failure> {
    let reply = asker.call(encoded(&request), None).await.unwrap();
    SnapshotReply::read(&reply, &Limits::default())
}

#[test]
fn who_asks_after_a_panic_is_answered() {
    for length in [10, 2 * SMALL_BYTES] {
        run(async {
            let (state, asker) = owned("x".repeat(length)).await;
            let parts = || value!({"args": {}, "since": {"max_bytes": 1_000_000}});
            for _ in 0..2 {
                let failure = ask(&asker, parts()).await.unwrap_err();
                assert_eq!(failure.code(), code::PANICKED);
            }
            change(&state, value!({"more": 1}));
            assert_eq!(ask(&asker, parts()).await.unwrap().state.len(), 2);
        });
    }
}

#[test]
fn who_would_be_ended_by_an_error_is_left_without_an_answer() {
    for length in [10, 2 * SMALL_BYTES] {
        run(async {
            let (state, asker) = owned("x".repeat(length)).await;
            let whole = || value!({"args": {}});
            let first = ask(&asker, whole());
            let second = async {
                // Who asks in parts, behind it, is told when both have been seen to.
                let parts = value!({"args": {}, "since": {"max_bytes": 1_000_000}});
                ask(&asker, parts).await.unwrap_err();
                assert_eq!(state.replyer().counters().counts().refused.iter().sum::<u64>(), 1);
                change(&state, value!({"more": 1}));
                ask(&asker, whole()).await.unwrap()
            };
            tokio::select! {
                biased;
                reply = first => panic!("{reply:?}"),
                reply = second => assert_eq!(reply.state.len(), 2),
            }
        });
    }
}
