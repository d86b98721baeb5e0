//! What comes before the first message: files, the service's own hooks, checks, and the order of them all.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Given, Mode, Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, run, wired};

#[derive(Model)]
struct Config {
    scene: u64,
    greeting: String,
    #[model(default = 1)]
    times: u32,
    port: Option<String>,
    fails_in: Option<String>,
}

/// Sets itself up.
struct Host {
    scene: Arc<Scene>,
    config: Config,
}

fn scene_of(config: &Config) -> Arc<Scene> {
    At { scene: config.scene }.scene()
}

fn step(config: &Config, name: &str) -> Result<()> {
    scene_of(config).note(name);
    match config.fails_in.as_deref() {
        Some(failing) if failing == name => Err(Error::msg(format!("{name} does not like it"))),
        _ => Ok(()),
    }
}

#[service]
impl Host {
    fn setup_config(config: &Map) -> Result<Map> {
        let Some(Value::Int(scene)) = config.get("scene") else { return Err(Error::msg("no scene")) };
        let scene = u64::try_from(*scene).expect("numbers of scenes are small");
        At { scene }.scene().note("setup_config");
        let mut over = Map::new();
        if config.get("greeting").and_then(Value::as_text) == Some("overwrite me") {
            over.insert("greeting", "overwritten");
        }
        Ok(over)
    }

    fn setup_addresses(mut addresses: Map, config: Config) -> Result<Map> {
        step(&config, "setup_addresses")?;
        if let Some(port) = &config.port {
            addresses.insert(
                "in",
                value!({"greet": {"replyer": (port.as_str())}, "late": {"replyer": "127.0.0.1:0"}}),
            );
        }
        Ok(addresses)
    }

    fn setup_connections(config: Config) -> Result<Map> {
        step(&config, "setup_connections")?;
        let deadlines = value!({"greet": {"deadline_s": 50}, "late": {"deadline_s": 50}});
        Ok(deadlines.as_map().cloned().unwrap_or_default())
    }

    fn new(config: Config) -> Result<Self> {
        step(&config, "new")?;
        Ok(Self { scene: scene_of(&config), config })
    }

    async fn init(&self, cx: &Context) -> Result<()> {
        step(&self.config, "init")?;
        cx.sleep(Duration::from_millis(1)).await;
        self.scene.note("init is done");
        Ok(())
    }

    async fn main(&self) -> Result<()> {
        self.scene.note("main");
        Ok(())
    }

    #[replyer]
    fn greet(&self, cx: &Context) -> Result<Value> {
        let left = cx.remaining().map_or(-1, |left| left.as_secs() as i64);
        let config = &self.config;
        Ok(value!({"greeting": (config.greeting.as_str()), "times": (config.times), "left_s": left}))
    }

    #[replyer(deadline_s = 5)]
    fn late(&self, cx: &Context) -> Result<Value> {
        Ok(value!({"left_s": (cx.remaining().map_or(-1, |left| left.as_secs() as i64))}))
    }
}

service_framework::link!(Host);

fn config(scene: &Scene, more: &[(&str, &str)]) -> Given {
    let mut config = scene.config();
    if let Value::Map(config) = &mut config {
        config.insert("greeting", "hello");
        more.iter().for_each(|(key, value)| _ = config.insert(*key, *value));
    }
    config.into()
}

fn book() -> Value {
    value!({"in": {"greet": {"replyer": "127.0.0.1:0"}, "late": {"replyer": "127.0.0.1:0"}}})
}

const BEFORE: [&str; 4] = ["setup_config", "setup_addresses", "setup_connections", "new"];

#[test]
fn the_steps_come_in_their_order() {
    let scene = Scene::new();
    let mut service = Service::of::<Host>(Options { config: config(&scene, &[]), ..wired(book()) });
    service.start_main().unwrap();
    service.wait().unwrap();
    assert_eq!(scene.notes(), [&BEFORE[..], &["init", "init is done", "main"]].concat());
}

#[test]
fn what_a_step_refuses_ends_the_start_and_nothing_after_it_runs() {
    let steps = ["setup_addresses", "setup_connections", "new", "init"];
    for (position, failing) in steps.iter().enumerate() {
        let scene = Scene::new();
        let options = Options { config: config(&scene, &[("fails_in", failing)]), ..wired(book()) };
        let mut service = Service::of::<Host>(options);
        let error = service.start().unwrap_err();
        assert!(error.to_string().contains(&format!("{failing} does not like it")), "{error}");
        assert!(!service.is_running());
        assert!(!scene.has("init is done"));
        let code = if *failing == "init" { 1 } else { 78 };
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(position < 2 || scene.notes().last().unwrap() == failing, "{:?}", scene.notes());
    }
}

