//! What keeps a service from starting, and what ends one, reaches whoever holds it.

use service_framework::prelude::*;
use service_framework_core::value;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Error as ServiceError, Options, Service};

use crate::support::{Client, address, run, until, wired};

#[derive(Model)]
struct Config {
    fails: Option<String>,
}

/// Fails as its config says.
struct Failing {
    fails: String,
}

fn fail(wanted: &str, here: &str) -> Result<()> {
    match wanted.strip_prefix(here) {
        Some(" errs") => Err(Error::named("no_disk", "there is none")),
        Some(" panics") => panic!("{here} is wrong"),
        _ => Ok(()),
    }
}

#[service]
impl Failing {
    fn setup_config(config: &Map) -> Result<Map> {
        fail(config.get("fails").and_then(Value::as_text).unwrap_or_default(), "setup_config")?;
        Ok(Map::new())
    }

    fn new(config: Config) -> Result<Self> {
        let fails = config.fails.unwrap_or_default();
        fail(&fails, "new")?;
        Ok(Self { fails })
    }

    async fn init(&self, cx: &Context) -> Result<()> {
        fail(&self.fails, "init")?;
        cx.sleep(Duration::from_millis(1)).await;
        fail(&self.fails, "later init")
    }

    async fn main(&self) -> Result<()> {
        fail(&self.fails, "main")
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        if self.fails == "drop panics" {
            panic!("drop is wrong");
        }
    }
}

service_framework::link!(Failing);

fn failing(fails: &str) -> Service {
    let options = wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}}));
    Service::of::<Failing>(Options { config: value!({"fails": fails}).into(), ..options })
}

#[track_caller]
fn check(fails: &str, code: u8, text: &str) {
    let mut service = failing(fails);
    let error = service.start().unwrap_err();
    assert!(error.to_string().contains(text), "{fails}: {error}");
    assert_eq!(error.exit_code(), code, "{fails}: {error}");
    assert!(!service.is_running());
    // It is as if it had not been started.
    service.wait().unwrap();
    let book = wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}})).addresses;
    *service.options_mut() = Options { addresses: book, console_level: Level::Off, ..Options::default() };
    service.start().unwrap();
    run(async {
        Client::to(&address(&service, "echo")).ask(value!({})).await.ok();
    });
    service.stop().unwrap();
}

#[test]
fn what_fails_before_a_service_is_up_is_told_to_whoever_starts_it() {
    check("setup_config errs", 78, "setup_config: no_disk: there is none");
    check(
        "setup_config panics",
        78,
        "setup_config: panicked: setup_config is wrong at crates/runtime/tests/life/errors.rs:",
    );
    check(
        "new errs",
        78,
        "service `service-framework-runtime` refuses its config (the config of the program): no_disk: there is none",
    );
    check(
        "new panics",
        78,
        "refuses its config (the config of the program): panicked: new is wrong at crates/runtime/tests/life/errors.rs:",
    );
    check("init errs", 1, "`init` of service `service-framework-runtime` failed: ");
    check("init panics", 1, "`init` of service `service-framework-runtime` failed: panicked: init is wrong");
    check("later init errs", 1, "no_disk: there is none");
    check("later init panics", 1, "panicked: later init is wrong");
}

#[test]
fn what_ended_a_service_that_nobody_waited_for_is_told_to_whoever_starts_it_again() {
    let mut service = failing("main errs");
    service.start_main().unwrap();
    until("it has ended by itself", || !service.is_running());
    let error = service.start().unwrap_err();
    assert!(matches!(error, ServiceError::Method { method: "main", .. }), "{error:?}");
    assert!(!service.is_running());
    // It is told once.
    service.start().unwrap();
    service.stop().unwrap();

    service.start_main().unwrap();
    until("it has ended by itself", || !service.is_running());
    assert!(service.run().unwrap_err().to_string().contains("no_disk: there is none"));
    service.wait().unwrap();
}

