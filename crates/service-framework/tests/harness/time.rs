//! Virtual time.

use std::cell::RefCell;
use std::rc::Rc;

use service_framework::prelude::*;

use super::exported::exported;

#[derive(Model)]
struct Wait {
    name: String,
    seconds: u64,
}

const TICKS: Publisher<Wait> = Publisher::new("ticks");

#[derive(Default)]
struct Sleeper {
    woken: Rc<RefCell<Vec<String>>>,
}

impl Serve for Sleeper {
    const NAME: &'static str = "sleeper";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self::default())
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&TICKS);
        service.replyer("wait").handle(async |this: &Self, args: Wait, cx: &Context| {
            cx.sleep(Duration::from_secs(args.seconds)).await;
            this.woken.borrow_mut().push(args.name);
            Ok(())
        });
        service.replyer("woken").handle_inline(|this: &Self, _: Empty, _: &Context| {
            Ok(Value::from(this.woken.borrow().join(" ")))
        });
        service.replyer("hurry").handle(async |_: &Self, args: Wait, cx: &Context| {
            let long = async {
                cx.sleep(Duration::from_secs(args.seconds)).await;
                "done"
            };
            cx.timeout(Duration::from_secs(10), long).await.map(Value::from)
        });
        service.replyer("beside").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(async move |cx| {
                cx.sleep(Duration::from_secs(5)).await;
                cx.publish(&TICKS, &Wait { name: "late".into(), seconds: 5 })?;
                Err(Error::msg("that was all"))
            });
            Ok(())
        });
        service.main(async |_: &Self, cx: &Context| {
            for seconds in 0.. {
                cx.publish(&TICKS, &Wait { name: "tick".into(), seconds })?;
                if cx.timeout(Duration::from_secs(60), cx.stopping()).await.is_ok() {
                    break;
                }
            }
            Ok(())
        });
    }
}

exported!(Sleeper);

fn wait(name: &str, seconds: u64) -> Wait {
    Wait { name: name.into(), seconds }
}

fn woken(harness: &Harness<Sleeper>) -> String {
    harness.request::<_, Value>("woken", &()).unwrap().as_text().unwrap().to_owned()
}

#[test]
fn an_hour_takes_no_time() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    let () = harness.request("wait", &wait("a", 3600)).unwrap();
    assert_eq!(harness.elapsed(), Duration::from_secs(3600));
}

#[test]
fn sleepers_wake_in_the_order_of_time() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    let slow = harness.start::<_, ()>("wait", &wait("slow", 3)).unwrap();
    let quick = harness.start::<_, ()>("wait", &wait("quick", 1)).unwrap();
    let same = harness.start::<_, ()>("wait", &wait("same", 3)).unwrap();
    assert!(!quick.is_done());
    harness.advance(Duration::from_secs(2)).unwrap();
    assert!(quick.is_done() && !slow.is_done());
    same.wait().unwrap();
    assert_eq!(woken(&harness), "quick slow same");
    assert_eq!(harness.elapsed(), Duration::from_secs(3));
}

#[test]
fn a_call_ends_with_its_deadline() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    let args = wait("late", 60);
    let failure =
        harness.message("wait", &args).deadline(Duration::from_secs(1)).request::<()>().unwrap_err();
    assert_eq!(failure.code(), "deadline");
    harness.advance(Duration::from_secs(100)).unwrap();
    assert_eq!(woken(&harness), "", "its future was dropped");
}

#[test]
fn a_timeout_drops_what_takes_too_long() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    assert_eq!(harness.request::<_, Value>("hurry", &wait("a", 9)).unwrap().as_text(), Some("done"));
    let failure = harness.request::<_, Value>("hurry", &wait("a", 11)).unwrap_err();
    assert_eq!(failure.message(), "deadline: not done within 10s");
}

#[test]
fn work_beside_the_handlers_goes_on_with_time() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    let () = harness.request("beside", &()).unwrap();
    assert!(harness.published(&TICKS).is_empty());
    harness.advance(Duration::from_secs(5)).unwrap();
    assert_eq!(harness.published(&TICKS).len(), 1);
    assert!(harness.logs()[0].message.contains("that was all"));
}

#[test]
fn a_main_without_an_end_is_advanced_and_stopped() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    let main = harness.start_main().unwrap();
    harness.advance(Duration::from_secs(150)).unwrap();
    assert_eq!(harness.published(&TICKS).len(), 3);
    harness.stop().unwrap();
    main.wait().unwrap();
}

#[test]
fn real_time_takes_its_time() {
    let harness = Harness::<Sleeper>::new(()).unwrap();
    harness.use_real_time();
    let begin = std::time::Instant::now();
    let () = harness.request("wait", &wait("a", 1)).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
}
