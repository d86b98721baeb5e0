//! What a service sends, and what a test makes of it.

use expect_test::expect;
use service_framework::prelude::*;

use super::exported::exported;

#[derive(Model, Clone, Debug, PartialEq)]
struct Order {
    id: String,
}

#[derive(Model, Debug, PartialEq)]
struct Done {
    by: String,
}

const AUDIT: Requester<Order, Done> = Requester::new("audit").deadline_s(2.0);
const JSON: Requester<Order, Done> = Requester::new("json").json();
const PRICES: Publisher<Order> = Publisher::new("prices").topic("BTC");
const AT_EXCHANGE: ExternalTarget<Order, Done> = ExternalTarget::new("at_exchange", at_exchange);
const LATER: ExternalTarget<Order, Done> =
    ExternalTarget::new_async("later", |order| Box::pin(async move { at_exchange(order) }));

fn at_exchange(order: Order) -> Result<Done> {
    match &*order.id {
        "bad" => Err(Error::named("refused", "the exchange does not know it")),
        "panic" => panic!("the exchange is on fire"),
        id => Ok(Done { by: format!("exchange {id}") }),
    }
}

struct Gateway;

impl Serve for Gateway {
    const NAME: &'static str = "gateway";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&AUDIT).uses(&JSON).uses(&PRICES).uses(&AT_EXCHANGE).uses(&LATER);
        service
            .replyer("audit_it")
            .handle(async |_: &Self, args: Order, cx: &Context| cx.request(&AUDIT, &args).await);
        service.replyer("audit_soon").handle(async |_: &Self, args: Order, cx: &Context| {
            cx.request_within(&AUDIT, &args, Duration::from_millis(100)).await
        });
        service
            .replyer("json_it")
            .handle(async |_: &Self, args: Order, cx: &Context| cx.request(&JSON, &args).await);
        service
            .replyer("cancel")
            .handle(async |_: &Self, args: Order, cx: &Context| cx.call(&AT_EXCHANGE, &args).await);
        service
            .replyer("cancel_later")
            .handle(async |_: &Self, args: Order, cx: &Context| cx.call(&LATER, &args).await);
        service.replyer("tell").handle(async |_: &Self, args: Order, cx: &Context| {
            cx.publish(&PRICES, &args)?;
            cx.publish_to(&PRICES, "ETH", &args)?;
            cx.send("prices", &value!({"id": "by name"})).await?;
            cx.send("price", &value!({})).await
        });
        service.main(async |_: &Self, cx: &Context| {
            cx.publish(&PRICES, &Order { id: "1".into() })?;
            cx.publish(&PRICES, &Order { id: "2".into() })
        });
    }
}

exported!(Gateway);

fn gateway() -> Harness<Gateway> {
    Harness::new(()).unwrap()
}

fn order(id: &str) -> Order {
    Order { id: id.into() }
}

fn ask(harness: &Harness<Gateway>, replyer: &str, id: &str) -> Result<Done> {
    harness.request(replyer, &order(id))
}

#[test]
fn requests_are_answered_by_the_test_and_recorded() {
    let harness = gateway();
    let mut count = 0;
    harness.answer(&AUDIT, move |order| {
        count += 1;
        Ok(Done { by: format!("{} {count}", order.id) })
    });
    assert_eq!(ask(&harness, "audit_it", "a").unwrap().by, "a 1");
    assert_eq!(ask(&harness, "audit_it", "b").unwrap().by, "b 2");
    assert_eq!(harness.requests(&AUDIT), [order("a"), order("b")]);
}

#[test]
fn an_answer_may_be_a_failure() {
    let harness = gateway();
    harness.answer(&AUDIT, |_| Err(Error::named("audit.closed", "on holiday")));
    expect!["audit.closed: on holiday"].assert_eq(&ask(&harness, "audit_it", "a").unwrap_err().to_string());
}

