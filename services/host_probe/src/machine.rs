//! The readings of this machine, by way of `sysinfo`.

use std::collections::BTreeMap;
use std::time::Instant;

use service_framework::Result;
use sysinfo::{Disks, Networks, System};

/// Readings by name.
pub(crate) type Readings = BTreeMap<String, f64>;

/// This machine, as it was when it was read last.
#[derive(Debug)]
pub(crate) struct Machine {
    system: System,
    disks: Disks,
    networks: Networks,
    read_at: Instant,
}

impl Machine {
    /// Reads for the first time, so that the next reading has something to compare with.
    pub(crate) fn new() -> Result<Self> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        let disks = Disks::new_with_refreshed_list()?;
        let networks = Networks::new_with_refreshed_list()?;
        Ok(Self { system, disks, networks, read_at: Instant::now() })
    }

    /// Reads everything, by kind. Rates are those since the last time.
    pub(crate) fn read(&mut self) -> [(&'static str, Readings); 4] {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.disks.refresh(true);
        self.networks.refresh(true);
        let elapsed_s = self.read_at.elapsed().as_secs_f64();
        self.read_at = Instant::now();
        [
            ("cpu", self.cpu()),
            ("memory", self.memory()),
            ("disks", self.disks()),
            ("network", self.network(elapsed_s)),
        ]
    }

    fn cpu(&self) -> Readings {
        let used = ("used_percent".to_owned(), f64::from(self.system.global_cpu_usage()));
        // Not every system has a load.
        let load = System::load_average().ok().map(|load| ("load_1_min".to_owned(), load.one));
        [used].into_iter().chain(load).collect()
    }

    fn memory(&self) -> Readings {
        let system = &self.system;
        Readings::from([
            ("used_percent".to_owned(), percent(system.used_memory(), system.total_memory())),
            ("used_mib".to_owned(), mib(system.used_memory())),
            ("swap_used_mib".to_owned(), mib(system.used_swap())),
        ])
    }

    fn disks(&self) -> Readings {
        let used = self.disks.iter().map(|disk| {
            let (total, free) = (disk.total_space(), disk.available_space());
            (
                format!("{} used_percent", disk.mount_point().display()),
                percent(total.saturating_sub(free), total),
            )
        });
        used.collect()
    }

    fn network(&self, elapsed_s: f64) -> Readings {
        let rate = |bytes: u64| bytes as f64 / elapsed_s;
        // Most machines have interfaces that nobody uses.
        let used =
            self.networks.iter().filter(|(_, data)| data.total_received() + data.total_transmitted() > 0);
        let rates = used.flat_map(|(name, data)| {
            let name = name.display();
            [
                (format!("{name} received_bytes_per_s"), rate(data.received())),
                (format!("{name} sent_bytes_per_s"), rate(data.transmitted())),
            ]
        });
        rates.collect()
    }
}

fn percent(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { 100.0 * part as f64 / total as f64 }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
