//! The program of libFuzzer, with the target that the environment names.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use service_framework_fuzz::{TARGETS, Try, VARIABLE};

static CHOSEN: LazyLock<Try> = LazyLock::new(|| {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.unwrap_or_else(|| panic!("{VARIABLE} names no target: use `cargo xtask fuzz`")).1
});

fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));
