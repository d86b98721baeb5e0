//! Who is how much faster than whom.

use super::table;
use crate::{
    case::{USUAL_TCP_OVER_LIBZMQ, names},
    round::{CaseResult, ContenderResult},
    statistics::Spread,
    target::Target,
};

/// The framework against each of the others, with what it should reach.
pub(super) fn framework(results: &[&CaseResult]) -> String {
    against("service_framework against its peers", names::FRAMEWORK, results, |_| true)
}

/// The engine against the transports of others, with what it should reach.
pub(super) fn engine(results: &[&CaseResult]) -> String {
    let does_more = [names::FRAMEWORK, names::LIBZMQ_MESSAGEPACK, names::PYTHON];
    against("Its engine alone against other transports", names::ENGINE, results, |peer| {
        !does_more.contains(&peer)
    })
}

/// One of ours against each peer that is wanted.
fn against(title: &str, ours: &str, results: &[&CaseResult], is_wanted: impl Fn(&str) -> bool) -> String {
    let mut rows = Vec::new();
    for result in results {
        for peer in result.contenders.iter().filter(|peer| peer.name != ours && is_wanted(peer.name)) {
            let Some(ratio) = between(result, ours, peer.name) else { continue };
            let (target, met) = judge(result, ours, peer.name, ratio);
            rows.push(vec![
                result.case.title.to_owned(),
                peer.name.to_owned(),
                format!("**{ratio}**"),
                target,
                met,
            ]);
        }
    }
    table(title, &["case", "against", "ratio", "target", ""], &rows)
}

/// The peers among themselves: whether this machine is like others.
pub(super) fn peers(results: &[&CaseResult]) -> String {
    let mut rows = Vec::new();
    for result in results {
        for (upper, lower) in [
            (names::TCP, names::LIBZMQ),
            (names::TCP, names::LIBZMQ_MESSAGEPACK),
            (names::LIBZMQ, names::LIBZMQ_MESSAGEPACK),
        ] {
            let Some(ratio) = between(result, upper, lower) else { continue };
            let telling = result.case.name == "request-16" && (upper, lower) == (names::TCP, names::LIBZMQ);
            let usual = if telling { note(ratio) } else { String::new() };
            rows.push(vec![
                result.case.title.to_owned(),
                format!("{upper} / {lower}"),
                ratio.to_string(),
                usual,
            ]);
        }
    }
    table("The peers among themselves", &["case", "", "ratio", "usual"], &rows)
}

fn between(result: &CaseResult, upper: &str, lower: &str) -> Option<Spread> {
    let find =
        |name| result.contenders.iter().find(|contender| contender.name == name).map(ContenderResult::rates);
    Spread::of_ratios(&find(upper)?, &find(lower)?)
}

/// What should be reached, and whether it is.
fn judge(result: &CaseResult, ours: &str, peer: &str, ratio: Spread) -> (String, String) {
    let Some(target) = Target::find(result.case.name, ours, peer) else {
        return (String::new(), String::new());
    };
    let mut words = format!(">= {}x", target.ratio_min);
    if target.lossless {
        words.push_str(", nothing lost");
    }
    if let Some(nearer) = target.nearer {
        words.push_str(&format!("; nearer: >= {nearer}x"));
    }
    if target.lossless && result.contenders.iter().any(|it| it.name == ours && it.has_lost()) {
        return (words, "**missed**, as something was lost".to_owned());
    }
    let met = held_against(target.ratio_min, ratio);
    match target.nearer {
        Some(nearer) if met != REACHED => (words, format!("{met}; nearer: {}", held_against(nearer, ratio))),
        _ => (words, met.to_owned()),
    }
}

const REACHED: &str = "reached";

/// Whether all rounds say the same of a target, and what.
fn held_against(target: f64, ratio: Spread) -> &'static str {
    if ratio.min >= target {
        REACHED
    } else if ratio.max < target {
        "**missed**"
    } else {
        "**open**, some rounds reach it"
    }
}

