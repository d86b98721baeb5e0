//! Many services of one plugin in this process.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use service_framework_runtime::{Given, Options, Service, log::Level};

/// Which services, and how many.
#[derive(Debug, Args)]
pub(crate) struct Many {
    /// The plugin of them all.
    #[arg(long)]
    plugin: PathBuf,
    /// The address book of them all, which lets the system choose the ports.
    #[arg(long)]
    addresses: PathBuf,
    /// The config of them all, if they have one.
    #[arg(long)]
    config: Option<PathBuf>,
    /// How many.
    #[arg(long)]
    pub(crate) services: u32,
}

impl Many {
    /// Starts them, one after the other.
    pub(crate) fn start(&self) -> anyhow::Result<Vec<Service>> {
        let start = |number| {
            let options = Options {
                addresses: self.addresses.clone().into(),
                config: self.config.clone().map_or(Given::Nothing, Given::File),
                console_level: Level::Error,
                ..Options::default()
            };
            let mut service = Service::at(&self.plugin, options);
            service.start().with_context(|| format!("service {number} does not start"))?;
            Ok(service)
        };
        (1..=self.services).map(start).collect()
    }
}
