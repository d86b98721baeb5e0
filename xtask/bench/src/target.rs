//! How far ahead of whom ours should be.

use crate::case::names::{ENGINE, FRAMEWORK, LIBZMQ, LIBZMQ_MESSAGEPACK, NATS, PYTHON, TARPC, TCP, TONIC};

/// How far ahead of a peer one of ours should be in a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    /// The case.
    pub(crate) case: &'static str,
    /// Which of ours.
    pub(crate) ours: &'static str,
    /// The peer.
    pub(crate) peer: &'static str,
    /// The least ratio, ours over the peer's.
    pub(crate) ratio_min: f64,
    /// A ratio on the way there that counts for something.
    pub(crate) nearer: Option<f64>,
    /// Whether nothing may be lost.
    pub(crate) lossless: bool,
}

impl Target {
    const fn new(case: &'static str, ours: &'static str, peer: &'static str, ratio_min: f64) -> Self {
        Self { case, ours, peer, ratio_min, nearer: None, lossless: false }
    }

    const fn nearer(self, ratio: f64) -> Self {
        Self { nearer: Some(ratio), ..self }
    }

    const fn lossless(self) -> Self {
        Self { lossless: true, ..self }
    }

    /// What should be reached between the two in a case, if anything was said of it.
    pub(crate) fn find(case: &str, ours: &str, peer: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| (target.case, target.ours, target.peer) == (case, ours, peer))
    }
}

/// What ours should reach.
const TARGETS: [Target; 17] = [
    Target::new("request-1", FRAMEWORK, TCP, 0.9),
    Target::new("request-1", FRAMEWORK, LIBZMQ_MESSAGEPACK, 3.5),
    Target::new("request-1", FRAMEWORK, PYTHON, 40.0).nearer(4.0),
    Target::new("request-16", FRAMEWORK, TCP, 0.6),
    Target::new("request-16", FRAMEWORK, LIBZMQ_MESSAGEPACK, 4.0).nearer(2.5),
    Target::new("request-16", FRAMEWORK, TONIC, 4.0),
    Target::new("request-16", FRAMEWORK, TARPC, 1.5),
    Target::new("request-16", FRAMEWORK, NATS, 6.0),
    Target::new("request-16", FRAMEWORK, PYTHON, 4.0),
    Target::new("pipelined", FRAMEWORK, LIBZMQ, 1.5),
    Target::new("publish-1", FRAMEWORK, LIBZMQ_MESSAGEPACK, 2.5).lossless(),
    Target::new("publish-1", FRAMEWORK, PYTHON, 300.0),
    Target::new("publish-4", FRAMEWORK, LIBZMQ_MESSAGEPACK, 2.5).lossless(),
    Target::new("publish-4", FRAMEWORK, PYTHON, 300.0),
    Target::new("publish-1", ENGINE, LIBZMQ, 3.0).lossless(),
    Target::new("publish-4", ENGINE, LIBZMQ, 5.0).lossless(),
    Target::new("publish-16", ENGINE, LIBZMQ, 7.0).lossless(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CASES;

    #[test]
    fn those_of_a_target_take_part_in_its_case() {
        for target in TARGETS {
            let case = CASES.iter().find(|case| case.name == target.case).unwrap();
            assert!(case.contenders.contains(&target.ours), "{target:?}");
            assert!(case.contenders.contains(&target.peer), "{target:?}");
        }
    }
}
