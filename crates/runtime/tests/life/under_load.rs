//! Stopping under load loses nothing: what was run is answered, and what was not run says so.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use service_framework::prelude::*;
use service_framework_connections::CallError;
use service_framework_runtime::Service;

use crate::support::{Client, address, run, wired};

static RUNS: AtomicU64 = AtomicU64::new(0);

/// Counts what it runs.
struct Counting;

#[service]
impl Counting {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn at_once(&self) -> Result<Empty> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    #[replyer]
    async fn later(&self, cx: &Context) -> Result<Empty> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        cx.sleep(Duration::from_millis(3)).await;
        Ok(())
    }
}

service_framework::link!(Counting);

#[derive(Debug, Default)]
struct Outcomes {
    answered: Cell<u64>,
    refused: Cell<u64>,
    lost: Cell<u64>,
    has_stopped: Cell<bool>,
}

#[test]
fn twenty_stops_under_load_lose_nothing() {
    for round in 0..20 {
        let book =
            value!({"in": {"at_once": {"replyer": "127.0.0.1:0"}, "later": {"replyer": "127.0.0.1:0"}}});
        let mut service = Service::of::<Counting>(wired(book));
        service.start().unwrap();
        RUNS.store(0, Ordering::SeqCst);
        let outcomes = Rc::new(Outcomes::default());
        run(async {
            let mut clients = Vec::new();
            for number in 0..8 {
                let connection = if number % 2 == 0 { "at_once" } else { "later" };
                let client = Rc::new(Client::to(&address(&service, connection)));
                let outcomes = Rc::clone(&outcomes);
                clients.push(tokio::task::spawn_local(async move {
                    // 250 requests a second from each of 8, whether or not the last was answered.
                    let mut asked = Vec::new();
                    let mut ticks = tokio::time::interval(Duration::from_millis(4));
                    while !outcomes.has_stopped.get() {
                        ticks.tick().await;
                        let (client, outcomes) = (Rc::clone(&client), Rc::clone(&outcomes));
                        asked.push(tokio::task::spawn_local(async move {
                            let count = |cell: &Cell<u64>| cell.set(cell.get() + 1);
                            match client.send(crate::support::request(&value!({}))).await {
                                Ok(reply) => match crate::support::Answer::read(&reply).outcome {
                                    Ok(_) => count(&outcomes.answered),
                                    Err((code, message)) => {
                                        assert_eq!(code, "stopping", "{message}");
                                        count(&outcomes.refused);
                                    }
                                },
                                // It was on its way when the connection ended, which its caller is told.
                                Err(CallError::PeerLost) => count(&outcomes.lost),
                                // It never left.
                                Err(error) => assert!(
                                    matches!(error, CallError::Closed | CallError::NotConnected),
                                    "{error}"
                                ),
                            }
                        }));
                    }
                    client.close().await;
                    for asked in asked {
                        asked.await.unwrap();
                    }
                }));
            }
            while outcomes.answered.get() < 300 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
            assert_eq!(ended.await.unwrap().not_drained, Vec::<String>::new(), "round {round}");
            outcomes.has_stopped.set(true);
            for client in clients {
                client.await.unwrap();
            }
        });
        // What was run was answered, and nothing that was refused was run. What the end of a connection took along is
        // known to be lost.
        let (answered, lost) = (outcomes.answered.get(), outcomes.lost.get());
        let runs = RUNS.load(Ordering::SeqCst);
        assert!((answered..=answered + lost).contains(&runs), "round {round}: {runs} runs, {outcomes:?}");
    }
}
