//! A service's own handlers of signals: they have a second at least, and are named if that is not enough.

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::support::{until, wired};

#[derive(Model)]
struct At {
    folder: String,
}

/// Takes its leave as the folder says.
struct Leaving {
    at: At,
}

#[service]
impl Leaving {
    fn new(at: At) -> Result<Self> {
        Ok(Self { at })
    }

    fn init(&self) -> Result<()> {
        Ok(process::note(&self.at.folder, "init")?)
    }

    async fn on_sigterm(&self, cx: &Context) -> Result<()> {
        cx.sleep(Duration::from_millis(20)).await;
        if self.at.folder.ends_with("never") {
            return std::future::pending().await;
        }
        Ok(process::note(&self.at.folder, "on_sigterm")?)
    }
}

service_framework::link!(Leaving);

#[test]
fn a_signal_handler_has_time_though_there_is_none_to_drain() {
    if let Some(folder) = process::folder() {
        let config = value!({"folder": (folder.as_str())});
        let options = Options { config: config.into(), ..wired(value!({"settings": {"drain_s": 0}})) };
        process::run_to_exit(&mut Service::of::<Leaving>(options));
    }
    for (how, code, noted) in [("soon", 0, &["init", "on_sigterm"][..]), ("never", 75, &["init"])] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(how);
        std::fs::create_dir(&folder).unwrap();
        let test = "signal_handlers::a_signal_handler_has_time_though_there_is_none_to_drain";
        let mut process = Process::start(test, &folder);
        until("it runs", || !process::notes(&folder).is_empty());
        process.signal(libc::SIGTERM);
        assert_eq!(process.wait().code(), Some(code), "{how}");
        assert_eq!(process::notes(&folder), noted, "{how}");
    }
}
