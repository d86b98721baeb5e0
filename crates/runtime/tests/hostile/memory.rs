//! A length that is declared and not there takes no memory.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::exchange;
use crate::payloads::{attacks, good};
use crate::support::{Answer, Client, address, run};

/// Set in the process that runs the test alone.
const ALONE: &str = "SERVICE_FRAMEWORK_TEST_ALONE";
/// What allocators and threads may take by themselves. One list of 2^32 values would take 64 GiB.
const MOST_KIB: u64 = 4 << 10;

#[test]
fn declared_lengths_take_no_memory() {
    if std::env::var_os(ALONE).is_some() {
        return send_liars();
    }
    // Tests beside it in this process take memory, too.
    let name = std::thread::current().name().expect("the thread of a test has its name").to_owned();
    let test = std::env::current_exe().unwrap();
    let output = Command::new(test).args(["--exact", &name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn send_liars() {
    let mut service = exchange();
    run(async {
        let client = Client::to(&address(&service, "order"));
        let liars: Vec<_> = attacks().into_iter().filter(|attack| attack.name.contains("2^32-1")).collect();
        assert_eq!(liars.len(), 25);
        // What a message takes that says the truth is taken before.
        for _ in 0..1_000 {
            assert!(Answer::read(&client.send(good()).await.unwrap()).outcome.is_ok());
        }
        let before = Memory::now();
        for liar in liars.iter().cycle().take(5_000) {
            assert_eq!(client.ask_bytes(liar.payload.clone()).await.code(), "bad_message");
        }
        let after = Memory::now();
        assert!(after.mapped_kib - before.mapped_kib < MOST_KIB, "asked for: {before:?} {after:?}");
        assert!(after.resident_kib - before.resident_kib < MOST_KIB, "used: {before:?} {after:?}");
    });
    service.stop().unwrap();
}

/// The most memory that this process ever had.
#[derive(Debug)]
struct Memory {
    /// Touched or not.
    mapped_kib: u64,
    resident_kib: u64,
}

impl Memory {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let kib = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Self { mapped_kib: kib("VmPeak:"), resident_kib: kib("VmHWM:") }
    }
}
