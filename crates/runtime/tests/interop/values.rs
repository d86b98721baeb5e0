//! Values of all kinds, both ways, as each side sees them.

use expect_test::expect;
use serde_json::json;
use service_framework_core::{Value, value};

use crate::peers::{answerer, asker, port};
use crate::python::{BOTH, Mode, Place, Python, Version};
use crate::support::{Client, address, run};

pub(crate) fn replyer(version: Version) -> (Python, [u16; 2]) {
    Python::listening(version, "replyer.py", Mode::Loop, &json!({}), |[values, halve]| {
        vec![Place::replyer("values", values), Place::replyer("halve", halve)]
    })
}

pub(crate) fn requester(version: Version, ports: [u16; 2]) -> Python {
    let places = [Place::requester("values", ports[0]), Place::requester("halve", ports[1])];
    Python::connecting(version, "requester.py", Mode::Main, &json!({}), &places)
}

#[test]
fn a_python_replyer_sees_every_value_as_it_is_and_gives_it_back() {
    for version in BOTH {
        let (_python, ports) = replyer(version);
        let service = asker(ports, "python");
        let seen = run(async {
            let client = Client::to(&address(&service, "ask_values"));
            client.ask(value!({})).await.ok()
        });
        let seen = seen.get("seen").and_then(Value::as_map).unwrap();
        let lines: Vec<String> = seen.iter().map(|(key, seen)| format!("{key}: {seen}\n")).collect();
        expect![[r#"
            amount: Decimal('-123.3210')
            at: '2026-11-21T06:15:00.25+01:00'
            big: 18446744073709551615
            by_name: {'': Decimal('0.00'), 'BTC': Decimal('1E+400')}
            by_price: {'100': 2.5, '99.50': 1.0}
            endless: -inf
            flag: True
            fraction: 0.1
            id: UUID('12345678-1234-5678-1234-567812345678')
            items: [0, 127, 128, -33, 65536]
            nested: {'deep': [{'amount': Decimal('Infinity'), 'ids': [UUID('00000000-0000-0000-0000-000000000000'), UUID('00000000-0000-0000-0000-000000000001')]}]}
            no_amount: Decimal('NaN')
            no_number: nan
            note: 'given'
            pair: [7, 'seven']
            raw: b'\x00\xff{'
            round: 2.0
            series: float64[3][1.5, -0.0, inf]
            sizes: set(-1, 0, 70000)
            tags: set('', 'a', 'b')
            text: 'naïve ☃ 😀 "\\\n\x00'
            whole: -9223372036854775808
        "#]]
        .assert_eq(&lines.concat());
    }
}

#[test]
fn a_python_requester_gets_every_value_back_as_it_sent_it() {
    for version in BOTH {
        let service = answerer(0);
        let mut python = requester(version, [port(&service, "values"), port(&service, "halve")]);
        assert_eq!(python.ask("values"), "equal");
    }
}