#[test]
fn what_setup_config_gives_overwrites_the_file_and_arguments_overwrite_the_file() {
    let scene = Scene::new();
    let options = Options {
        config: config(&scene, &[("greeting", "overwrite me")]),
        arguments: vec![("times".into(), "7".into())],
        ..wired(book())
    };
    let mut service = Service::of::<Host>(options);
    service.start().unwrap();
    run(async {
        let answer = Client::to(&address(&service, "greet")).ask(value!({})).await.ok();
        assert_eq!(
            (answer.get("greeting"), answer.get("times")),
            (Some(&"overwritten".into()), Some(&Value::Int(7)))
        );
    });
    service.stop().unwrap();
}

#[test]
fn the_book_of_setup_addresses_is_used_instead() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let port = format!("ipc://{}/greet", folder.path().display());
    let options = Options { config: config(&scene, &[("port", &port)]), ..wired(book()) };
    let mut service = Service::of::<Host>(options);
    service.start().unwrap();
    assert_eq!(address(&service, "greet").url(), port);
    service.stop().unwrap();
}

#[test]
fn the_operator_overrules_setup_connections_and_that_the_attribute() {
    let scene = Scene::new();
    let book = value!({"in": {
        "greet": {"replyer": {"address": "127.0.0.1:0", "deadline_s": 500}},
        "late": {"replyer": "127.0.0.1:0"},
    }});
    let mut service = Service::of::<Host>(Options { config: config(&scene, &[]), ..wired(book) });
    service.start().unwrap();
    run(async {
        for (connection, least) in [("greet", 300), ("late", 30)] {
            let answer = Client::to(&address(&service, connection)).ask(value!({})).await.ok();
            let Some(Value::Int(left)) = answer.get("left_s") else { panic!("{answer:?}") };
            assert!((least..least * 2).contains(left), "{connection}: {left}");
        }
    });
    service.stop().unwrap();
}

#[test]
fn all_faults_are_told_together_each_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let config = write("config.json", "{\n  \"greeting\": 5,\n  \"tmes\": 2\n}\n");
    let book = write(
        "book.json",
        "{\n  \"in\": {\n    \"gret\": {\"replyer\": \"127.0.0.1:0\"},\n    \"late\": {\"replyer\": {\"address\": \"127.0.0.1:99999\", \"deadlin_s\": 5}}\n  }\n}\n",
    );
    let options = Options {
        config: config.into(),
        arguments: vec![("times".into(), "many".into())],
        ..wired(value!({}))
    };
    let options = Options { addresses: book.into(), ..options };
    let error = Service::of::<Host>(options).check(Mode::Loop).unwrap_err().to_string();
    let error = error.replace(&format!("{}/", folder.path().display()), "");
    expect_test::expect![[r#"
        setup_config: failed: no scene
        config.json:1:1: scene is missing: expected an integer from 0 to 18446744073709551615
        config.json:2:15: greeting: expected a text, got the integer 5
        config.json:3:3: tmes is unknown, did you mean `times`?
        --times: expected an integer from 0 to 4294967295, got the text "many"
        book.json:3:5: `gret` is no connection of the service `service-framework-runtime`, did you mean `greet`?
        book.json:4:37: `late`: `127.0.0.1:99999` has the port `99999`: a port is a number from 0 to 65535
        book.json:4:56: `late`: `deadlin_s` is no setting of type replyer, did you mean `deadline_s`?"#]].assert_eq(&error);
}

#[test]
fn a_config_may_stand_in_two_sections() {
    let scene = Scene::new();
    let Value::Map(plain) = scene.config() else { unreachable!("it is a map") };
    let mut required = plain;
    required.insert("greeting", "hello");
    let sections = value!({"required": (Value::Map(required)), "optional": {"times": 3}});
    let mut service = Service::of::<Host>(Options { config: sections.into(), ..wired(book()) });
    service.start().unwrap();
    run(async {
        let answer = Client::to(&address(&service, "greet")).ask(value!({})).await.ok();
        assert_eq!(answer.get("times"), Some(&Value::Int(3)));
    });
    service.stop().unwrap();
}
