//! Turns a panic of our own into an exit code and a request to report it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::print;

/// The exit code of a fault of our own, `EX_SOFTWARE` of sysexits.
const FAULT: u8 = 70;

/// Runs the command. What the panic says was printed by the panic hook.
pub(crate) fn guard(run: impl FnOnce() -> u8) -> ExitCode {
    ExitCode::from(code(run))
}

fn code(run: impl FnOnce() -> u8) -> u8 {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        print::message("error: a fault of service_framework itself, please report it with the lines above\n");
        FAULT
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_ours() {
        assert_eq!(code(|| panic!("for the test")), FAULT);
        assert_eq!(code(|| 78), 78);
    }
}
