//! Publications both ways, with and without a topic: directly, through a proxy, and to a subscriber that listens.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::peers::port;
use crate::python::{Mode, Place, Python, Version};
use crate::scene::{At, Scene};
use crate::support::{Client, address, run, wired};

/// Numbers from 1 on are counted; 0 is sent until one arrives, since only then the subscription is known to work.
const COUNTED: i64 = 100;
/// After that time without an arrival another 0 is sent.
const SOON: Duration = Duration::from_millis(20);

#[derive(Model, Clone)]
struct Price {
    number: i64,
    name: String,
    usd: Decimal,
}

impl Price {
    fn new(number: i64) -> Self {
        let quarters = ["00", "25", "50", "75"][number.rem_euclid(4) as usize];
        let usd = format!("{}.{quarters}", number.div_euclid(4)).parse().unwrap();
        Self { number, name: "BTC".into(), usd }
    }
}

#[derive(Model)]
struct Publish {
    number: i64,
    topic: Option<String>,
}

const PRICES: Publisher<Price> = Publisher::new("prices");

/// Publishes what it is asked to.
struct Teller;

#[service(uses(PRICES))]
impl Teller {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn publish(&self, args: Publish, cx: &Context) -> Result<Empty> {
        let price = Price::new(args.number);
        match args.topic {
            Some(topic) => cx.publish_to(&PRICES, &topic, &price),
            None => cx.publish(&PRICES, &price),
        }
    }
}

service_framework::link!(Teller);

/// Notes what is published.
struct Listener {
    scene: Arc<Scene>,
}

#[service]
impl Listener {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[subscriber]
    fn prices(&self, args: Price, cx: &Context) -> Result<()> {
        let Price { number, name, usd } = args;
        if usd != Price::new(number).usd || name != "BTC" {
            return Err(Error::msg("another price"));
        }
        if cx.topic().is_some_and(|topic| topic != "prices") {
            return Err(Error::msg("another topic"));
        }
        self.scene.note(number.to_string());
        Ok(())
    }
}

service_framework::link!(Listener);

/// How publications travel.
#[derive(Clone, Copy, Debug)]
enum Route {
    /// The subscriber connects to the publisher.
    Direct,
    /// Both connect to a proxy.
    Proxy,
    /// The publisher connects to the subscriber.
    Binder,
}

const ROUTES: [Route; 3] = [Route::Direct, Route::Proxy, Route::Binder];
const TOPICS: [Option<&str>; 2] = [None, Some("prices")];

fn teller(port: u16, topic: Option<&str>, is_x_pub: bool) -> Service {
    let publisher = value!({
        "address": (format!("127.0.0.1:{port}")),
        "topic": (topic.unwrap_or_default()),
        "is_x_pub": is_x_pub,
        "peer": "python",
    });
    let addresses =
        value!({"in": {"publish": {"replyer": "127.0.0.1:0"}}, "out": {"prices": {"publisher": publisher}}});
    let mut service = Service::of::<Teller>(wired(addresses));
    service.start().unwrap();
    service
}

fn listener(scene: &Scene, port: u16, topic: Option<&str>, is_binder: bool) -> Service {
    let subscriber = value!({
        "address": (format!("127.0.0.1:{port}")),
        "topic": (topic.unwrap_or_default()),
        "is_binder": is_binder,
    });
    let addresses = value!({"in": {"prices": {"subscriber": subscriber}}});
    let options = Options { config: scene.config().into(), ..wired(addresses) };
    let mut service = Service::of::<Listener>(options);
    service.start().unwrap();
    service
}

fn config(topic: Option<&str>, flag: &str, is_set: bool) -> Json {
    let mut config = json!({});
    if let Some(topic) = topic {
        config["topic"] = topic.into();
    }
    if is_set {
        config[flag] = true.into();
    }
    config
}

fn python_subscriber(port: u16, topic: Option<&str>) -> Python {
    let config = config(topic, "is_binder", false);
    let places = [Place::subscriber("prices", port)];
    Python::connecting(Version::V18, "subscriber.py", Mode::Loop, &config, &places)
}

fn we_publish(topic: Option<&str>, route: Route) {
    let (_proxy, service, mut python);
    match route {
        Route::Direct => {
            service = teller(0, topic, false);
            python = python_subscriber(port(&service, "prices"), topic);
        }
        Route::Proxy => {
            let (proxy, publishers, subscribers) = Python::proxy();
            _proxy = proxy;
            service = teller(publishers, topic, true);
            python = python_subscriber(subscribers, topic);
        }
        Route::Binder => {
            let config = config(topic, "is_binder", true);
            let listening =
                Python::listening(Version::V18, "subscriber.py", Mode::Loop, &config, |[port]| {
                    vec![Place::subscriber("prices", port)]
                });
            python = listening.0;
            service = teller(listening.1[0], topic, true);
        }
    }
    run(async {
        let client = Client::to(&address(&service, "publish"));
        let publish = async |number: i64, topic: Option<&str>| {
            let mut args = value!({"number": number});
            if let (Value::Map(args), Some(topic)) = (&mut args, topic) {
                args.insert("topic", topic);
            }
            client.ask(args).await.ok();
        };
        loop {
            publish(0, None).await;
            if python.line_within(SOON).is_some() {
                break;
            }
        }
        for number in 1..=COUNTED {
            // Topics that the subscriber's begins with, or that begin with it, are others.
            if topic.is_some() {
                publish(-1, Some("price")).await;
                publish(-1, Some("prices.")).await;
            }
            publish(number, None).await;
        }
    });
    for number in 1..=COUNTED {
        let mut line = python.line();
        while number == 1 && line.starts_with("0 ") {
            line = python.line();
        }
        assert_eq!(
            line,
            format!("{number} BTC Decimal('{}')", Price::new(number).usd),
            "{route:?} {topic:?}"
        );
    }
}

