//! States of services under test: copies that the test feeds, and own ones that the service publishes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use expect_test::expect;
use service_framework::prelude::*;
use service_framework::{Content, UntypedChange};

use super::exported::exported;

#[derive(Model, State, Clone, Debug, Default, PartialEq)]
#[state(derive(Debug, PartialEq))]
struct Book {
    best_usd: u32,
    note: Option<String>,
    #[model(default = 1)]
    lot: u32,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Summary {
    open: u32,
}

type Levels = BTreeMap<u64, u32>;

const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
const LEVELS: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("levels");
const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary");
const MINE: DeltaUpdateOut<Book> =
    DeltaUpdateOut::starting_with("mine", || Book { best_usd: 10, note: None, lot: 5 });
const COUNTS: DeltaUpdateOut<Levels> = DeltaUpdateOut::new("counts");
const TOTAL: FullUpdateOut<Summary> = FullUpdateOut::new("total").topic("desk");

/// What a test can see of a copy.
#[derive(Model, Debug, PartialEq)]
struct Seen {
    best_usd: Option<u32>,
    status: String,
    number: Option<i64>,
    since_s: u64,
}

#[derive(Default)]
struct Desk {
    lent: Mutex<Option<Lent<Book>>>,
    told: Mutex<Vec<String>>,
    alone: u32,
}

#[service(uses(BOOK, LEVELS, SUMMARY, MINE, COUNTS, TOTAL))]
impl Desk {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    #[replyer]
    fn see(&self, cx: &Context) -> Result<Seen> {
        let status = cx.state_status(&BOOK)?;
        Ok(Seen {
            best_usd: cx.state(&BOOK).ok().map(|book| book.best_usd),
            status: status.status.to_string(),
            number: status.number,
            since_s: status.since.as_secs(),
        })
    }

    #[replyer]
    fn best(&self, cx: &Context) -> Result<Map> {
        Ok([("best_usd", cx.state(&BOOK)?.best_usd)].into_iter().collect())
    }

    #[replyer]
    async fn best_when_live(&self, cx: &Context) -> Result<Map> {
        cx.live(&BOOK).await?;
        self.best(cx)
    }

    #[replyer]
    async fn best_within_an_hour(&self, cx: &Context) -> Result<Map> {
        cx.timeout(Duration::from_secs(3600), cx.live(&BOOK)).await??;
        self.best(cx)
    }

    #[replyer(blocking)]
    fn best_blocking(&self, cx: &BlockingContext) -> Result<Map> {
        cx.live(&BOOK, Duration::from_secs(3600))?;
        assert_eq!(cx.state_status(&BOOK)?.status, Status::Live);
        Ok([("best_usd", cx.state(&BOOK)?.best_usd)].into_iter().collect())
    }

    #[replyer]
    fn borrow(&self, cx: &Context) -> Result<()> {
        *self.lent.lock().unwrap() = Some(cx.state(&BOOK)?);
        Ok(())
    }

    #[replyer]
    fn borrowed(&self) -> Result<Map> {
        let lent = self.lent.lock().unwrap();
        Ok([("best_usd", lent.as_ref().map(|book| book.best_usd))].into_iter().collect())
    }

    #[replyer]
    fn told(&self) -> Result<Value> {
        let told = self.told.lock().unwrap();
        Ok(value!({"told": (told.join("; ")), "alone": (self.alone)}))
    }

    #[updated(BOOK)]
    async fn book_changed(&self, update: Update<Book>, cx: &Context) -> Result<()> {
        let number = update.current_num;
        let what = match update.content {
            Content::Snapshot(book) => format!("{number}: all, best {}", book.best_usd),
            Content::Change(BookChange { best_usd: Some(13), .. }) => return Err(Error::msg("no 13 here")),
            Content::Change(change) => format!("{number}: {:?} {:?}", change.best_usd, change.note),
        };
        cx.sleep(Duration::from_secs(1)).await;
        self.told.lock().unwrap().push(what);
        Ok(())
    }

    #[updated(LEVELS)]
    fn levels_changed(&mut self) -> Result<()> {
        self.alone += 1;
        Ok(())
    }

    #[updated(SUMMARY, blocking)]
    fn summary_changed(&self, summary: Summary, cx: &BlockingContext) -> Result<()> {
        cx.sleep(Duration::from_secs(1));
        self.told.lock().unwrap().push(format!("summary {} of {}", summary.open, cx.state(&SUMMARY)?.open));
        Ok(())
    }

