//! `&self` handlers run beside one another, a `&mut self` handler runs alone, and nobody overtakes.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Answer, Client, address, counters, run, until_async, wired};

#[derive(Model)]
struct Visit {
    name: String,
}

#[derive(Model)]
struct Visitors {
    visitors: u64,
}

fn visitors(count: usize) -> Value {
    value!({"visitors": (count as i64)})
}

/// A room with one door for each visitor.
struct Room {
    scene: Arc<Scene>,
    visitors: u64,
}

impl Room {
    async fn stay(scene: &Scene, visit: &Visit, cx: &Context) {
        scene.note(format!("+{}", visit.name));
        scene.pass(&visit.name, cx).await;
        scene.note(format!("-{}", visit.name));
    }
}

#[service]
impl Room {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene(), visitors: 0 })
    }

    #[replyer]
    async fn shared(&self, args: Visit, cx: &Context) -> Result<Visitors> {
        Self::stay(&self.scene, &args, cx).await;
        Ok(Visitors { visitors: self.visitors })
    }

    #[replyer]
    async fn alone(&mut self, args: Visit, cx: &Context) -> Result<Visitors> {
        self.visitors += 1;
        Self::stay(&self.scene, &args, cx).await;
        self.visitors += 1;
        Ok(Visitors { visitors: self.visitors })
    }

    #[replyer]
    fn at_once(&self, args: Visit) -> Result<Visitors> {
        self.scene.note(format!("+{}", args.name));
        self.scene.block(&args.name);
        self.scene.note(format!("-{}", args.name));
        Ok(Visitors { visitors: self.visitors })
    }

    #[replyer]
    fn at_once_alone(&mut self, args: Visit) -> Result<Visitors> {
        self.visitors += 1;
        self.scene.note(format!("+{0} -{0}", args.name));
        Ok(Visitors { visitors: self.visitors })
    }
}

service_framework::link!(Room);

pub(crate) fn room(scene: &Scene, settings: Value) -> Service {
    let book = value!({
        "in": {
            "shared": {"replyer": "127.0.0.1:0"},
            "alone": {"replyer": "127.0.0.1:0"},
            "at_once": {"replyer": "127.0.0.1:0"},
            "at_once_alone": {"replyer": "127.0.0.1:0"},
        },
        "settings": (settings),
    });
    let mut service = Service::of::<Room>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    service
}

/// Sends visitors, each after the one before has arrived.
struct Door<'s> {
    service: &'s Service,
    clients: std::collections::BTreeMap<&'static str, std::rc::Rc<Client>>,
}

impl<'s> Door<'s> {
    fn of(service: &'s Service) -> Self {
        let clients = ["shared", "alone", "at_once", "at_once_alone"];
        let clients = clients.map(|name| (name, std::rc::Rc::new(Client::to(&address(service, name)))));
        Self { service, clients: clients.into() }
    }

    async fn enter(&self, connection: &'static str, name: &str) -> tokio::task::JoinHandle<Answer> {
        let before = counters(self.service, connection).messages_in;
        let visit = self.call(connection, name);
        until_async(|| counters(self.service, connection).messages_in > before).await;
        visit
    }

    fn call(&self, connection: &'static str, name: &str) -> tokio::task::JoinHandle<Answer> {
        let (client, args) = (self.clients[connection].clone(), value!({"name": name}));
        tokio::task::spawn_local(async move { client.ask(args).await })
    }
}

#[test]
fn shared_handlers_interleave_and_replies_leave_as_they_are_ready() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({}));
    run(async {
        let door = Door::of(&service);
        let mut visits = Vec::new();
        for name in ["a", "b", "c"] {
            visits.push(door.call("shared", name));
        }
        for note in ["+a", "+b", "+c"] {
            scene.noted(note).await;
        }
        for name in ["c", "a", "b"] {
            scene.open(name);
            let position = ["a", "b", "c"].iter().position(|known| *known == name).unwrap();
            assert_eq!((&mut visits[position]).await.unwrap().ok(), visitors(0));
        }
        assert_eq!(scene.notes(), ["+a", "+b", "+c", "-c", "-a", "-b"]);
    });
    service.stop().unwrap();
}