fn note(ratio: Spread) -> String {
    let (least, most) = USUAL_TCP_OVER_LIBZMQ.into_inner();
    if USUAL_TCP_OVER_LIBZMQ.contains(&ratio.median) {
        format!("{least}..{most}")
    } else {
        format!("**outside {least}..{most}: this machine is not like the one that the targets were set on**")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{
        case::{CASES, Case},
        round::Outcome,
    };

    fn result(name: &str, rates: &[(&'static str, [f64; 3])]) -> CaseResult {
        let case: Case = *CASES.iter().find(|case| case.name == name).unwrap();
        let contender = |(name, rates): &(&'static str, [f64; 3])| ContenderResult {
            name,
            rounds: rates.map(|rate| Some(Outcome::Load { rate, lost: 0.0 })).to_vec(),
            trouble: None,
        };
        CaseResult { case, contenders: rates.iter().map(contender).collect() }
    }

    #[track_caller]
    fn check(section: &str, expected: &Expect) {
        expected.assert_eq(section);
    }

    #[test]
    fn ours_stands_beside_its_target() {
        let results = [result(
            "request-16",
            &[
                (names::FRAMEWORK, [50.0, 50.0, 60.0]),
                (names::TCP, [100.0, 100.0, 100.0]),
                (names::LIBZMQ_MESSAGEPACK, [20.0, 20.0, 20.0]),
            ],
        )];
        check(
            &framework(&results.each_ref()),
            &expect![[r#"

                ## service_framework against its peers

                | case | against | ratio | target |  |
                | --- | --- | --- | --- | --- |
                | Request/reply 64 B, 16 clients (16 connections from one process) | raw tokio TCP | **0.50x (0.50..0.60)** | >= 0.6x | **open**, some rounds reach it |
                | Request/reply 64 B, 16 clients (16 connections from one process) | libzmq + MessagePack | **2.50x (2.50..3.00)** | >= 4x; nearer: >= 2.5x | **missed**; nearer: reached |
            "#]],
        );
    }

    #[test]
    fn who_loses_what_must_arrive_misses_its_target() {
        let results = |lost| {
            let mut result = result("publish-4", &[(names::ENGINE, [60.0; 3]), (names::LIBZMQ, [10.0; 3])]);
            result.contenders[0].rounds[1] = Some(Outcome::Load { rate: 60.0, lost });
            [result]
        };
        check(
            &engine(&results(0.0).each_ref()),
            &expect![[r#"

            ## Its engine alone against other transports

            | case | against | ratio | target |  |
            | --- | --- | --- | --- | --- |
            | Publish/subscribe 64 B, 4 subscribers | raw libzmq | **6.00x (6.00..6.00)** | >= 5x, nothing lost | reached |
        "#]],
        );
        check(
            &engine(&results(0.1).each_ref()),
            &expect![[r#"

                ## Its engine alone against other transports

                | case | against | ratio | target |  |
                | --- | --- | --- | --- | --- |
                | Publish/subscribe 64 B, 4 subscribers | raw libzmq | **6.00x (6.00..6.00)** | >= 5x, nothing lost | **missed**, as something was lost |
            "#]],
        );
    }

    #[test]
    fn an_unusual_machine_is_noted() {
        let rates = |tcp| [result("request-16", &[(names::TCP, [tcp; 3]), (names::LIBZMQ, [10.0; 3])])];
        check(
            &peers(&rates(30.0).each_ref()),
            &expect![[r#"

            ## The peers among themselves

            | case |  | ratio | usual |
            | --- | --- | --- | --- |
            | Request/reply 64 B, 16 clients (16 connections from one process) | raw tokio TCP / raw libzmq | 3.00x (3.00..3.00) | 2.5..5 |
        "#]],
        );
        check(
            &peers(&rates(90.0).each_ref()),
            &expect![[r#"

            ## The peers among themselves

            | case |  | ratio | usual |
            | --- | --- | --- | --- |
            | Request/reply 64 B, 16 clients (16 connections from one process) | raw tokio TCP / raw libzmq | 9.00x (9.00..9.00) | **outside 2.5..5: this machine is not like the one that the targets were set on** |
        "#]],
        );
    }

    #[test]
    fn without_ours_there_is_no_table() {
        check(&framework(&[&result("request-1", &[(names::TCP, [1.0; 3])])]), &expect![[r#""#]]);
    }
}
