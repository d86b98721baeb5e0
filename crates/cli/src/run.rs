//! Runs a service in the foreground.

use service_framework_runtime::Service;

use crate::failure::Failure;
use crate::flags::Run;
use crate::print;

/// The exit code of a service that left work undone, `EX_TEMPFAIL` of sysexits.
const NOT_DRAINED: u8 = 75;

/// Runs the service until it ends or is stopped, then prints its counters on stderr; gives the exit code.
pub(crate) fn run(run: &Run, arguments: Vec<(String, String)>) -> Result<u8, Failure> {
    let mut service = Service::at(run.service(), run.options(arguments));
    let ended = service.run_as(run.mode());
    let counters = service.counters();
    // One that never was up has counted nothing.
    if ended.is_ok() || !counters.connections.is_empty() {
        print::message(&format!("{}\n", counters.to_json()));
    }
    let not_drained = ended?.not_drained;
    if not_drained.is_empty() {
        return Ok(0);
    }
    print::message(&format!("stopped with work not drained: {}\n", not_drained.join(", ")));
    Ok(NOT_DRAINED)
}
