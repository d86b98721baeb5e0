//! What is not a ratio: losses, idle services, absences, absolute figures.

use std::fmt::Write as _;

use super::table;
use crate::{
    case::{
        CROWD_RESIDENT_MAX_MB, CROWD_START_MAX_S, IDLE_CPU_MAX_PERCENT, IDLE_RESIDENT_MAX_MB, Work, names,
    },
    crowd::Crowd,
    idle::Idle,
    round::{CaseResult, ContenderResult, Outcome},
    statistics::Spread,
};

/// Which part of the publications did not arrive; nothing lost is said too.
pub(super) fn lost(results: &[CaseResult]) -> String {
    let mut rows = Vec::new();
    for result in results.iter().filter(|result| matches!(result.case.work, Work::Publish { .. })) {
        for contender in &result.contenders {
            let lost = |outcome: &Option<Outcome>| match outcome {
                Some(Outcome::Load { lost, .. }) => Some(lost * 100.0),
                _ => None,
            };
            let Some(lost) = Spread::of(contender.rounds.iter().filter_map(lost)) else { continue };
            let words = if lost.max == 0.0 {
                "nothing".to_owned()
            } else {
                format!("{:.2}% ({:.2}..{:.2})", lost.median, lost.min, lost.max)
            };
            rows.push(vec![result.case.title.to_owned(), contender.name.to_owned(), words]);
        }
    }
    table("Lost messages", &["case", "", "lost"], &rows)
}

/// What services cost that nobody talks to; the worst round counts.
pub(super) fn idle(results: &[CaseResult]) -> String {
    let mut rows = Vec::new();
    for contender in results.iter().flat_map(|result| &result.contenders) {
        let idle: Vec<Idle> = contender.rounds.iter().filter_map(idle_of).collect();
        let worst = |of: fn(&Idle) -> f64| Spread::of(idle.iter().map(of)).map(|spread| spread.max);
        let (Some(cpu), Some(wakes), Some(resident)) = (
            worst(|idle| idle.cpu_percent),
            worst(|idle| idle.wakes_per_second),
            worst(|idle| idle.resident_mb),
        ) else {
            continue;
        };
        let (target, met) = if contender.name != names::FRAMEWORK {
            (String::new(), "")
        } else if cpu <= IDLE_CPU_MAX_PERCENT && resident <= IDLE_RESIDENT_MAX_MB {
            (format!("0% and <= {IDLE_RESIDENT_MAX_MB} MB"), "reached")
        } else {
            (format!("0% and <= {IDLE_RESIDENT_MAX_MB} MB"), "**missed**")
        };
        rows.push(vec![
            contender.name.to_owned(),
            format!("{cpu:.2}%"),
            format!("{wakes:.1}"),
            format!("{resident:.1} MB"),
            target,
            met.to_owned(),
        ]);
    }
    table("An idle service", &["", "CPU of one core", "wakes a second", "resident", "target", ""], &rows)
}

/// What many services in one process cost; the worst round counts.
pub(super) fn crowd(results: &[CaseResult]) -> String {
    let mut rows = Vec::new();
    for contender in results.iter().flat_map(|result| &result.contenders) {
        let crowds = contender.rounds.iter().filter_map(|outcome| match outcome {
            Some(Outcome::Crowd(crowd)) => Some(*crowd),
            _ => None,
        });
        let crowds: Vec<Crowd> = crowds.collect();
        let worst = |of: fn(&Crowd) -> f64| Spread::of(crowds.iter().map(of)).map(|spread| spread.max);
        let (Some(start_s), Some(stop_s), Some(resident_mb), Some(crowd)) = (
            worst(|crowd| crowd.start_s),
            worst(|crowd| crowd.stop_s),
            worst(|crowd| crowd.resident_mb_each),
            crowds.last(),
        ) else {
            continue;
        };
        let met = start_s <= CROWD_START_MAX_S && resident_mb <= CROWD_RESIDENT_MAX_MB;
        rows.push(vec![
            contender.name.to_owned(),
            crowd.services.to_string(),
            format!("{start_s:.2} s"),
            format!("{resident_mb:.2} MB"),
            crowd.threads.to_string(),
            crowd.descriptors.to_string(),
            format!("{stop_s:.2} s"),
            format!("<= {CROWD_START_MAX_S} s and <= {CROWD_RESIDENT_MAX_MB} MB each"),
            if met { "reached" } else { "**missed**" }.to_owned(),
        ]);
    }
    let head =
        ["", "have answered", "start", "resident, each", "threads", "descriptors", "stop", "target", ""];
    table("Many services in one process", &head, &rows)
}

