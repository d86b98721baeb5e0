//! Requests and publications.

use std::cell::RefCell;

use expect_test::expect;
use service_framework::prelude::*;

use super::exported::exported;

#[derive(Model)]
struct Config {
    greeting: String,
    limit: Option<u32>,
}

#[derive(Model, Debug)]
struct Name {
    name: String,
}

struct Greeter {
    config: Config,
    seen: RefCell<Vec<String>>,
}

impl Serve for Greeter {
    const NAME: &'static str = "greeter";
    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        if config.greeting.is_empty() {
            return Err(Error::msg("a greeting is needed"));
        }
        Ok(Self { config, seen: RefCell::default() })
    }

    fn declare(service: &mut Declare<Self>) {
        service.replyer("greet").handle_inline(|this: &Self, args: Name, _: &Context| {
            Ok(Name { name: format!("{}, {}!", this.config.greeting, args.name) })
        });
        service.replyer("refuse").handle_inline(|_: &Self, args: Name, _: &Context| -> Result<()> {
            let failure = Error::named("unwelcome", format!("{} is not welcome", args.name));
            Err(failure.with_data(value!({"name": (args.name)})))
        });
        service.replyer("about").handle(async |_: &Self, _: Value, cx: &Context| {
            cx.sleep(Duration::from_secs(1)).await;
            let left = cx.remaining().map(|left| left.as_secs_f64());
            Ok(value!({"id": (cx.workflow_id()), "topic": (cx.topic()), "left": left}))
        });
        service.subscriber("names").set("topic", "all").handle_inline(
            |this: &Self, args: Name, cx: &Context| {
                if args.name == "Eve" {
                    return Err(Error::msg("not Eve"));
                }
                this.seen.borrow_mut().push(format!("{} by {:?}", args.name, cx.topic()));
                Ok(())
            },
        );
        service.replyer("seen").handle_inline(|this: &Self, _: Empty, _: &Context| {
            Ok(Seen { seen: this.seen.borrow().clone() })
        });
    }
}

#[derive(Model, Debug, PartialEq)]
struct Seen {
    seen: Vec<String>,
}

exported!(Greeter);

fn greeter() -> Harness<Greeter> {
    Harness::new(Config { greeting: "Hello".into(), limit: None }).unwrap()
}

fn ada() -> Name {
    Name { name: "Ada".into() }
}

#[test]
fn a_request_is_answered() {
    let answer: Name = greeter().request("greet", &ada()).unwrap();
    assert_eq!(answer.name, "Hello, Ada!");
}

#[test]
fn a_request_in_json_is_answered_in_json() {
    let answer: Name = greeter().message("greet", &ada()).json().request().unwrap();
    assert_eq!(answer.name, "Hello, Ada!");
}

#[test]
fn a_failure_comes_back_with_code_and_data() {
    let failure = greeter().request::<_, ()>("refuse", &ada()).unwrap_err();
    expect!["greeter.unwelcome: Ada is not welcome"].assert_eq(&failure.to_string());
    assert_eq!(failure.data(), Some(&value!({"name": "Ada"})));
}

#[test]
fn arguments_are_checked() {
    let failure = greeter().request::<_, Name>("greet", &value!({"name": 7})).unwrap_err();
    expect!["bad_args: args.name: expected a text, got the integer 7"].assert_eq(&failure.to_string());
}

#[test]
fn a_message_has_an_id_a_topic_and_a_deadline() {
    let harness = greeter();
    let (args, deadline) = (value!({}), Duration::from_secs(3));
    let message = harness.message("about", &args).workflow_id("w").topic("t").deadline(deadline);
    let about: Value = message.request().unwrap();
    assert_eq!(about, value!({"id": "w", "topic": "t", "left": 2.0}));
    let about: Value = harness.request("about", &args).unwrap();
    assert_eq!(
        about.get("id").unwrap().as_text().unwrap().len(),
        36,
        "a message without an id starts a workflow"
    );
}

#[test]
fn publications_reach_their_handler_with_their_topic() {
    let harness = greeter();
    harness.publish("names", &ada()).unwrap();
    harness.publish_to("names", "mine", &ada()).unwrap();
    let seen: Seen = harness.request("seen", &()).unwrap();
    assert_eq!(seen.seen, [r#"Ada by Some("all")"#, r#"Ada by Some("mine")"#]);
    let failure = harness.publish("names", &Name { name: "Eve".into() }).unwrap_err();
    expect!["failed: not Eve"].assert_eq(&failure.to_string());
}

#[test]
fn wrong_names_are_named() {
    let harness = greeter();
    let error = |result: Result<()>| result.unwrap_err().to_string();
    let unknown = error(harness.request("gret", &ada()));
    expect!["failed: service `greeter` declares no connection `gret`, did you mean `greet`?"]
        .assert_eq(&unknown);
    let other = error(harness.publish("greet", &ada()));
    expect!["failed: `greet` of service `greeter` is a replyer, and no subscriber"].assert_eq(&other);
}

#[test]
fn a_wrong_config_is_refused_with_all_that_is_wrong() {
    let config = value!({"greetin": "Hello", "limit": (-1)});
    let failure = Harness::<Greeter>::with_config_value(config).unwrap_err();
    expect![[r#"
        failed: config.greeting is missing
        config.limit: expected an integer from 0 to 4294967295, got the integer -1
        config.greetin is unknown, did you mean `greeting`?"#]]
    .assert_eq(&failure.to_string());
    let failure = Harness::<Greeter>::new(Config { greeting: String::new(), limit: None }).unwrap_err();
    expect!["failed: new: a greeting is needed"].assert_eq(&failure.to_string());
}