    #[replyer]
    fn trade(&self, change: Map, cx: &Context) -> Result<()> {
        let best_usd = change.get("best_usd").and_then(Value::as_f64).map(|usd| usd as u32);
        let note = if change.get("note") == Some(&Value::Null) { Edit::Remove } else { Edit::Keep };
        cx.update(&MINE, &BookChange { best_usd, note, ..Default::default() })?;
        cx.update(&COUNTS, &MapChange::new().set(1u64, cx.state(&COUNTS)?.len() as u32))?;
        let open = cx.state(&TOTAL).map_or(0, |total| total.open);
        cx.set(&TOTAL, &Summary { open: open + 1 })
    }

    #[replyer]
    fn anew(&self, cx: &Context) -> Result<()> {
        cx.set(&MINE, &Book { best_usd: 1, note: Some("new".into()), lot: 2 })
    }

    #[replyer]
    fn numbered(&self, cx: &Context) -> Result<()> {
        cx.publish_update(
            &MINE,
            &Update::change(70, BookChange { best_usd: Some(7), ..Default::default() }),
        )?;
        cx.publish_update(&MINE, &Update::snapshot(-5, Book { best_usd: 8, note: None, lot: 1 }))
    }

    #[replyer]
    fn mine(&self, cx: &Context) -> Result<Value> {
        let mine = cx.state(&MINE)?;
        Ok(value!({"best_usd": (mine.best_usd), "lot": (mine.lot)}))
    }

    #[replyer]
    async fn by_name(&self, args: Map, cx: &Context) -> Result<Value> {
        let name = args.get("name").and_then(Value::as_text).unwrap_or_default();
        cx.send(name, args.get("args").unwrap_or(&Value::Null)).await
    }

    #[replyer]
    fn stranger(&self, cx: &Context) -> Result<()> {
        const STRANGER: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("bok");
        const OTHER_TYPE: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("book");
        let [stranger, other] = [cx.state(&STRANGER), cx.state(&OTHER_TYPE)].map(Result::unwrap_err);
        Err(Error::msg(format!("{stranger}\n{other}")))
    }
}

exported!(Desk);

fn desk() -> Harness<Desk> {
    Harness::new(()).unwrap()
}

fn book(best_usd: u32) -> Book {
    Book { best_usd, note: Some("thin".into()), lot: 3 }
}

fn best_usd(best_usd: u32) -> BookChange {
    BookChange { best_usd: Some(best_usd), ..Default::default() }
}

fn see(desk: &Harness<Desk>) -> Seen {
    desk.request("see", &()).unwrap()
}

fn ask(desk: &Harness<Desk>, replyer: &str) -> Result<Value> {
    desk.request(replyer, &())
}

fn told(desk: &Harness<Desk>) -> String {
    ask(desk, "told").unwrap().to_string()
}

#[test]
fn a_copy_has_no_value_before_it_is_fed() {
    let desk = desk();
    assert_eq!(see(&desk), Seen { best_usd: None, status: "syncing".into(), number: None, since_s: 0 });
    expect!["failed: unavailable: state `book` has no value yet: it is syncing; `cx.live(..)` waits for it"]
        .assert_eq(&ask(&desk, "best").unwrap_err().to_string());
}

#[test]
fn a_copy_has_what_it_was_fed() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    assert_eq!(ask(&desk, "best").unwrap(), value!({"best_usd": 5}));
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.advance(Duration::from_secs(3)).unwrap();
    assert_eq!(see(&desk), Seen { best_usd: Some(6), status: "live".into(), number: Some(1), since_s: 5 });
}

#[test]
fn a_stale_copy_is_lent_and_says_so() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    desk.set_status(&BOOK, Status::Stale).unwrap();
    desk.advance(Duration::from_secs(3)).unwrap();
    assert_eq!(see(&desk), Seen { best_usd: Some(5), status: "stale".into(), number: Some(0), since_s: 3 });
    desk.set_status(&BOOK, Status::Live).unwrap();
    assert_eq!(see(&desk).status, "live");
}

