//! A publisher whose process ends and starts again and again: its subscriber finds it each time, and knows what it has missed.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::report::{self, Times};
use crate::support::{Client, address, counters, run, until, wired};

const NEWS: Publisher<News> = Publisher::new("news").wait_after_creation_s(0.0);

#[derive(Model)]
struct News {
    /// Which of its processes has published it.
    life: u64,
    /// How many that one had published before.
    number: u64,
}

#[derive(Model)]
struct Config {
    folder: String,
    life: u64,
}

/// Publishes numbers until it is stopped, and notes how many there were.
struct Press {
    config: Config,
}

#[service(uses(NEWS))]
impl Press {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let Config { folder, life } = &self.config;
        let mut number = 0;
        while cx.timeout(Duration::from_millis(1), cx.stopping()).await.is_err() {
            cx.publish(&NEWS, &News { life: *life, number })?;
            number += 1;
        }
        Ok(process::note(folder, &number.to_string())?)
    }
}

#[derive(Model, Clone, Copy, Debug, Default, PartialEq)]
struct Heard {
    /// Messages before the first one.
    missed_first: u64,
    /// Messages that were missed later.
    missed_later: u64,
    received: u64,
}

#[derive(Model)]
struct Life {
    life: u64,
}

/// Subscribes, and keeps count.
struct Reader {
    heard: Mutex<BTreeMap<u64, Heard>>,
}

#[service]
impl Reader {
    fn new() -> Result<Self> {
        Ok(Self { heard: Mutex::default() })
    }

    #[subscriber]
    fn on_news(&self, news: News) -> Result<()> {
        let mut lives = self.heard.lock().unwrap();
        assert!(lives.keys().all(|life| *life <= news.life), "no process publishes after its end");
        let heard = lives.entry(news.life).or_insert(Heard { missed_first: news.number, ..Heard::default() });
        heard.missed_later = news.number - heard.missed_first - heard.received;
        heard.received += 1;
        Ok(())
    }

    #[replyer]
    fn heard(&self, of: Life) -> Result<Heard> {
        Ok(self.heard.lock().unwrap().get(&of.life).copied().unwrap_or_default())
    }
}

mod linked {
    service_framework::link!(super::Press);
}
service_framework::link!(Reader);

fn at(folder: &Path) -> String {
    format!("ipc://{}", folder.join("news.sock").display())
}

/// Says which process it is to be.
const LIFE: &str = "SERVICE_FRAMEWORK_TEST_LIFE";

/// Is the publisher, if this process was started to be it.
fn be_the_press() {
    let Some(folder) = process::folder() else { return };
    let life: i64 = std::env::var(LIFE).unwrap().parse().unwrap();
    let options = Options {
        config: value!({"folder": (folder.as_str()), "life": life}).into(),
        ..wired(value!({"out": {"news": {"publisher": (at(Path::new(&folder)))}}}))
    };
    Service::of::<Press>(options).run_main().unwrap();
    std::process::exit(0);
}

/// Waits until somebody listens at a socket file who did not before, and says since when.
pub(crate) fn listens_anew(file: &Path, before: Option<u64>) -> Instant {
    until("it listens", || number(file).is_some_and(|number| Some(number) != before));
    Instant::now()
}

/// The number of a socket file, if there is one: that of each listener is another.
pub(crate) fn number(file: &Path) -> Option<u64> {
    file.metadata().ok().map(|file| file.ino())
}

fn heard(reader: &Service, life: u64) -> Heard {
    let at = address(reader, "heard");
    run(async { Client::to(&at).ask(value!({"life": life})).await.model() })
}

fn check(test: &str, lives: u64) -> Times {
    be_the_press();
    let mut again =
        Times::new("from its listening to the first message that is heard", Duration::from_secs(1));
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Service::of::<Reader>(wired(value!({
        "in": {"heard": {"replyer": "127.0.0.1:0"}, "on_news": {"subscriber": (at(folder.path()))}},
    })));
    reader.start().unwrap();
    for life in 1..=lives {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(LIFE, life.to_string()).stdout(Stdio::null());
        let file = folder.path().join("news.sock");
        let before = number(&file);
        let mut press = Process::start_by(command, test, folder.path());
        let since = listens_anew(&file, before);
        until("it is heard", || heard(&reader, life).received > 0);
        again.add(since.elapsed());
        until("more of it is heard", || heard(&reader, life).received >= 20);
        if life % 2 == 0 {
            press.signal(libc::SIGKILL);
            press.wait();
        } else {
            press.signal(libc::SIGTERM);
            assert!(press.wait().success());
            // All is heard but what was published before it was found.
            let published: u64 = process::notes(folder.path()).last().unwrap().parse().unwrap();
            let counted = || heard(&reader, life).missed_first + heard(&reader, life).received;
            until("the last is heard", || counted() >= published);
            assert_eq!(counted(), published);
        }
    }
    for life in 1..=lives {
        assert_eq!(heard(&reader, life).missed_later, 0, "in life {life}");
    }
    assert_eq!(counters(&reader, "on_news").refused, [].into());
    reader.stop().unwrap();
    again
}

#[test]
fn a_subscriber_hears_a_publisher_that_is_restarted_and_knows_what_it_missed() {
    check("restarts::a_subscriber_hears_a_publisher_that_is_restarted_and_knows_what_it_missed", 5);
}

#[test]
#[ignore = "takes minutes"]
fn a_subscriber_hears_a_publisher_that_is_restarted_a_hundred_times() {
    let again = check("restarts::a_subscriber_hears_a_publisher_that_is_restarted_a_hundred_times", 100);
    report::write_times("restarts", std::slice::from_ref(&again));
    assert!(again.are_kept(), "{again:?}");
}