fn idle_of(outcome: &Option<Outcome>) -> Option<Idle> {
    match outcome {
        Some(Outcome::Idle(idle)) => Some(*idle),
        _ => None,
    }
}

/// Who did not run where, and why.
pub(super) fn absent(results: &[CaseResult]) -> String {
    let mut rows = Vec::new();
    for result in results {
        for ContenderResult { name, trouble, .. } in &result.contenders {
            if let Some(trouble) = trouble {
                rows.push(vec![result.case.title.to_owned(), (*name).to_owned(), trouble.to_string()]);
            }
        }
    }
    table("Not measured", &["case", "", "why"], &rows)
}

/// Messages a second, folded away.
pub(super) fn absolute(results: &[&CaseResult]) -> String {
    let mut lines = String::new();
    for result in results {
        for contender in &result.contenders {
            let Some(rate) = Spread::of(contender.rates().into_iter().flatten()) else { continue };
            // A `String` takes whatever is written.
            let _ = writeln!(
                lines,
                "| <sub>{}</sub> | <sub>{}</sub> | <sub>{}/s ({}..{})</sub> |",
                result.case.title,
                contender.name,
                thousands(rate.median),
                thousands(rate.min),
                thousands(rate.max),
            );
        }
    }
    if lines.is_empty() {
        return lines;
    }
    format!(
        "\n<details><summary>Absolute figures, of this machine alone</summary>\n\n| | | |\n|---|---|---|\n{lines}\n</details>\n"
    )
}

/// Three digits and a unit: more would be noise.
pub(super) fn thousands(rate: f64) -> String {
    let (value, unit) = match rate {
        1e6.. => (rate / 1e6, "M"),
        1e3.. => (rate / 1e3, "k"),
        _ => (rate, ""),
    };
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CASES;

    fn result(name: &str, rounds: Vec<Option<Outcome>>) -> CaseResult {
        let case = *CASES.iter().find(|case| case.name == name).unwrap();
        let contender = ContenderResult { name: names::FRAMEWORK, rounds, trouble: None };
        CaseResult { case, contenders: vec![contender] }
    }

    #[test]
    fn an_idle_service_that_wakes_for_nothing_misses_its_target() {
        let round =
            |cpu_percent| Some(Outcome::Idle(Idle { cpu_percent, wakes_per_second: 0.0, resident_mb: 8.0 }));
        assert!(idle(&[result("idle", vec![round(0.0), round(0.01)])]).contains("reached"));
        assert!(idle(&[result("idle", vec![round(0.0), round(0.2)])]).contains("missed"));
    }

    #[test]
    fn a_crowd_that_starts_too_slowly_misses_its_target() {
        let round = |start_s| {
            let (stop_s, resident_mb_each, threads, descriptors) = (1.0, 0.5, 1_001, 4_003);
            Some(Outcome::Crowd(Crowd {
                services: 1_000,
                start_s,
                stop_s,
                resident_mb_each,
                threads,
                descriptors,
            }))
        };
        assert!(crowd(&[result("crowd", vec![round(1.0), round(2.0)])]).contains("reached"));
        assert!(crowd(&[result("crowd", vec![round(1.0), round(6.0)])]).contains("missed"));
    }

    #[test]
    fn losses_are_percent_of_what_was_sent() {
        let round = |lost| Some(Outcome::Load { rate: 1.0, lost });
        assert!(lost(&[result("publish-1", vec![round(0.0)])]).contains("nothing"));
        assert!(lost(&[result("publish-4", vec![round(0.1), round(0.3)])]).contains("20.00% (10.00..30.00)"));
        assert_eq!(lost(&[result("request-1", vec![round(0.5)])]), "");
    }

    #[test]
    fn rates_have_three_digits() {
        assert_eq!(
            [12.0, 1_234.0, 56_789.0, 345_678.0, 3_456_789.0].map(thousands),
            ["12.0", "1.23k", "56.8k", "346k", "3.46M"]
        );
    }
}