#[test]
fn an_exclusive_handler_runs_alone_across_its_awaits_and_nobody_overtakes_it() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({}));
    run(async {
        let door = Door::of(&service);
        let first = door.enter("shared", "a").await;
        scene.noted("+a").await;
        let waiting = [
            door.enter("alone", "x").await,
            door.enter("shared", "b").await,
            door.enter("alone", "y").await,
            door.enter("at_once_alone", "z").await,
            door.enter("shared", "c").await,
        ];
        assert_eq!(scene.notes(), ["+a"]);
        for name in ["c", "y", "b", "x"] {
            scene.open(name);
        }
        scene.open("a");
        assert_eq!(first.await.unwrap().ok(), visitors(0));
        let mut answers = Vec::new();
        for visit in waiting {
            answers.push(visit.await.unwrap().ok());
        }
        assert_eq!(scene.notes(), ["+a", "-a", "+x", "-x", "+b", "-b", "+y", "-y", "+z -z", "+c", "-c"]);
        assert_eq!(answers, [2, 2, 4, 5, 5].map(visitors));
    });
    service.stop().unwrap();
}

#[test]
fn exclusive_handlers_come_in_the_order_of_arrival() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({}));
    run(async {
        let door = Door::of(&service);
        let mut visits = Vec::new();
        for number in 0..30 {
            visits.push(door.enter("alone", &number.to_string()).await);
        }
        (0..30).rev().for_each(|number| scene.open(&number.to_string()));
        for (number, visit) in visits.into_iter().enumerate() {
            assert_eq!(visit.await.unwrap().ok(), visitors(2 * (number + 1)));
        }
        let expected: Vec<_> =
            (0..30).flat_map(|number| [format!("+{number}"), format!("-{number}")]).collect();
        assert_eq!(scene.notes(), expected);
    });
    service.stop().unwrap();
}

#[test]
fn an_inline_handler_runs_to_its_end_before_anything_else_does() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({}));
    run(async {
        let door = Door::of(&service);
        let inline = door.call("at_once", "i");
        scene.noted("+i").await;
        scene.open("b");
        let shared = door.call("shared", "b");
        // The thread is held, so that nothing tells when the request is there; it is sent by now.
        tokio::task::yield_now().await;
        scene.open("i");
        inline.await.unwrap().ok();
        shared.await.unwrap().ok();
        assert_eq!(scene.notes(), ["+i", "-i", "+b", "-b"]);
    });
    service.stop().unwrap();
}

#[test]
fn requests_beyond_in_flight_are_told_that_the_service_is_busy() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({"in_flight": 3}));
    run(async {
        let door = Door::of(&service);
        let first = [door.enter("shared", "a").await, door.enter("shared", "b").await];
        // One that waits for its turn counts, too.
        let alone = door.enter("alone", "x").await;
        for connection in ["shared", "alone", "at_once"] {
            assert_eq!(door.call(connection, "late").await.unwrap().code(), "busy");
            assert_eq!(counters(&service, connection).refused["busy"], 1);
        }
        ["a", "b", "x", "late"].iter().for_each(|name| scene.open(name));
        for visit in first {
            visit.await.unwrap().ok();
        }
        alone.await.unwrap().ok();
        door.call("shared", "late").await.unwrap().ok();
        assert_eq!(scene.notes()[6..], ["+late", "-late"]);
    });
    service.stop().unwrap();
}

#[test]
fn a_handler_whose_time_is_over_lets_the_next_one_in() {
    let scene = Scene::new();
    let mut service = room(&scene, value!({"deadline_s": 0.1}));
    run(async {
        let door = Door::of(&service);
        for _ in 0..3 {
            assert_eq!(door.call("alone", "never").await.unwrap().code(), "deadline");
        }
        scene.open("a");
        assert_eq!(door.call("alone", "a").await.unwrap().ok(), visitors(5));
    });
    service.stop().unwrap();
}
