//! What states cost: changes, copies, memory.

use std::fmt::Write as _;

use super::{figures::thousands, rows};
use crate::{
    case::{JOIN_MAX_S, JOIN_P99_MAX_RATIO, RESYNC_MAX_S, Work, names},
    round::{CaseResult, ContenderResult, Outcome},
    statistics::Spread,
};

/// The section of states; nothing if none was measured.
pub(super) fn section(results: &[CaseResult]) -> String {
    let parts = [changes(results), sizes(results), copies(results), joining(results), memory(results)];
    let parts: String = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { parts } else { format!("\n## States\n\n{HEAD}{parts}") }
}

const HEAD: &str = "\
A service owns a map of texts of 100 bytes, by `DeltaUpdateOut`, and others have copies of it, by `DeltaUpdateIn`. Redis has it as a hash, which
its owner changes by HSET and PUBLISH in pipelines of 64 changes, and its readers subscribe, get the whole by HGETALL, and keep that in a map. NATS has it as a
key-value bucket in memory, to which 64 changes are on their way at a time, and its readers watch all of it and keep that in a map.
";

/// How fast readers follow.
fn changes(results: &[CaseResult]) -> String {
    let mut table = Vec::new();
    for result in results.iter().filter(|result| matches!(result.case.work, Work::Changes { .. })) {
        let rates = |name| contender(result, name).map(ContenderResult::rates);
        let Some(ours) = rates(names::FRAMEWORK) else { continue };
        let Some(rate) = Spread::of(ours.iter().copied().flatten()) else { continue };
        let against = |name| rates(name).and_then(|theirs| Spread::of_ratios(&ours, &theirs));
        table.push(vec![
            result.case.title.to_owned(),
            format!("{} ({}..{})", thousands(rate.median), thousands(rate.min), thousands(rate.max)),
            words(against(names::REDIS)),
            words(against(names::NATS)),
        ]);
    }
    part(
        "Changes that readers apply in a second, of all readers together. The owner changes one key at a time, and waits only for readers that are 8,192 \
         changes behind; nothing is lost.",
        &["", "service_framework", "against Redis", "against NATS"],
        &table,
    )
}

/// Whether a change costs more in a larger state.
fn sizes(results: &[CaseResult]) -> String {
    let of = |wanted: u32| {
        results
            .iter()
            .find(|result| matches!(result.case.work, Work::Changes { keys, readers: 1 } if keys == wanted))
    };
    let (Some(small), Some(large)) = (of(10), of(100_000)) else { return String::new() };
    let mut table = Vec::new();
    for name in [names::FRAMEWORK, names::REDIS, names::NATS] {
        let rates = |result| contender(result, name).map(ContenderResult::rates).unwrap_or_default();
        let Some(ratio) = Spread::of_ratios(&rates(large), &rates(small)) else { continue };
        table.push(vec![name.to_owned(), ratio.to_string()]);
    }
    part(
        "The same with 100,000 keys against 10: a change costs what it changes, so that the ratio would be 1 if all memory were as near. These two were \
         not measured in turns.",
        &["", "100,000 keys : 10 keys"],
        &table,
    )
}

/// How soon a copy is there.
fn copies(results: &[CaseResult]) -> String {
    let mut table = Vec::new();
    for result in results.iter().filter(|result| matches!(result.case.work, Work::Resync { .. })) {
        let Some(ours) = contender(result, names::FRAMEWORK).map(seconds) else { continue };
        let Some(took) = Spread::of(ours.iter().copied().flatten()) else { continue };
        let is_judged = matches!(result.case.work, Work::Resync { keys: 100_000 });
        let (target, met) = judged(is_judged, took.max < RESYNC_MAX_S, format!("< {RESYNC_MAX_S} s"));
        let against = |name| {
            let theirs = contender(result, name).map(seconds)?;
            // As of rates: twice as much is twice as fast.
            Spread::of_ratios(&theirs, &ours)
        };
        table.push(vec![
            result.case.title.to_owned(),
            milliseconds(took),
            target,
            met,
            words(against(names::REDIS)),
            words(against(names::NATS)),
        ]);
    }
    part(
        "How long a reader that starts takes until its copy is live: to connect, to ask for the whole, to read, check and keep it. The worst round counts; ratios \
         are of speed.",
        &["", "service_framework", "target", "", "against Redis", "against NATS"],
        &table,
    )
}