#[test]
fn a_refused_change_leaves_the_copy_as_it_was() {
    // As the owner of another model would publish it.
    const OTHER: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    let desk = desk();
    let change = UntypedChange::new().set("best_usd", 6);
    let refused = desk.update_state(&OTHER, &change).unwrap_err();
    expect!["bad_args: a change of a value that there is not"].assert_eq(&refused.to_string());
    desk.set_state(&BOOK, &book(5)).unwrap();
    let before = see(&desk);
    let refused = desk.update_state(&OTHER, &change.clone().remove("best_usd").set("lot", 9)).unwrap_err();
    expect!["bad_args: args.state.best_usd: expected an integer from 0 to 4294967295, got null"]
        .assert_eq(&refused.to_string());
    let refused = desk.update_state(&OTHER, &change.set("nte", "x")).unwrap_err();
    expect!["bad_args: args.state.nte is unknown, did you mean `note`?"].assert_eq(&refused.to_string());
    let refused = desk.set_state(&OTHER, &Map::new()).unwrap_err();
    expect!["bad_args: args.state.best_usd is missing"].assert_eq(&refused.to_string());
    assert_eq!(see(&desk), before);
    desk.update_state(&BOOK, &best_usd(7)).unwrap();
    assert_eq!(see(&desk).number, Some(1));
    expect![[r#"{"told":"0: all, best 5; 1: Some(7) Keep","alone":0}"#]].assert_eq(&told(&desk));
}

#[test]
fn what_is_lent_does_not_change() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    ask(&desk, "borrow").unwrap();
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.update_state(&BOOK, &best_usd(7)).unwrap();
    assert_eq!(ask(&desk, "borrowed").unwrap(), value!({"best_usd": 5}));
    assert_eq!(ask(&desk, "best").unwrap(), value!({"best_usd": 7}));
}

#[test]
fn a_handler_waits_until_a_copy_is_live() {
    for replyer in ["best_when_live", "best_within_an_hour", "best_blocking"] {
        let desk = desk();
        let waiting = desk.start::<_, Value>(replyer, &()).unwrap();
        let another = desk.start::<_, Value>(replyer, &()).unwrap();
        desk.settle().unwrap();
        desk.set_status(&BOOK, Status::Stale).unwrap();
        desk.settle().unwrap();
        assert!(!waiting.is_done(), "{replyer}");
        desk.set_state(&BOOK, &book(5)).unwrap();
        assert_eq!(waiting.wait().unwrap(), value!({"best_usd": 5}), "{replyer}");
        assert_eq!(another.wait().unwrap(), value!({"best_usd": 5}), "{replyer}");
        assert!(desk.elapsed() < Duration::from_secs(3600), "{replyer}");
        assert_eq!(ask(&desk, replyer).unwrap(), value!({"best_usd": 5}), "{replyer}: it is live already");
    }
}

#[test]
fn who_waits_for_a_copy_may_give_up() {
    let desk = desk();
    for replyer in ["best_within_an_hour", "best_blocking"] {
        assert_eq!(ask(&desk, replyer).unwrap_err().code(), "failed");
    }
    assert_eq!(desk.elapsed(), Duration::from_secs(7200));
    let hurried = desk.message("best_when_live", &()).deadline(Duration::from_secs(1)).request::<Value>();
    assert_eq!(hurried.unwrap_err().code(), "deadline");
    desk.set_state(&BOOK, &book(5)).unwrap();
}

#[test]
fn a_copy_that_is_never_live_is_named() {
    let desk = desk();
    desk.set_patience(Duration::from_millis(10));
    desk.set_state(&LEVELS, &Levels::new()).unwrap();
    expect!["failed: `best_when_live` has not ended for 10ms: it waits for something outside of the harness, or for a copy to be live (`book`, `summary`): `harness.set_state(..)`"].assert_eq(&ask(&desk, "best_when_live").unwrap_err().to_string());
}

#[test]
fn a_handler_is_called_after_each_update() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.update_state(&BOOK, &BookChange { note: Edit::Remove, ..Default::default() }).unwrap();
    desk.set_state(&LEVELS, &Levels::from([(1, 2)])).unwrap();
    desk.update_state(&LEVELS, &MapChange::new().remove(1u64)).unwrap();
    desk.set_state(&SUMMARY, &Summary { open: 4 }).unwrap();
    expect![[r#"{"told":"0: all, best 5; 1: Some(6) Keep; 2: None Remove; summary 4 of 4","alone":2}"#]]
        .assert_eq(&told(&desk));
    assert_eq!(desk.elapsed(), Duration::from_secs(4));
}

#[test]
fn a_failed_handler_is_told_and_the_copy_goes_on() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    let failure = desk.update_state(&BOOK, &best_usd(13)).unwrap_err();
    expect!["failed: no 13 here"].assert_eq(&failure.to_string());
    assert_eq!(see(&desk).best_usd, Some(13));
}

#[test]
fn an_own_state_is_published_from_its_start() {
    let desk = desk();
    let start = Book { best_usd: 10, note: None, lot: 5 };
    assert_eq!(desk.updates(&MINE), [Update::snapshot(0, start)]);
    assert_eq!(desk.updates(&COUNTS), [Update::snapshot(0, Levels::new())]);
    assert_eq!(desk.values(&TOTAL), [], "a full one has no value before it is set");
}

#[test]
fn an_own_state_is_published_by_its_changes() {
    let desk = desk();
    let () =
        desk.message("trade", &value!({"best_usd": 11, "note": null})).workflow_id("w").request().unwrap();
    let () = desk.request("trade", &value!({})).unwrap();
    let removed = BookChange { best_usd: Some(11), note: Edit::Remove, ..Default::default() };
    let updates = desk.updates(&MINE);
    assert_eq!(updates[1..], [Update::change(1, removed), Update::change(2, BookChange::default())]);
    assert_eq!(
        desk.updates(&COUNTS)[1..],
        [
            Update::change(1, MapChange::new().set(1u64, 0u32)),
            Update::change(2, MapChange::new().set(1u64, 1u32))
        ]
    );
    assert_eq!(desk.values(&TOTAL), [Summary { open: 1 }, Summary { open: 2 }]);
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 11, "lot": 5}));
    let sent = &desk.sent("total")[0];
    assert_eq!((sent.topic.as_deref(), &*sent.workflow_id), (Some("desk"), "w_2"));
}

