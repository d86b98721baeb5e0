//! `check`: tells what a service would be started with, each value with where it came from, or all that is wrong.

mod given;
mod json;
mod text;

use service_framework_runtime::Service;

use crate::describe::for_reader;
use crate::failure::Failure;
use crate::flags::Check;
use crate::print;

/// Checks the service and prints what it found; gives the exit code.
pub(crate) fn check(asked: &Check, arguments: Vec<(String, String)>) -> Result<u8, Failure> {
    let service = Service::at(asked.run.service(), asked.run.options(arguments));
    let checked = service.check(asked.run.mode()).and_then(|plan| {
        plan.check_hosts()?;
        Ok(plan)
    });
    if asked.json {
        print::data(&for_reader(&match &checked {
            Ok(plan) => json::of(plan),
            Err(error) => json::of_error(error),
        }))?;
    }
    let plan = checked?;
    if !asked.json {
        print::data(&text::of(&plan))?;
    }
    Ok(0)
}
