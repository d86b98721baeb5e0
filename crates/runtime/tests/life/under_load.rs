//! Stopping under load loses nothing: what was run is answered, and what was not run says so.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use service_framework::prelude::*;
use service_framework_runtime::Service;

use crate::ledger::{Handlers, Ledger};
use crate::support::{Answer, Client, address, request, run, until_async, wired};

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

fn answered(ledgers: &[Rc<Ledger>]) -> u64 {
    ledgers.iter().map(|ledger| ledger.answered()).sum()
}

#[test]
fn twenty_stops_under_load_lose_nothing() {
    for round in 0..20 {
        let book = value!({
            "in": {"at_once": {"replyer": "127.0.0.1:0"}, "later": {"replyer": "127.0.0.1:0"}},
            "settings": {"drain_s": 60},
        });
        let mut service = Service::of::<Counting>(wired(book));
        service.start().unwrap();
        RUNS.store(0, Ordering::SeqCst);
        let ledgers: [Rc<Ledger>; 8] = Default::default();
        let has_stopped = Rc::new(Cell::new(false));
        run(async {
            let mut clients = Vec::new();
            for (number, ledger) in ledgers.iter().enumerate() {
                let connection = Handlers::of(number).choose("at_once", "later");
                let client = Rc::new(Client::to(&address(&service, connection)));
                let (ledger, has_stopped) = (Rc::clone(ledger), Rc::clone(&has_stopped));
                clients.push(tokio::task::spawn_local(async move {
                    // 250 requests a second from each of 8, whether or not the last was answered.
                    let mut asked = Vec::new();
                    let mut ticks = tokio::time::interval(Duration::from_millis(4));
                    while !has_stopped.get() {
                        ticks.tick().await;
                        let (client, ledger) = (Rc::clone(&client), Rc::clone(&ledger));
                        asked.push(tokio::task::spawn_local(async move {
                            let call = ledger.send();
                            let reply = client.send(request(&value!({}))).await;
                            ledger.end(call, reply.map(|reply| Answer::read(&reply)));
                        }));
                    }
                    client.is_alone().await;
                    client.close().await;
                    for asked in asked {
                        asked.await.unwrap();
                    }
                }));
            }
            until_async(|| answered(&ledgers) >= 300).await;
            let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
            assert_eq!(ended.await.unwrap().not_drained, Vec::<String>::new(), "round {round}");
            has_stopped.set(true);
            for client in clients {
                client.await.unwrap();
            }
        });
        // What was run was answered, and nothing that was refused or lost was run.
        ledgers.iter().for_each(|ledger| ledger.check());
        assert_eq!(RUNS.load(Ordering::SeqCst), answered(&ledgers), "round {round}: {ledgers:?}");
    }
}