#[test]
fn an_own_state_is_set_whole() {
    let desk = desk();
    ask(&desk, "anew").unwrap();
    let anew = Book { best_usd: 1, note: Some("new".into()), lot: 2 };
    assert_eq!(desk.updates(&MINE)[1..], [Update::snapshot(1, anew)]);
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 1, "lot": 2}));
}

#[test]
fn an_author_may_number_by_hand() {
    let desk = desk();
    ask(&desk, "numbered").unwrap();
    ask(&desk, "anew").unwrap();
    let numbers: Vec<_> = desk.updates(&MINE).iter().map(|update| update.current_num).collect();
    assert_eq!(numbers, [0, 70, -5, -4]);
    let snapshots: Vec<_> = desk.updates(&MINE).iter().map(|update| update.content.is_snapshot()).collect();
    assert_eq!(snapshots, [true, false, true, true]);
}

#[track_caller]
fn send(desk: &Harness<Desk>, name: &str, args: Value) -> Result<Value> {
    let mut map = Map::new();
    map.insert("name", name);
    map.insert("args", args);
    desk.request("by_name", &map)
}

#[test]
fn an_own_state_is_published_by_its_name() {
    let desk = desk();
    send(&desk, "mine", value!({"state": {"best_usd": 2}, "is_snapshot": false})).unwrap();
    send(&desk, "mine", value!({"state": {"lot": null}, "is_snapshot": false, "current_num": 9})).unwrap();
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 2, "lot": 1}));
    assert_eq!(desk.updates(&MINE).last().unwrap().current_num, 9);
    send(&desk, "total", value!({"open": 4})).unwrap();
    assert_eq!(desk.values(&TOTAL), [Summary { open: 4 }]);
    let refused =
        send(&desk, "mine", value!({"state": {"best_usd": null}, "is_snapshot": false})).unwrap_err();
    expect![
        "failed: bad_args: `mine`: args.state.best_usd: expected an integer from 0 to 4294967295, got null"
    ]
    .assert_eq(&refused.to_string());
    let refused = send(&desk, "mine", value!({"is_snapshot": false})).unwrap_err();
    expect!["failed: bad_args: `mine`: args.state is missing"].assert_eq(&refused.to_string());
    let refused = send(&desk, "book", value!({})).unwrap_err();
    expect!["failed: `book` is a delta_update_in, which its owner alone changes"]
        .assert_eq(&refused.to_string());
    let refused = send(&desk, "min", value!({})).unwrap_err();
    expect!["failed: service `service-framework` declares no connection or state `min`: name its port in `#[service(uses(..))]`, did you mean `mine`?"]
        .assert_eq(&refused.to_string());
}

