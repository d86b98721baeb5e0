//! `cargo xtask simulate`: many more schedules than `cargo xtask test` tries, of the engine's protocol and of the states', each by its seed.

use crate::step::step;
use crate::workspace::{Workspace, run as run_command};

/// How many schedules to try.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many, of each simulator.
    #[arg(long, default_value_t = 1_000_000)]
    seeds: u64,
}

/// The packages that have a simulator, and the variables that tell it how many.
const SIMULATORS: [(&str, &str); 2] =
    [("service-framework-states", "STATES_SEEDS"), ("service-framework-zmtp", "ZMTP_SEEDS")];

/// Tries them. A schedule that fails is named by its seed, with how to run it again.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    for (package, variable) in SIMULATORS {
        step(&format!("{} schedules of {package}", options.seeds), || {
            let mut command = workspace.cargo_command();
            command.args(["test", "--package", package, "--test", "simulator"]);
            // What happened in them, and how often.
            command.args(["--", "--nocapture"]);
            // Optimized, and in a folder of its own, so that the next test run builds nothing anew.
            command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "2");
            command.env("CARGO_TARGET_DIR", workspace.target.join("simulate"));
            run_command(command.env(variable, options.seeds.to_string()))
        })?;
    }
    Ok(())
}
