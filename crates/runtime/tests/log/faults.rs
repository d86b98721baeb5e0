//! What goes wrong with a log: it is counted, said, and over when its cause is.

use std::fs;
use std::path::Path;
use std::process::Command;

use service_framework_runtime::log::{Level, Log, LogOptions};

use super::{HOUR, Hands, TEN, messages, open, options, say};

/// Where a child process writes its log.
const CHILD: &str = "SERVICE_FRAMEWORK_TEST_LOG";

#[test]
fn what_is_recorded_before_a_clean_stop_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    for n in 0..5_000 {
        log.record(Level::Info, "board", &n.to_string(), None);
    }
    let recorder = log.recorder().clone();
    drop(log);
    let written = messages(&path);
    let expected: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    assert_eq!(written, expected);
    recorder.record(Level::Info, "board", "too late", None);
    assert_eq!(recorder.dropped().file, 1);
}

#[test]
fn a_removed_folder_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logs/today/a.log");
    let log = open(&path);
    say(&log, "before");
    fs::remove_dir_all(folder.path().join("logs")).expect("removed");
    say(&log, "after");
    assert_eq!(messages(&path), ["after"]);
    assert_eq!(log.dropped().file, 0);
}

#[test]
fn a_folder_that_cannot_be_made_loses_lines_until_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("logs");
    let path = logs.join("a.log");
    let log = open(&path);
    say(&log, "before");
    fs::remove_dir_all(&logs).expect("removed");
    fs::write(&logs, "a file in the way").expect("a file");
    say(&log, "lost");
    say(&log, "lost as well");
    assert_eq!(log.dropped().file, 2);
    fs::remove_file(&logs).expect("out of the way");
    say(&log, "after");
    let written = messages(&path);
    assert!(written[0].starts_with("lost 2 of this log's lines: "), "{written:?}");
    assert_eq!(written[1..], ["after"]);
    assert_eq!(log.dropped().file, 2);
}

#[test]
fn a_file_that_is_removed_or_replaced_by_hand_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    say(&log, "one");
    fs::remove_file(&path).expect("removed");
    say(&log, "two");
    assert_eq!(messages(&path), ["two"]);
    fs::rename(&path, folder.path().join("mine.log")).expect("moved");
    fs::write(&path, "half a line").expect("another file");
    say(&log, "three");
    assert_eq!(messages(&folder.path().join("mine.log")), ["two"]);
    assert_eq!(messages(&path), ["half a line", "three"]);
    fs::write(&path, "").expect("emptied in place");
    say(&log, "four");
    assert_eq!(messages(&path), ["four"]);
    assert_eq!(log.dropped().file, 0);
}

#[cfg(unix)]
#[test]
fn a_pipe_put_in_the_place_of_the_file_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    fs::remove_file(&path).expect("removed");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    say(&log, "lost");
    fs::remove_file(&path).expect("removed");
    say(&log, "after");
    assert_eq!(messages(&path), ["lost 1 of this log's lines: neither a file nor a device", "after"]);
    assert_eq!(log.dropped().file, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_lines_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
    let hands = Hands::at(TEN);
    let log = Log::open(&LogOptions { clock: hands.clock(), ..options(&path) }).expect("opens");
    say(&log, "lost");
    hands.set(TEN + HOUR);
    say(&log, "lost in the next hour");
    assert_eq!(log.dropped().file, 2);
    assert!(Path::new("/dev/full").exists(), "a device is not a file to put aside");
    fs::remove_file(&path).expect("removed");
    say(&log, "there is room");
    assert_eq!(
        messages(&path),
        ["lost 2 of this log's lines: No space left on device (os error 28)", "there is room"]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_lost_is_said_at_the_end_if_not_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
    let log = open(&path);
    say(&log, "lost");
    fs::remove_file(&path).expect("removed");
    drop(log);
    assert_eq!(messages(&path), ["lost 1 of this log's lines: No space left on device (os error 28)"]);
}

#[cfg(unix)]
#[test]
fn a_write_that_ends_halfway_tears_one_line_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let test = std::env::current_exe().expect("this test");
    // A limit on the size of files ends a write where a full disk would: in the middle of a line.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(test)
        .args(["--ignored", "--exact", "faults::child_on_a_small_disk", "--nocapture"])
        .env(CHILD, folder.path().join("a.log"))
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

#[test]
#[ignore = "needs the limit that another test gives it"]
fn child_on_a_small_disk() {
    const SENT: u64 = 500;
    let Some(path) = std::env::var_os(CHILD) else { return };
    let path = Path::new(&path);
    let log = open(path);
    for n in 0..SENT {
        log.record(Level::Info, "board", &format!("message {n}"), None);
    }
    assert!(log.flush(super::PATIENCE));
    let full = fs::read(path).expect("the log");
    assert_ne!(full.last(), Some(&b'\n'), "the disk was full in the middle of a line");
    let whole = full.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(log.dropped().file, SENT - whole);

    let file = fs::File::options().write(true).open(path).expect("the log");
    file.set_len(full.len() as u64 - 1_005).expect("room is made");
    say(&log, "there is room");
    let written = messages(path);
    let [torn, notice, last] = &written[written.len() - 3..] else { panic!("{written:?}") };
    assert!(!torn.contains("lost "), "{torn}");
    assert!(notice.starts_with(&format!("lost {} of this log's lines: ", SENT - whole)), "{notice}");
    assert_eq!(last, "there is room");
}
