//! A plugin in C, built with `cc` and loaded: nothing of Rust crosses the boundary.
#![expect(unsafe_code, reason = "loads a library")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use service_framework_core::declaration::{Declaration, Hook, Run};
use service_framework_core::plugin::host::{
    BlockingInstance, Host as _, Instance, Pending, Plugin, Started, TableError,
};
use service_framework_core::plugin::{Call, Target, abi};
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits, Peer};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Value, value};

#[path = "c_plugin/desk.rs"]
mod desk;
use desk::Desk;

const SOURCE: &str = include_str!("../../runtime/tests/plugins/echo.c");

/// Builds the plugin, once per test, and gives its table.
fn load(test: &str, source: &str) -> *const abi::Plugin {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let name = format!("{}{test}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = library.with_extension("c");
    std::fs::write(&file, source).unwrap();
    let mut command = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    command.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC", "-I"]);
    command.arg(root.join("include")).arg("-o").args([&library, &file]);
    let built = command.output().expect("there is a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // SAFETY: the library runs nothing when it is loaded.
    let library = unsafe { libloading::Library::new(&library) }.expect("it was built for this machine");
    // SAFETY: the symbol names a table, as the header says.
    let symbol = unsafe { library.get::<*const abi::Plugin>("service_framework_plugin_v1_echo") };
    let table = *symbol.expect("it exports its table");
    // A library is never unloaded.
    std::mem::forget(library);
    table
}

fn plugin(test: &str) -> Plugin {
    plugin_of(test, SOURCE)
}

fn plugin_of(test: &str, source: &str) -> Plugin {
    // SAFETY: the table came out of the library, which stays.
    unsafe { Plugin::from_raw(load(test, source)) }.expect("it is for this version")
}

struct Woken(AtomicBool, std::thread::Thread);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        self.1.unpark();
    }
}

/// Polls until it is ready, and only when it was woken.
fn finish(mut pending: Pending, out: &mut Vec<u8>) -> Result<(), Failure> {
    let woken = Arc::new(Woken(AtomicBool::new(true), std::thread::current()));
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        while !woken.0.swap(false, Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_secs(30));
        }
        if let Poll::Ready(outcome) = pending.poll(&Context::from_waker(&waker), out) {
            return outcome;
        }
    }
}

/// The service, and its host.
struct Service {
    declaration: Declaration,
    instance: Instance,
    desk: Arc<Desk>,
}

impl Service {
    fn start(test: &str) -> Self {
        Self::of(plugin(test))
    }

    fn of(plugin: Plugin) -> Self {
        let desk = Arc::new(Desk::default());
        let declaration = plugin.describe().unwrap();
        let instance = plugin.create(&declaration, desk.clone(), &[0x80]).unwrap();
        Self { declaration, instance, desk }
    }

    /// Asks, and checks both ways, since the service does not.
    fn ask(&self, replyer: &str, args: &Value, encoding: Encoding) -> Result<Value, String> {
        self.ask_in(WorkflowId::text("w"), replyer, args, encoding)
    }

    fn ask_in(
        &self,
        workflow_id: WorkflowId<'_>,
        replyer: &str,
        args: &Value,
        encoding: Encoding,
    ) -> Result<Value, String> {
        let (number, model) = self.declaration.connection(replyer).unwrap();
        let check = |shape: &service_framework_core::model::Shape, value: &Value| match &shape.faults(value)[..]
        {
            [] => Ok(()),
            [fault, ..] => Err(fault.to_string()),
        };
        check(&model.args, args)?;
        let bytes = wire::encode(args, encoding).unwrap();
        let call = Call {
            target: Target::Connection(number as u32),
            encoding,
            peer: Peer::Any,
            args: &bytes,
            workflow_id: Some(workflow_id),
            topic: None,
            until: Some(Duration::from_secs(7)),
        };
        let mut out = b"head".to_vec();
        let outcome = match model.run {
            Run::Blocking => run_elsewhere(self.instance.for_blocking(), &call, &mut out),
            _ => match self.instance.start(&call, &mut out) {
                Started::Ready(outcome) => outcome,
                Started::Pending(pending) => finish(pending, &mut out),
            },
        };
        if let Err(failure) = outcome {
            assert_eq!(out, b"head", "what stood there stays");
            return Err(failure.to_string());
        }
        let returned = wire::decode(&out[4..], encoding, &Limits::default()).unwrap();
        check(&model.returns, &returned)?;
        Ok(returned)
    }
}

fn run_elsewhere(instance: BlockingInstance, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    std::thread::scope(|scope| scope.spawn(move || instance.run(call, out)).join().unwrap())
}

#[test]
fn it_describes_itself() {
    let declaration = plugin("describes").describe().unwrap();
    assert_eq!((&*declaration.name, &*declaration.version), ("echo", "1.0.0"));
    assert!(!declaration.checks_messages);
    assert_eq!(declaration.connections.len(), 8);
    assert_eq!(declaration.hook(Hook::Main), Some(Run::Async));
}

