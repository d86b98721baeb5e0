//! A service that stops while its peers go on sending as fast as they can: those who come too late do not keep those from ending who were in time.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::address::Address;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, counters, request, run, until_async, wired};

/// Answers after many steps.
struct Stepping {
    scene: Arc<Scene>,
}

#[service]
impl Stepping {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    async fn step(&self, cx: &Context) -> Result<Empty> {
        self.scene.note("begun");
        self.scene.pass("door", cx).await;
        for _ in 0..200 {
            let mut has_waited = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        Ok(())
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    /// Holds the thread a little.
    #[replyer]
    fn hold(&self) -> Result<Empty> {
        self.scene.note("held");
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    }
}

service_framework::link!(Stepping);

fn stepping(scene: &Scene, drain_s: f64) -> Service {
    let any = || value!({"replyer": "127.0.0.1:0"});
    let book = value!({
        "in": {"step": (any()), "echo": (any()), "hold": (any())},
        "settings": {"drain_s": drain_s},
    });
    let mut service = Service::of::<Stepping>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    service
}

#[test]
fn those_who_come_too_late_do_not_keep_a_handler_from_ending() {
    let scene = Scene::new();
    let mut service = stepping(&scene, 60.0);
    let (is_over, connected) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let pressing: Vec<_> = (0..3)
        .map(|_| {
            let (at, is_over) = (address(&service, "echo"), Arc::clone(&is_over));
            let connected = Arc::clone(&connected);
            std::thread::spawn(move || run(press(at, connected, is_over)))
        })
        .collect();
    run(async {
        until_async(|| connected.load(Ordering::Relaxed) == 3).await;
        let client = Client::to(&address(&service, "step"));
        let begun = tokio::task::spawn_local(async move { client.ask(value!({})).await });
        scene.noted("begun").await;
        service.stopper().stop();
        let late = || counters(&service, "echo").refused.get("stopping").copied().unwrap_or_default();
        until_async(|| late() > 1_000).await;
        scene.open("door");
        begun.await.unwrap().ok();
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap()).await.unwrap();
        assert_eq!(ended.not_drained, Vec::<String>::new());
    });
    is_over.store(true, Ordering::Relaxed);
    for pressing in pressing {
        pressing.join().unwrap();
    }
}

/// Sends requests without reading a reply.
async fn press(at: Address, connected: Arc<AtomicUsize>, is_over: Arc<AtomicBool>) {
    let raw = Raw::connect(Role::Dealer, &at).await;
    connected.fetch_add(1, Ordering::Relaxed);
    let message = request(&value!({}));
    while !is_over.load(Ordering::Relaxed) {
        // What the socket does not take is sent again soon enough.
        (0..100).for_each(|_| {
            _ = raw.0.send([&b"a number"[..], b"", &message].map(Bytes::copy_from_slice).into())
        });
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_has_arrived_and_is_not_begun_in_time_is_refused() {
    const SENT: usize = 3_000;
    let scene = Scene::new();
    let mut service = stepping(&scene, 0.1);
    run(async {
        let client = Rc::new(Client::to(&address(&service, "hold")));
        let asked: Vec<_> = (0..SENT)
            .map(|_| {
                let client = Rc::clone(&client);
                tokio::task::spawn_local(async move { client.ask(value!({})).await })
            })
            .collect();
        scene.noted("held").await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        let mut answered = 0;
        for asked in asked {
            match asked.await.unwrap().outcome {
                Ok(_) => answered += 1,
                Err((code, message)) => assert_eq!(code, "stopping", "{message}"),
            }
        }
        assert_eq!(ended.await.unwrap().not_drained, Vec::<String>::new());
        assert_eq!(scene.notes().len(), answered, "who was refused was not run");
        // Each has held the thread for a hundredth of the time.
        assert!(answered < SENT / 2, "{answered}");
    });
}