/// What many copies at once do to their owner.
fn joining(results: &[CaseResult]) -> String {
    let mut table = Vec::new();
    for result in results.iter().filter(|result| matches!(result.case.work, Work::Join { .. })) {
        for contender in &result.contenders {
            let Some(took) = Spread::of(seconds(contender).into_iter().flatten()) else { continue };
            let p99 = |index: usize| {
                contender.rounds.iter().map(move |outcome| match outcome {
                    Some(Outcome::Joined(joined)) => joined.p99_ms.map(|both| both[index]),
                    _ => None,
                })
            };
            let (before, meanwhile): (Vec<_>, Vec<_>) = (p99(0).collect(), p99(1).collect());
            let slower = Spread::of_ratios(&meanwhile, &before);
            let is_ours = contender.name == names::FRAMEWORK;
            let is_met =
                took.max < JOIN_MAX_S && slower.is_some_and(|slower| slower.median < JOIN_P99_MAX_RATIO);
            let target = format!("< {JOIN_MAX_S} s, and p99 < {JOIN_P99_MAX_RATIO}x");
            let (target, met) = judged(is_ours, is_met, target);
            let p99 = |of: &[Option<f64>]| match Spread::of(of.iter().copied().flatten()) {
                Some(p99) => format!("{:.2} ms", p99.median),
                None => String::new(),
            };
            let cells = [p99(&before), p99(&meanwhile), slower.map(|it| it.to_string()).unwrap_or_default()];
            let mut row = vec![result.case.title.to_owned(), contender.name.to_owned(), milliseconds(took)];
            row.extend(cells.into_iter().chain([target, met]));
            table.push(row);
        }
    }
    part(
        "How long 200 readers in one process take that start at once, until the copy of the last is live, starting included. Meanwhile the owner, on a core of its own, is asked once in \
         a millisecond for something else: what 99 in 100 answers take at most, before and meanwhile, by the clock of who asks.",
        &["", "", "all live", "p99 before", "p99 meanwhile", "ratio", "target", ""],
        &table,
    )
}

/// What a key takes.
fn memory(results: &[CaseResult]) -> String {
    let mut table = Vec::new();
    for result in results.iter().filter(|result| matches!(result.case.work, Work::Memory { .. })) {
        for contender in &result.contenders {
            let bytes = |which: fn(f64, f64) -> f64| {
                Spread::of(contender.rounds.iter().filter_map(|outcome| match outcome {
                    Some(Outcome::Memory { owner, reader }) => Some(which(*owner, *reader)),
                    _ => None,
                }))
            };
            let (Some(owner), Some(reader)) = (bytes(|owner, _| owner), bytes(|_, reader| reader)) else {
                continue;
            };
            let cell = |bytes: Spread| format!("{:.0} ({:.0}..{:.0})", bytes.median, bytes.min, bytes.max);
            table.push(vec![contender.name.to_owned(), cell(owner), cell(reader)]);
        }
    }
    part(
        "Resident bytes for each of 100,000 keys of 12 bytes with texts of 100, against a state without keys, two seconds after the copy is live: what the allocator has not given back is part of \
         it. In a service both the runtime and the plugin have the state, the former to answer readers and to check digests, the latter typed. Owners \
         of Redis and NATS are their servers.",
        &["", "who owns it", "who has a copy"],
        &table,
    )
}

/// Seconds until all copies were live, round by round.
fn seconds(contender: &ContenderResult) -> Vec<Option<f64>> {
    let seconds = |outcome: &Option<Outcome>| match outcome {
        Some(Outcome::Joined(joined)) => Some(joined.live_s),
        _ => None,
    };
    contender.rounds.iter().map(seconds).collect()
}

fn contender<'r>(result: &'r CaseResult, name: &str) -> Option<&'r ContenderResult> {
    result.contenders.iter().find(|contender| contender.name == name)
}