#[test]
fn it_answers_at_once_later_and_from_a_thread() {
    let service = Service::start("answers");
    let args = value!({"text": "hello"});
    for replyer in ["echo", "later", "block"] {
        for encoding in [Encoding::MessagePack, Encoding::Json] {
            assert_eq!(service.ask(replyer, &args, encoding).as_ref(), Ok(&args), "{replyer}");
        }
    }
}

#[test]
fn a_handler_that_does_not_block_is_not_run_from_a_thread() {
    let service = Service::start("elsewhere");
    let args = wire::encode(&value!({"text": "hello"}), Encoding::MessagePack).unwrap();
    for replyer in ["echo", "later"] {
        let (number, _) = service.declaration.connection(replyer).unwrap();
        let call = Call {
            target: Target::Connection(number as u32),
            encoding: Encoding::MessagePack,
            peer: Peer::Any,
            args: &args,
            workflow_id: None,
            topic: None,
            until: None,
        };
        let failure = run_elsewhere(service.instance.for_blocking(), &call, &mut Vec::new()).unwrap_err();
        assert!(failure.to_string().contains("was not declared blocking"), "{failure}");
    }
}

#[test]
fn it_asks_others() {
    let service = Service::start("asks");
    for encoding in [Encoding::MessagePack, Encoding::Json] {
        let answer = service.ask("ask", &value!({"text": "hello"}), encoding);
        assert_eq!(answer, Ok(value!({"text": "HELLO w Some(7s)"})));
    }
    let failure = service.ask("ask", &value!({"text": "fail"}), Encoding::MessagePack);
    assert_eq!(failure, Err("audit.closed: on holiday".into()));
    assert_eq!(service.desk.records.lock().unwrap()[0], r#"Info echo asking Some("w")"#);
}

#[test]
fn a_workflow_id_is_a_uuid_only_if_it_looks_like_one() {
    const PASSED_ON: &str = ".workflow_is_uuid = call->workflow_is_uuid,";
    assert!(SOURCE.contains(PASSED_ON));
    let always = SOURCE.replace(PASSED_ON, ".workflow_is_uuid = 1,");
    let service = Service::of(plugin_of("uuids", &always));
    let ask = |id: WorkflowId<'_>| {
        service.ask_in(id, "ask", &value!({"text": "hello"}), Encoding::MessagePack).unwrap()
    };
    assert_eq!(ask(WorkflowId::text("w")), value!({"text": "HELLO w Some(7s)"}));
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let expected = format!("HELLO the UUID {uuid} Some(7s)");
    assert_eq!(ask(WorkflowId::uuid(uuid)), value!({"text": expected}));
}

#[test]
fn it_fails_and_its_messages_are_checked() {
    let service = Service::start("fails");
    let ask = |replyer, args: Value| service.ask(replyer, &args, Encoding::MessagePack).unwrap_err();
    assert_eq!(ask("refuse", value!({"text": ""})), "echo.refused: not today");
    assert_eq!(ask("echo", value!({"text": 1})), "text: expected a text, got the integer 1");
    assert_eq!(ask("wrong", value!({"text": ""})), "text: expected a text, got the integer 7");
}

#[test]
fn what_it_wrote_before_it_waits_is_no_answer() {
    const LATER: &str = "    case LATER:\n";
    assert!(SOURCE.contains(LATER));
    let hasty = SOURCE
        .replace(LATER, "    case LATER:\n        out.write(out.context, (const uint8_t *)\"x\", 1);\n");
    let args = value!({"text": "hello"});
    let answer = Service::of(plugin_of("hasty", &hasty)).ask("later", &args, Encoding::MessagePack);
    assert_eq!(answer, Ok(args));
}

#[test]
fn a_future_that_is_not_there_is_a_failure() {
    const WRONG: &str = "    case WRONG:\n";
    assert!(SOURCE.contains(WRONG));
    let without = SOURCE.replace(WRONG, "    case WRONG:\n        return SF_PENDING;\n");
    let args = value!({"text": "hello"});
    let answer = Service::of(plugin_of("without", &without)).ask("wrong", &args, Encoding::MessagePack);
    assert_eq!(answer, Err("failed: the plugin says that its handler goes on, and gives no future".into()));
}

#[test]
fn what_has_ended_is_not_polled_again() {
    let service = Service::start("over");
    let call = Call {
        target: Target::Connection(service.declaration.connection("later").unwrap().0 as u32),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[0x80],
        workflow_id: None,
        topic: None,
        until: None,
    };
    let mut out = Vec::new();
    let Started::Pending(mut later) = service.instance.start(&call, &mut out) else { panic!("it waits") };
    let context = Context::from_waker(Waker::noop());
    while later.poll(&context, &mut out).is_pending() {}
    let Poll::Ready(Err(failure)) = later.poll(&context, &mut out) else {
        panic!("the plugin is asked again")
    };
    assert_eq!(failure.to_string(), "failed: it has ended already");
    assert_eq!(out, [0x80]);
}

