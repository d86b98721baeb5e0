//! What a service shows on stderr.

use std::io::Read;
use std::process::{Command, Stdio};

use service_framework_runtime::log::{Level, Log, LogOptions};

/// Tells a child process what to do.
const CHILD: &str = "SERVICE_FRAMEWORK_TEST_CONSOLE";
/// How a child ends that nothing held up.
const WENT_ON: i32 = 42;

fn child(task: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--ignored", "--exact", "console::child_with_a_console", "--nocapture"]).env(CHILD, task);
    child
}

#[test]
#[ignore = "run by the tests beside it, with a stderr of theirs"]
fn child_with_a_console() {
    let Some(task) = std::env::var_os(CHILD) else { return };
    let options = LogOptions { service: "board".to_owned(), console: Level::Warn, ..LogOptions::default() };
    let log = Log::open(&options).expect("the console opens");
    let _records = tracing::dispatcher::set_default(log.dispatch());
    match task.to_str().expect("a task") {
        "shown" => {
            tracing::info!("not shown");
            tracing::warn!(target: "board", "two\nlines \u{1b}[2J");
        }
        "alone" => {
            let work = || tracing::error!(target: "board", "known to a thread of no service before");
            std::thread::spawn(work).join().expect("no record there");
            work();
        }
        "closed" => {
            // The reader is gone when its other end says so.
            let _ = std::io::stdin().read(&mut [0]);
            for _ in 0..100 {
                tracing::error!("to nobody");
            }
            assert!(log.flush(super::PATIENCE));
            assert_eq!(log.dropped().console, 100);
        }
        "stuck" => {
            // Nobody reads: what a pipe and the queue hold is less than this.
            let long = "x".repeat(60_000);
            for _ in 0..100 {
                tracing::error!("{long}");
            }
            assert!(log.dropped().console > 0, "what does not fit is counted");
            // Not dropped: that would wait for the reader.
            std::process::exit(WENT_ON);
        }
        other => panic!("no task `{other}`"),
    }
}

#[test]
fn a_record_is_one_plain_line_on_a_stderr_that_is_no_terminal() {
    let output = child("shown").output().expect("a child");
    assert!(output.status.success());
    let shown = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(shown.ends_with(" - board - - - WARNING - two\\nlines \\u{1b}[2J\n"), "{shown}");
    assert_eq!(shown.lines().count(), 1, "{shown}");
}

#[test]
fn a_closed_stderr_harms_nothing() {
    let mut child = child("closed")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    drop(child.stderr.take());
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_stderr_that_nobody_reads_stops_no_service() {
    let mut child = child("stuck").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a child");
    let unread = child.stderr.take();
    assert_eq!(child.wait().expect("its end").code(), Some(WENT_ON));
    drop(unread);
}

#[test]
fn a_place_that_a_foreign_thread_reached_first_is_logged() {
    // In a process of its own: other dispatchers would hide it.
    let output = child("alone").output().expect("a child");
    let shown = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(shown.matches(" - ERROR - known to a thread of no service before\n").count(), 1, "{shown}");
}