#[test]
fn a_drop_that_panics_harms_nobody() {
    let mut service = failing("drop panics");
    service.start().unwrap();
    service.stop().unwrap();
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let mut first = failing("");
    first.start().unwrap();
    let taken = address(&first, "echo").to_string();
    let mut second = Service::of::<Failing>(wired(value!({"in": {"echo": {"replyer": (taken.as_str())}}})));
    let error = second.start().unwrap_err();
    assert!(matches!(&error, ServiceError::Socket(unopened) if unopened.place.is_some()));
    assert_eq!(error.exit_code(), 78);
    let chain = chain(&error);
    assert!(chain.contains(&format!("cannot bind `echo` to {taken}")), "{chain}");
    assert!(chain.contains("is in use; stop whoever listens there"), "{chain}");
    first.stop().unwrap();
    second.start().unwrap();
    second.stop().unwrap();
}

#[test]
fn a_host_that_is_not_known_is_named() {
    let book = value!({"in": {"echo": {"replyer": "no-such-host.invalid:8001"}}});
    let error = Service::of::<Failing>(wired(book)).start().unwrap_err();
    assert!(chain(&error).contains("the host name `no-such-host.invalid` is not known"), "{}", chain(&error));
    assert_eq!(error.exit_code(), 78);
}

#[test]
fn an_address_of_another_machine_is_named() {
    // TEST-NET-1 belongs to nobody.
    let book = value!({"in": {"echo": {"replyer": "192.0.2.7:8001"}}});
    let error = Service::of::<Failing>(wired(book)).start().unwrap_err();
    assert!(chain(&error).contains("not an address of this machine; write `*:8001`"), "{}", chain(&error));
}

#[test]
fn a_log_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a_file");
    std::fs::write(&file, "").unwrap();
    let mut service = failing("");
    service.options_mut().log_path = Some(file.join("log"));
    let error = service.start().unwrap_err();
    assert!(matches!(error, ServiceError::Log(_)), "{error:?}");
    assert_eq!(error.exit_code(), 78);
    assert!(chain(&error).contains("a_file"), "{}", chain(&error));
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_on_a_full_disk_or_in_a_folder_that_goes_away_harms_no_service() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let mut on_full_disk = failing("");
    on_full_disk.options_mut().log_path = Some("/dev/full".into());
    let mut in_folder = failing("");
    in_folder.options_mut().log_path = Some(logs.join("log"));
    for service in [&mut on_full_disk, &mut in_folder] {
        service.options_mut().file_level = Level::Trace;
        service.start().unwrap();
    }
    std::fs::remove_dir_all(&logs).unwrap();
    run(async {
        for service in [&on_full_disk, &in_folder] {
            let client = Client::to(&address(service, "echo"));
            for _ in 0..100 {
                client.ask(value!({})).await.ok();
            }
            // One that is refused is told at the level `debug`.
            client.ask_bytes(&b"\xc1"[..]).await.code();
        }
    });
    for service in [&mut on_full_disk, &mut in_folder] {
        service.stop().unwrap();
    }
    assert!(on_full_disk.counters().log_lines_lost.1 > 0, "{:?}", on_full_disk.counters());
}

fn chain(error: &ServiceError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Runs out of file descriptors, alone in a process.
#[test]
#[cfg(target_os = "linux")]
fn running_out_of_files_is_an_error_with_a_fix() {
    const ALONE: &str = "SERVICE_FRAMEWORK_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut alone = std::process::Command::new("sh");
        let test = format!(
            "ulimit -n 64; exec {:?} --exact errors::running_out_of_files_is_an_error_with_a_fix --nocapture",
            std::env::current_exe().unwrap()
        );
        let output = alone.args(["-c", &test]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let mut services = Vec::new();
    let error = loop {
        let mut service = failing("");
        match service.start() {
            Ok(()) => services.push(service),
            Err(error) => break error,
        }
    };
    let told = chain(&error);
    assert!(told.contains("too many open files") || told.contains("Too many open files"), "{told}");
    assert!(!services.is_empty());
    // Those that run go on, also when a client finds no place.
    services.truncate(services.len() - 3);
    run(async {
        for service in &services {
            let client = Client::to(&address(service, "echo"));
            client.ask(value!({})).await.ok();
            client.close().await;
        }
    });
}