#[test]
fn its_main_publishes_spawns_and_ends_with_the_service() {
    let service = Service::start("main");
    let call = Call {
        target: Target::Hook(Hook::Main),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[],
        workflow_id: None,
        topic: None,
        until: None,
    };
    let mut out = Vec::new();
    let Started::Pending(mut main) = service.instance.start(&call, &mut out) else { panic!("it waits") };
    assert_eq!(*service.desk.published.lock().unwrap(), [(Some("news".into()), value!({"text": "told"}))]);
    let mut context = Context::from_waker(Waker::noop());
    let mut spawned = service.desk.spawned.lock().unwrap().pop().expect("it was given one");
    assert!(std::pin::Pin::new(&mut spawned).poll(&mut context).is_ready());
    drop(spawned);
    assert!(main.poll(&context, &mut out).is_pending());
    service.desk.stop();
    assert!(main.poll(&context, &mut out).is_ready());
}

#[test]
fn its_background_work_is_polled_on_its_own_thread_alone() {
    let service = Service::start("background");
    let call = Call {
        target: Target::Hook(Hook::Main),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[],
        workflow_id: None,
        topic: None,
        until: None,
    };
    let main = service.instance.start(&call, &mut Vec::new());
    let mut spawned = service.desk.spawned.lock().unwrap().pop().expect("it was given one");
    let mut poll = move || std::pin::Pin::new(&mut spawned).poll(&mut Context::from_waker(Waker::noop()));
    let (polled, mut poll) = std::thread::spawn(move || (poll(), poll)).join().unwrap();
    let Poll::Ready(Err(failure)) = polled else { panic!("it is polled by another thread") };
    assert_eq!(failure.to_string(), "failed: background work is polled on the service's thread alone");
    assert_eq!(poll(), Poll::Ready(Ok(())), "it goes on where it belongs");
    // It may end anywhere.
    std::thread::spawn(move || drop(poll)).join().unwrap();
    drop(main);
}

#[test]
fn its_memory_is_given_back() {
    let Service { instance, desk, .. } = Service::start("memory");
    let call = Call {
        target: Target::Connection(1),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[0x80],
        workflow_id: None,
        topic: None,
        until: None,
    };
    let Started::Pending(half_way) = instance.start(&call, &mut Vec::new()) else { panic!("it waits") };
    drop(instance);
    assert!(desk.records.lock().unwrap().is_empty(), "a future keeps its instance");
    drop(half_way);
    assert_eq!(*desk.records.lock().unwrap(), ["Info echo destroyed None"]);
    assert_eq!(Arc::strong_count(&desk), 1, "the host is released as often as it was retained");
}

#[test]
fn setup_and_create_fail_with_reasons() {
    let plugin = plugin("setup");
    let failure = plugin.setup(Hook::SetupConfig, &Value::Map(Map::new())).unwrap_err();
    assert_eq!(failure.to_string(), "echo.refused: not today");
    let declaration = plugin.describe().unwrap();
    let failure = plugin.create(&declaration, Arc::new(Desk::default()), &[]).unwrap_err();
    assert_eq!(failure.to_string(), "echo.refused: not today");
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    const WORDS: usize = size_of::<abi::Plugin>() / size_of::<usize>();
    let table = load("refused", SOURCE);
    let refusal = |change: &dyn Fn(*mut u32)| {
        let copy: &mut [usize; WORDS] = Box::leak(Box::new([0; WORDS]));
        // SAFETY: the table has that many words.
        unsafe { copy.as_mut_ptr().copy_from(table.cast(), WORDS) };
        change(copy.as_mut_ptr().cast());
        // SAFETY: the copy of a table is one but for the change, and is never freed.
        unsafe { Plugin::from_raw(copy.as_ptr().cast()) }.map(|_| ())
    };
    let set = |position: usize, value: u32| {
        // SAFETY: the first words of a table are its version and size, and the others are functions.
        move |words: *mut u32| unsafe { *words.add(position) = value }
    };
    assert_eq!(refusal(&set(0, abi::VERSION)), Ok(()));
    assert_eq!(refusal(&set(0, 2)), Err(TableError::Version { found: 2 }));
    assert_eq!(refusal(&set(1, 8)), Err(TableError::Size { found: 8 }));
    let null = |words: *mut u32| {
        // SAFETY: the last word of a table is a function.
        unsafe { *words.cast::<usize>().add(WORDS - 1) = 0 };
    };
    assert_eq!(refusal(&null), Err(TableError::Null));
}