#[test]
fn a_request_without_an_answer_says_so() {
    let failure = ask(&gateway(), "audit_it", "a").unwrap_err();
    expect!["failed: the test has no answer for requests by `audit`: `harness.answer(..)`"]
        .assert_eq(&failure.to_string());
}

#[test]
fn requests_to_nobody_run_into_their_deadline() {
    let harness = gateway();
    harness.ignore(&AUDIT);
    expect!["failed: deadline: no reply of `audit` within 2s"]
        .assert_eq(&ask(&harness, "audit_it", "a").unwrap_err().to_string());
    assert_eq!(harness.elapsed(), Duration::from_secs(2));
    expect!["failed: deadline: no reply of `audit` within 100ms"]
        .assert_eq(&ask(&harness, "audit_soon", "a").unwrap_err().to_string());
    let pending = harness.message("audit_it", &order("a")).deadline(Duration::from_secs(1)).request::<Done>();
    assert_eq!(pending.unwrap_err().code(), "deadline", "an outer deadline is also the inner one's");
}

#[test]
fn an_answer_may_take_its_time() {
    let harness = gateway();
    harness.answer_after(&AUDIT, Duration::from_millis(99), |_| Ok(Done { by: "slow".into() }));
    assert_eq!(ask(&harness, "audit_soon", "a").unwrap().by, "slow");
    assert_eq!(harness.elapsed(), Duration::from_millis(99));
    harness.answer_after(&AUDIT, Duration::from_millis(101), |_| Ok(Done { by: "too slow".into() }));
    assert_eq!(ask(&harness, "audit_soon", "a").unwrap_err().code(), "failed");
}

#[test]
fn a_connection_in_json_is_answered_too() {
    let harness = gateway();
    harness.answer(&JSON, |_| Ok(Done { by: "json".into() }));
    assert_eq!(ask(&harness, "json_it", "a").unwrap().by, "json");
}

#[test]
fn external_targets_run_for_real() {
    let harness = gateway();
    for replyer in ["cancel", "cancel_later"] {
        assert_eq!(ask(&harness, replyer, "7").unwrap().by, "exchange 7");
        let failure = ask(&harness, replyer, "bad").unwrap_err();
        expect!["gateway.refused: the exchange does not know it"].assert_eq(&failure.to_string());
        let failure = ask(&harness, replyer, "panic").unwrap_err();
        assert!(failure.message().contains("the exchange is on fire at "), "{failure}");
    }
    assert_eq!(harness.calls(&AT_EXCHANGE).len(), 3);
}

#[test]
fn external_targets_are_replaced() {
    let harness = gateway();
    harness.replace(&AT_EXCHANGE, |order| Ok(Done { by: format!("test {}", order.id) }));
    assert_eq!(ask(&harness, "cancel", "panic").unwrap().by, "test panic");
}

#[test]
fn publications_are_recorded_with_topics_and_ids() {
    let harness = gateway();
    let failure = harness.message("tell", &order("a")).workflow_id("w").request::<()>().unwrap_err();
    expect!["failed: service `gateway` declares no connection `price`: name its port in `#[service(uses(..))]`, did you mean `prices`?"]
        .assert_eq(&failure.to_string());
    assert_eq!(harness.published(&PRICES), [order("a"), order("a"), order("by name")]);
    let sent = harness.sent("prices");
    let sent: Vec<_> = sent.iter().map(|sent| (sent.topic.as_deref(), &*sent.workflow_id)).collect();
    assert_eq!(sent, [(Some("BTC"), "w"), (Some("ETH"), "w_1"), (Some("BTC"), "w_2")]);
}

#[test]
fn each_message_of_main_starts_a_workflow() {
    let harness = gateway();
    harness.run_main().unwrap();
    let sent = harness.sent("prices");
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].workflow_id, sent[1].workflow_id);
}

#[test]
#[should_panic = "service `gateway` uses no publisher `rates`"]
fn a_port_that_is_not_used_is_a_mistake_of_the_test() {
    const RATES: Publisher<Order> = Publisher::new("rates");
    gateway().published(&RATES);
}
