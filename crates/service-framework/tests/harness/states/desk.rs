//! A service with copies and states of its own, which tells a test what it sees of them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use service_framework::Content;
use service_framework::prelude::*;

use crate::harness::exported::exported;

#[derive(Model, State, Clone, Debug, Default, PartialEq)]
#[state(derive(Debug, PartialEq))]
pub(super) struct Book {
    pub(super) best_usd: u32,
    pub(super) note: Option<String>,
    #[model(default = 1)]
    pub(super) lot: u32,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) open: u32,
}

pub(super) type Levels = BTreeMap<u64, u32>;

pub(super) const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
pub(super) const LEVELS: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("levels");
pub(super) const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary");
pub(super) const MINE: DeltaUpdateOut<Book> =
    DeltaUpdateOut::starting_with("mine", || Book { best_usd: 10, note: None, lot: 5 });
pub(super) const COUNTS: DeltaUpdateOut<Levels> = DeltaUpdateOut::new("counts");
pub(super) const TOTAL: FullUpdateOut<Summary> = FullUpdateOut::new("total").topic("desk");

/// What a test can see of a copy.
#[derive(Model, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) best_usd: Option<u32>,
    pub(super) status: String,
    pub(super) number: Option<i64>,
    pub(super) since_s: u64,
}

#[derive(Default)]
pub(super) struct Desk {
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

pub(super) fn desk() -> Harness<Desk> {
    Harness::new(()).unwrap()
}

pub(super) fn book(best_usd: u32) -> Book {
    Book { best_usd, note: Some("thin".into()), lot: 3 }
}

pub(super) fn best_usd(best_usd: u32) -> BookChange {
    BookChange { best_usd: Some(best_usd), ..Default::default() }
}

pub(super) fn see(desk: &Harness<Desk>) -> Seen {
    desk.request("see", &()).unwrap()
}

pub(super) fn ask(desk: &Harness<Desk>, replyer: &str) -> Result<Value> {
    desk.request(replyer, &())
}

pub(super) fn told(desk: &Harness<Desk>) -> String {
    ask(desk, "told").unwrap().to_string()
}
