//! A service that uses tokio in its handlers, exported for that.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use service_framework::harness::Pending;
use service_framework::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Waiter;

#[derive(Model, Debug, PartialEq)]
struct Text {
    text: String,
}

impl Serve for Waiter {
    const NAME: &'static str = "waiter";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        // A timer needs the runtime here already.
        drop(tokio::time::interval(Duration::from_secs(1)));
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.replyer("time").handle(async |_: &Self, _: Empty, cx: &Context| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            cx.sleep(Duration::from_millis(5)).await;
            Ok(Text { text: "slept".into() })
        });
        service.replyer("net").handle(async |_: &Self, args: Text, cx: &Context| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await?;
                let mut text = vec![0; 5];
                stream.read_exact(&mut text).await?;
                stream.write_all(&text).await
            });
            let client = async {
                let mut stream = tokio::net::TcpStream::connect(address).await?;
                stream.write_all(args.text.as_bytes()).await?;
                let mut text = String::new();
                stream.read_to_string(&mut text).await?;
                Ok::<_, Error>(text)
            };
            let text = cx.timeout(Duration::from_secs(30), client).await??;
            server.await??;
            Ok(Text { text })
        });
        service.replyer("timeout").handle(async |_: &Self, _: Empty, _: &Context| {
            let late = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
            Ok(Text { text: late.unwrap_err().to_string() })
        });
        service.replyer("for_ever").handle(async |_: &Self, _: Empty, _: &Context| {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(())
        });
        service.replyer("leave_work").handle_inline(|_: &Self, _: Empty, _: &Context| {
            let left = LEFT.take();
            tokio::spawn(async move {
                let _left = left;
                std::future::pending::<()>().await;
            });
            Ok(())
        });
        service.replyer::<Empty>("log_when_dropped").handle(async |_: &Self, _: Empty, _: &Context| {
            let _work = Work(LEFT.take());
            std::future::pending().await
        });
        service.replyer("spawn").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(|_| {
                tracing::info!("begins in {:?}", tokio::runtime::Handle::try_current().is_ok());
                std::future::ready(Ok(()))
            });
            Ok(())
        });
    }
}

export!(Waiter, tokio);

thread_local! {
    /// Is given to work that goes on for ever.
    static LEFT: Cell<Option<Sender<()>>> = const { Cell::new(None) };
}

/// Logs when it is dropped, and tells whom it is left for unless a panic drops it.
struct Work(Option<Sender<()>>);

impl Drop for Work {
    fn drop(&mut self) {
        tracing::info!("dropped in {:?}", tokio::runtime::Handle::try_current().is_ok());
        if let Some(left) = self.0.take_if(|_| !std::thread::panicking()) {
            left.send(()).expect("the test waits for it");
        }
    }
}

fn ask(connection: &str, text: &str) -> Text {
    let harness = Harness::<Waiter>::new(()).unwrap();
    match connection {
        "net" => harness.request(connection, &Text { text: text.into() }).unwrap(),
        _ => harness.request(connection, &()).unwrap(),
    }
}

#[test]
fn handlers_use_tokio_time() {
    assert_eq!(ask("time", "").text, "slept");
    assert_eq!(ask("timeout", "").text, "deadline has elapsed");
}

#[test]
fn handlers_use_tokio_net() {
    assert_eq!(ask("net", "hello").text, "hello");
}

#[test]
fn a_deadline_passes_in_real_time() {
    let harness = Harness::<Waiter>::new(()).unwrap();
    let late = harness.message("for_ever", &()).deadline(Duration::from_millis(20)).request::<()>();
    assert_eq!(late.unwrap_err().code(), "deadline");
}

#[test]
fn what_waits_too_long_is_named() {
    let harness = Harness::<Waiter>::new(()).unwrap();
    harness.set_patience(Duration::from_millis(20));
    let stuck = harness.request::<_, ()>("for_ever", &()).unwrap_err();
    assert_eq!(
        stuck.message(),
        "`for_ever` has not ended for 20ms: it waits for something outside of the harness"
    );
}

/// Waits for a record.
fn logged(harness: &Harness<Waiter>, text: &str) -> Option<String> {
    let records = harness.logs();
    let found = records.into_iter().find(|record| record.message == text);
    found.map(|record| record.workflow_id.unwrap_or_default())
}

#[test]
fn what_a_handler_leaves_is_dropped_and_logged_as_its_own() {
    let harness = Harness::<Waiter>::new(()).unwrap();
    let message = harness.message("log_when_dropped", &()).workflow_id("w");
    let late = message.deadline(Duration::from_millis(5)).request::<()>();
    assert_eq!(late.unwrap_err().code(), "deadline");
    assert_eq!(logged(&harness, "dropped in true").as_deref(), Some("w"));
}

#[test]
fn work_that_is_spawned_begins_where_it_goes_on() {
    let harness = Harness::<Waiter>::new(()).unwrap();
    harness.message("spawn", &()).workflow_id("w").request::<()>().unwrap();
    harness.advance(Duration::from_millis(1)).unwrap();
    assert_eq!(logged(&harness, "begins in true").as_deref(), Some("w"));
}

#[test]
fn tasks_end_with_the_service() {
    let (left, until_left) = channel();
    LEFT.set(Some(left));
    let harness = Harness::<Waiter>::new(()).unwrap();
    harness.request::<_, ()>("leave_work", &()).unwrap();
    assert!(LEFT.take().is_none(), "the task has it");
    drop(harness);
    assert_eq!(until_left.recv_timeout(Duration::from_secs(30)), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_service_may_end_with_the_thread_that_kept_it() {
    thread_local! {
        static KEPT: RefCell<Option<(Harness<Waiter>, Pending<()>)>> = const { RefCell::new(None) };
    }
    let (left, until_left) = channel();
    let thread = std::thread::spawn(|| {
        // What a thread keeps ends in the order opposite to that in which it was first looked at: what is tokio's goes before the service.
        KEPT.set(None);
        LEFT.set(Some(left));
        let harness = Harness::<Waiter>::new(()).unwrap();
        let half = harness.start("log_when_dropped", &()).unwrap();
        harness.settle().unwrap();
        KEPT.set(Some((harness, half)));
    });
    thread.join().unwrap();
    assert_eq!(until_left.recv(), Ok(()), "the half handler ends, and without a panic");
}
