//! Encrypted connections: who is let in, and who is not.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::security::{Allow, KeyPair};
use service_framework_connections::{
    Bus, CallError, Cause, Engine, EngineOptions, Publisher, Replyer, Requester, Security, Subscriber,
    engine_by_name, publisher, requester,
};

use super::support::*;

fn secured(security: Security) -> Rc<dyn Engine> {
    engine_by_name(crate::ENGINE, EngineOptions { security, ..EngineOptions::default() }).unwrap()
}

fn server(own: &KeyPair, allow: Allow) -> Rc<dyn Engine> {
    secured(Security::Server { own: own.clone(), allow: Rc::new(allow) })
}

fn client(own: &KeyPair, server: &KeyPair) -> Rc<dyn Engine> {
    secured(Security::Client { own: own.clone(), server: *server.public() })
}

fn keys() -> [KeyPair; 3] {
    std::array::from_fn(|_| KeyPair::generate().unwrap())
}

fn these(allowed: &[&KeyPair]) -> Allow {
    Allow::These(allowed.iter().map(|pair| *pair.public()).collect())
}

fn asker(engine: &Rc<dyn Engine>, replyer: &Replyer) -> Requester {
    Requester::connect(engine, "to_orders", replyer.address(), requester::Options::default()).unwrap()
}

async fn ask(engine: &Rc<dyn Engine>, replyer: &Replyer) -> Result<Bytes, CallError> {
    asker(engine, replyer).call(Bytes::from("hello"), deadline()).await
}

#[test]
fn who_is_known_is_answered() {
    if cannot("zeromq", "cannot encrypt") {
        return;
    }
    run(async {
        let [own, known, _] = keys();
        for allow in [these(&[&known]), Allow::Anybody] {
            let replyer = Replyer::bind(&server(&own, allow), "orders", &any_port()).await.unwrap();
            let replyer = Rc::new(replyer);
            let _echo = echo(Rc::clone(&replyer));
            assert_eq!(ask(&client(&known, &own), &replyer).await.unwrap(), "hello");
        }
    });
}

#[test]
fn strangers_impostors_and_the_unencrypted_are_not_let_in() {
    if cannot("zeromq", "cannot encrypt") {
        return;
    }
    run(async {
        let [own, known, stranger] = keys();
        let replyer = Replyer::bind(&server(&own, these(&[&known])), "orders", &any_port()).await.unwrap();
        let replyer = Rc::new(replyer);
        let _echo = echo(Rc::clone(&replyer));
        let failed = || replyer.counters().counts().handshakes_failed;
        // Not on the list; one who takes somebody else for the server; one who knows of no keys.
        for (engine, cause) in [
            (client(&stranger, &own), Cause::NotAdmitted),
            (client(&known, &stranger), Cause::WrongKey),
            (engine(), Cause::Mechanism),
        ] {
            assert_eq!(failed().of(cause), 0);
            let stranger = asker(&engine, &replyer);
            until(|| failed().of(cause) > 0).await;
            let soon = Some(Instant::now() + Duration::from_millis(10));
            assert_eq!(stranger.call(Bytes::from("hello"), soon).await, Err(CallError::NotConnected));
        }
        assert_eq!(ask(&client(&known, &own), &replyer).await.unwrap(), "hello");
    });
}

#[test]
fn publications_are_encrypted_for_each_subscriber() {
    if cannot("zeromq", "cannot encrypt") {
        return;
    }
    run(async {
        let [own, first, second] = keys();
        let options = publisher::Options { wait_after_creation: DEADLINE, subscribers: 2 };
        let engine = server(&own, these(&[&first, &second]));
        let publisher = Publisher::bind(&engine, "prices", &any_port(), options).await.unwrap();
        let subscribers = [&first, &second].map(|pair| {
            Subscriber::connect(&client(pair, &own), "prices", publisher.address(), Bytes::new()).unwrap()
        });
        publisher.settle().await;
        for number in 0..100 {
            publisher.publish(Bytes::from(format!("price {number}")));
        }
        for subscriber in &subscribers {
            for number in 0..100 {
                assert_eq!(subscriber.recv().await, format!("price {number}"));
            }
        }
    });
}

#[test]
fn a_bus_passes_on_what_those_publish_whom_it_knows() {
    if cannot("zeromq", "cannot encrypt") {
        return;
    }
    run(async {
        let [own, known, stranger] = keys();
        let bus = Bus::open(&server(&own, these(&[&known])), &any_port(), &any_port()).await.unwrap();
        let options = || publisher::Options { wait_after_creation: Duration::ZERO, subscribers: 0 };
        let publishing =
            |engine| Publisher::connect(&engine, "prices", bus.publishers().0, options()).unwrap();
        let known_one = publishing(client(&known, &own));
        let _strange_one = publishing(client(&stranger, &own));
        let subscriber =
            Subscriber::connect(&client(&known, &own), "prices", bus.subscribers().0, Bytes::new()).unwrap();
        loop {
            known_one.publish(Bytes::from("a price"));
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await {
                break assert_eq!(heard, "a price");
            }
        }
        until(|| bus.publishers().1.counts().handshakes_failed.of(Cause::NotAdmitted) > 0).await;
    });
}