/// Has a Python publisher say 0 until one arrives.
async fn warm_up(python: &mut Python, scene: &Scene) {
    loop {
        python.say("0");
        if tokio::time::timeout(SOON, scene.noted("0")).await.is_ok() {
            return;
        }
    }
}

fn python_publishes(version: Version, topic: Option<&str>, route: Route) {
    let scene = Scene::new();
    let (_proxy, service, mut python);
    let x_pub = config(topic, "is_x_pub", true);
    let place = |port| Place::publisher("prices", port);
    match route {
        Route::Direct => {
            let config = config(topic, "is_x_pub", false);
            let listening =
                Python::listening(version, "publisher.py", Mode::Main, &config, |[port]| vec![place(port)]);
            python = listening.0;
            service = listener(&scene, listening.1[0], topic, false);
        }
        Route::Proxy => {
            let (proxy, publishers, subscribers) = Python::proxy();
            _proxy = proxy;
            service = listener(&scene, subscribers, topic, false);
            python = Python::connecting(version, "publisher.py", Mode::Main, &x_pub, &[place(publishers)]);
        }
        Route::Binder => {
            service = listener(&scene, 0, topic, true);
            let places = [place(port(&service, "prices"))];
            python = Python::connecting(version, "publisher.py", Mode::Main, &x_pub, &places);
        }
    }
    run(async {
        warm_up(&mut python, &scene).await;
        (1..=COUNTED).for_each(|number| python.say(&number.to_string()));
        scene.noted(&COUNTED.to_string()).await;
    });
    let counted: Vec<String> = scene.notes().into_iter().skip_while(|number| number == "0").collect();
    let expected: Vec<String> = (1..=COUNTED).map(|number| number.to_string()).collect();
    assert_eq!(counted, expected, "{version:?} {route:?} {topic:?}");
    let refused = &service.counters().connections["prices"].refused;
    assert!(refused.is_empty(), "{version:?} {route:?} {topic:?}: {refused:?}");
}

#[test]
fn a_python_subscriber_gets_what_we_publish() {
    TOPICS.into_iter().for_each(|topic| we_publish(topic, Route::Direct));
}

#[test]
fn a_python_subscriber_gets_what_we_publish_through_a_proxy() {
    TOPICS.into_iter().for_each(|topic| we_publish(topic, Route::Proxy));
}

#[test]
fn a_python_subscriber_that_listens_gets_what_we_publish() {
    TOPICS.into_iter().for_each(|topic| we_publish(topic, Route::Binder));
}

#[test]
fn we_get_what_a_publisher_of_0_0_18_publishes() {
    ROUTES.into_iter().for_each(|route| {
        TOPICS.into_iter().for_each(|topic| python_publishes(Version::V18, topic, route));
    });
}

#[test]
fn we_get_what_a_publisher_of_0_0_20_publishes() {
    ROUTES.into_iter().for_each(|route| {
        TOPICS.into_iter().for_each(|topic| python_publishes(Version::V20, topic, route));
    });
}

/// So it is for us to see when that changes, and to try it then.
#[test]
fn a_subscriber_of_0_0_20_cannot_start() {
    let places = [Place::subscriber("prices", 9)];
    let mut python = Python::unready(Version::V20, "subscriber.py", Mode::Loop, &places, &json!({}));
    assert_eq!(python.last_words(), "KeyError: 'on_new_message'");
}

#[test]
fn without_a_topic_of_our_own_we_get_publications_with_one_too() {
    let (mut python, [publisher]) = Python::listening(
        Version::V18,
        "publisher.py",
        Mode::Main,
        &config(Some("prices"), "is_x_pub", false),
        |[port]| vec![Place::publisher("prices", port)],
    );
    let scene = Scene::new();
    let service = listener(&scene, publisher, None, false);
    run(warm_up(&mut python, &scene));
    assert!(service.counters().connections["prices"].refused.is_empty());
}

#[test]
fn a_python_subscriber_without_a_topic_ends_of_a_frame_with_one() {
    let service = teller(0, None, false);
    let mut python = python_subscriber(port(&service, "prices"), None);
    run(async {
        let client = Client::to(&address(&service, "publish"));
        loop {
            client.ask(value!({"number": 0})).await.ok();
            if python.line_within(SOON).is_some() {
                break;
            }
        }
        client.ask(value!({"number": 1, "topic": "prices"})).await.ok();
    });
    assert!(python.last_words().starts_with("msgpack.exceptions.ExtraData"));
}