fn judged(is_judged: bool, is_met: bool, target: String) -> (String, String) {
    match (is_judged, is_met) {
        (false, _) => (String::new(), String::new()),
        (true, true) => (target, "reached".to_owned()),
        (true, false) => (target, "**missed**".to_owned()),
    }
}

fn milliseconds(seconds: Spread) -> String {
    let Spread { median, min, max } = seconds;
    format!("{:.0} ms ({:.0}..{:.0})", median * 1e3, min * 1e3, max * 1e3)
}

fn words(ratio: Option<Spread>) -> String {
    ratio.map(|ratio| format!("**{ratio}**")).unwrap_or_default()
}

/// A sentence, and its table; nothing when that has no rows.
fn part(sentence: &str, head: &[&str], table: &[Vec<String>]) -> String {
    let mut part = String::new();
    if !table.is_empty() {
        // A `String` takes whatever is written.
        let _ = write!(part, "\n{sentence}\n\n{}", rows(head, table));
    }
    part
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{case::CASES, joining::Joined};

    fn result(name: &str, outcomes: &[(&'static str, Outcome)]) -> CaseResult {
        let contender = |(name, outcome): &(&'static str, Outcome)| ContenderResult {
            name,
            rounds: vec![Some(*outcome)],
            trouble: None,
        };
        CaseResult {
            case: *CASES.iter().find(|case| case.name == name).unwrap(),
            contenders: outcomes.iter().map(contender).collect(),
        }
    }

    fn rows_of(section: &str) -> String {
        section.lines().filter(|line| line.starts_with('|')).flat_map(|line| [line, "\n"]).collect()
    }

    #[test]
    fn without_states_there_is_no_section() {
        assert_eq!(section(&[result("request-1", &[])]), "");
    }

    #[test]
    fn what_states_cost_stands_beside_its_targets() {
        let load = |rate| Outcome::Load { rate, lost: 0.0 };
        let joined = |live_s, p99_ms| Outcome::Joined(Joined { live_s, p99_ms });
        let results = [
            result("states-10", &[(names::FRAMEWORK, load(300e3)), (names::REDIS, load(150e3))]),
            result("states-100k", &[(names::FRAMEWORK, load(150e3))]),
            result(
                "states-resync",
                &[(names::FRAMEWORK, joined(0.5, None)), (names::NATS, joined(1.0, None))],
            ),
            result(
                "states-join",
                &[(names::FRAMEWORK, joined(2.0, Some([0.1, 0.3]))), (names::REDIS, joined(1.0, None))],
            ),
            result("states-memory", &[(names::FRAMEWORK, Outcome::Memory { owner: 700.0, reader: 600.0 })]),
        ];
        expect![[r#"
            |  | service_framework | against Redis | against NATS |
            | --- | --- | --- | --- |
            | 10 keys, 1 reader | 300k (300k..300k) | **2.00x (2.00..2.00)** |  |
            | 100,000 keys, 1 reader | 150k (150k..150k) |  |  |
            |  | 100,000 keys : 10 keys |
            | --- | --- |
            | service_framework | 0.50x (0.50..0.50) |
            |  | service_framework | target |  | against Redis | against NATS |
            | --- | --- | --- | --- | --- | --- |
            | A copy of 100,000 keys | 500 ms (500..500) | < 1 s | reached |  | **2.00x (2.00..2.00)** |
            |  |  | all live | p99 before | p99 meanwhile | ratio | target |  |
            | --- | --- | --- | --- | --- | --- | --- | --- |
            | 200 copies of 10,000 keys (1 MB) at once | service_framework | 2000 ms (2000..2000) | 0.10 ms | 0.30 ms | 3.00x (3.00..3.00) | < 5 s, and p99 < 2x | **missed** |
            | 200 copies of 10,000 keys (1 MB) at once | Redis | 1000 ms (1000..1000) |  |  |  |  |  |
            |  | who owns it | who has a copy |
            | --- | --- | --- |
            | service_framework | 700 (700..700) | 600 (600..600) |
        "#]].assert_eq(&rows_of(&section(&results)));
    }
}