#[test]
fn a_port_that_is_not_used_says_so() {
    let failure = ask(&desk(), "stranger").unwrap_err();
    expect![[r#"
        failed: failed: service `service-framework` declares no connection or state `bok`: name its port in `#[service(uses(..))]`, did you mean `book`?
        failed: state `book` is declared by another port, which has another type"#]]
    .assert_eq(&failure.to_string());
}

#[test]
#[should_panic = "uses no state `bok`"]
fn a_state_that_is_not_used_is_a_mistake_of_the_test() {
    const STRANGER: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("bok");
    _ = desk().set_state(&STRANGER, &Levels::new());
}

#[test]
fn a_copy_that_init_waits_for_is_fed_before() {
    struct Patient;

    #[service(uses(BOOK))]
    impl Patient {
        fn new() -> Result<Self> {
            Ok(Self)
        }

        async fn init(&self, cx: &Context) -> Result<()> {
            cx.timeout(Duration::from_secs(5), cx.live(&BOOK)).await?
        }
    }

    exported!(Patient);
    let patient = Harness::<Patient>::new(()).unwrap();
    patient.set_state(&BOOK, &book(5)).unwrap();
    patient.init().unwrap();
    let failure = Harness::<Patient>::new(()).unwrap().init().unwrap_err();
    assert_eq!(failure.code(), "failed");
}

/// Without attributes and without types of its own.
struct ByHand;

const ANY_IN: DeltaUpdateIn<Map> = DeltaUpdateIn::new("in");
const ANY_FULL: FullUpdateIn<Value> = FullUpdateIn::new("full");
const ANY_OUT: DeltaUpdateOut<Map> = DeltaUpdateOut::new("out");

impl Serve for ByHand {
    const NAME: &'static str = "by_hand";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&ANY_OUT);
        service.updated(&ANY_IN).handle_inline(|_: &Self, update: Update<Map>, cx: &Context| {
            match update.content {
                Content::Snapshot(all) => cx.set(&ANY_OUT, &all),
                Content::Change(change) => cx.update(&ANY_OUT, &change),
            }
        });
        service.updated(&ANY_FULL).unread().handle_mut(async |_: &mut Self, _, cx: &Context| {
            let full = cx.state(&ANY_FULL)?.get("a").cloned().unwrap_or_default();
            cx.update(&ANY_OUT, &UntypedChange::new().set("full", full))
        });
        service.replyer("fail").handle_inline(|_: &Self, args: Map, cx: &Context| {
            let tagged: Map = [("__uuid__", true)].into_iter().collect();
            match args.get("whole") {
                Some(_) => cx.set(&ANY_OUT, &tagged),
                None => cx.update(&ANY_OUT, &UntypedChange::from(tagged)),
            }
        });
        service
            .replyer("out")
            .handle_inline(|_: &Self, _: Empty, cx: &Context| Ok(cx.state(&ANY_OUT)?.clone()));
    }
}

exported!(ByHand);

#[test]
fn states_go_without_types_and_attributes() {
    let harness = Harness::<ByHand>::new(()).unwrap();
    harness.set_state(&ANY_IN, &[("a", 1), ("b", 2)].into_iter().collect()).unwrap();
    harness.update_state(&ANY_IN, &UntypedChange::new().remove("b").set("c", 3)).unwrap();
    harness.set_state(&ANY_FULL, &value!({"a": [1, 2]})).unwrap();
    let out: Value = harness.request("out", &()).unwrap();
    assert_eq!(out, value!({"a": 1, "c": 3, "full": [1, 2]}));
    assert_eq!(harness.updates(&ANY_OUT).len(), 4);
    let change = harness.sent("out")[2].args.clone();
    assert_eq!(change, value!({"is_snapshot": false, "state": {"b": null, "c": 3}}));
}

#[test]
fn what_cannot_be_published_does_not_change_the_value() {
    let harness = Harness::<ByHand>::new(()).unwrap();
    for args in [value!({}), value!({"whole": true})] {
        let failure = harness.request::<_, Value>("fail", &args).unwrap_err();
        expect!["failed: cannot send by `out`: args: the key `__uuid__` marks a UUID on the wire"]
            .assert_eq(&failure.to_string());
    }
    assert_eq!(harness.request::<_, Value>("out", &()).unwrap(), value!({}));
    assert_eq!(harness.updates(&ANY_OUT).len(), 1);
}

#[test]
fn a_state_that_is_no_map_does_not_start() {
    const NULL: DeltaUpdateOut<Value> = DeltaUpdateOut::new("null");
    struct Null;

    #[service(uses(NULL))]
    impl Null {
        fn new() -> Result<Self> {
            Ok(Self)
        }
    }

    exported!(Null);
    let failure = Harness::<Null>::new(()).unwrap_err();
    expect!["failed: new: state `null`: cannot send by `null`: args: expected a map, as the value of a state is one, got null"].assert_eq(&failure.to_string());
}
