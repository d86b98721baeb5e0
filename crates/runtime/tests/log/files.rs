//! Where the file is, and where its past hours are.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use service_framework_runtime::log::{Log, LogError, LogOptions};

use super::{HOUR, Hands, TEN, messages, names, open, options, say};

fn timed(path: &Path, hands: &Hands, backup_count: usize) -> Log {
    let options = LogOptions { clock: hands.clock(), backup_count, ..options(path) };
    Log::open(&options).expect("the log opens")
}

#[test]
fn a_path_is_a_file_or_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    say(&open(folder.path()), "in a folder that exists");
    say(&open(&folder.path().join("new/deep/")), "in a folder to be");
    say(&open(&folder.path().join("other/file")), "in a file");
    assert_eq!(messages(&folder.path().join("board.log")), ["in a folder that exists"]);
    assert_eq!(messages(&folder.path().join("new/deep/board.log")), ["in a folder to be"]);
    assert_eq!(messages(&folder.path().join("other/file")), ["in a file"]);
}

#[test]
fn a_name_does_not_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LogOptions { service: "../../board".to_owned(), ..options(folder.path()) };
    drop(Log::open(&options).expect("the log opens"));
    assert_eq!(names(folder.path()), [".._.._board.log"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_a_fault_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    File::create(folder.path().join("file")).expect("a file");
    let refused =
        |path: &str| Log::open(&options(&folder.path().join(path))).expect_err("no log").to_string();
    let said = refused("file/a.log");
    assert!(said.contains("cannot make folder") && said.contains("/file for the log; give"), "{said}");
    let said = refused("file/");
    assert!(said.contains("/file"), "{said}");
    let nowhere = Log::open(&options(Path::new(""))).expect_err("no log");
    assert!(matches!(nowhere, LogError::Open { .. }), "{nowhere:?}");
}

#[cfg(unix)]
#[test]
fn a_socket_is_no_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    assert!(matches!(Log::open(&options(&path)), Err(LogError::NotAFile { .. })));
}

#[test]
fn each_hour_with_lines_has_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let log = timed(&path, &hands, 24);
    for (seconds, message) in
        [(0, "ten"), (HOUR - 1, "still ten"), (HOUR, "eleven"), (5 * HOUR, "three"), (14 * HOUR, "midnight")]
    {
        hands.set(TEN + seconds);
        say(&log, message);
    }
    assert_eq!(
        names(folder.path()),
        ["a.log", "a.log.2026-07-24_10", "a.log.2026-07-24_11", "a.log.2026-07-24_15"]
    );
    let past = |hour: &str| messages(&folder.path().join(format!("a.log.2026-07-24_{hour}")));
    assert_eq!(past("10"), ["ten", "still ten"]);
    assert_eq!(past("11"), ["eleven"]);
    assert_eq!(past("15"), ["three"]);
    assert_eq!(messages(&path), ["midnight"]);
    assert_eq!(log.dropped().file, 0);
}

#[test]
fn a_line_is_in_the_file_of_the_hour_it_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let log = timed(&path, &hands, 24);
    // No waiting between them: the lines of several hours stand in the queue together.
    for hour in 0..20 {
        hands.set(TEN + hour * HOUR + HOUR - 1);
        for n in 0..50 {
            log.record(service_framework_runtime::log::Level::Info, "board", &format!("{hour} {n}"), None);
        }
    }
    drop(log);
    let mut lines = 0;
    for name in names(folder.path()) {
        let text = fs::read_to_string(folder.path().join(&name)).expect("written");
        let hours: Vec<String> = text.lines().map(|line| line[..13].replace(' ', "_")).collect();
        assert!(hours.iter().all(|hour| *hour == hours[0]), "{name}");
        assert!(name == "a.log" || name.ends_with(&hours[0]), "{name} holds {}", hours[0]);
        lines += hours.len();
    }
    assert_eq!(lines, 20 * 50);
}

#[test]
fn the_newest_files_are_kept_and_strangers_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    for stranger in ["a.log.2020-01-01_00.gz", "a.log.old", "b.log.2020-01-01_00"] {
        File::create(folder.path().join(stranger)).expect("a file");
    }
    fs::create_dir(folder.path().join("a.log.2020-01-01_01")).expect("a folder of a stranger");
    let hands = Hands::at(TEN);
    let log = timed(&path, &hands, 2);
    for hour in 0..5 {
        hands.set(TEN + hour * HOUR);
        say(&log, "line");
    }
    drop(log);
    let kept = [
        "a.log",
        "a.log.2020-01-01_00.gz",
        "a.log.2020-01-01_01",
        "a.log.2026-07-24_12",
        "a.log.2026-07-24_13",
        "a.log.old",
        "b.log.2020-01-01_00",
    ];
    // The stranger's folder is named like a past hour, and stands in no file's place.
    assert_eq!(names(folder.path()), kept);
    drop(timed(&path, &hands, 1));
    assert!(!folder.path().join("a.log.2026-07-24_12").exists(), "a smaller count holds from the start");
}

#[test]
fn a_count_of_none_keeps_the_current_file_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let log = timed(&path, &hands, 0);
    say(&log, "gone");
    hands.set(TEN + HOUR);
    say(&log, "here");
    assert_eq!(names(folder.path()), ["a.log"]);
    assert_eq!(messages(&path), ["here"]);
}

#[test]
fn a_start_in_a_later_hour_puts_the_old_file_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let at = |seconds| {
        let file = File::options().append(true).open(&path).expect("the log");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
    };
    say(&timed(&path, &hands, 24), "first run");
    at(TEN + 60);
    say(&timed(&path, &hands, 24), "second run, same hour");
    at(TEN + 120);
    hands.set(TEN + 3 * HOUR);
    let log = timed(&path, &hands, 24);
    assert_eq!(names(folder.path()), ["a.log", "a.log.2026-07-24_10"], "before any line");
    say(&log, "third run");
    assert_eq!(messages(&folder.path().join("a.log.2026-07-24_10")), ["first run", "second run, same hour"]);
    assert_eq!(messages(&path), ["third run"]);
}

#[test]
fn a_clock_that_goes_back_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let log = timed(&path, &hands, 24);
    for (seconds, message) in [(HOUR, "eleven"), (0, "ten again"), (2 * HOUR, "noon")] {
        hands.set(TEN + seconds);
        say(&log, message);
    }
    assert_eq!(messages(&folder.path().join("a.log.2026-07-24_11")), ["eleven", "ten again"]);
    assert_eq!(messages(&path), ["noon"]);
}

#[test]
fn two_logs_on_one_file_share_it_over_the_hour() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let hands = Hands::at(TEN);
    let (one, two) = (timed(&path, &hands, 24), timed(&path, &hands, 24));
    say(&one, "one at ten");
    say(&two, "two at ten");
    hands.set(TEN + HOUR);
    say(&one, "one at eleven");
    say(&two, "two at eleven");
    assert_eq!(messages(&folder.path().join("a.log.2026-07-24_10")), ["one at ten", "two at ten"]);
    assert_eq!(messages(&path), ["one at eleven", "two at eleven"]);
}
