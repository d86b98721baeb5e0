//! How cost grows with work: the pictures of the page.

/// What a picture shows: what one request costs, as something grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    /// The file, without its ending.
    pub(crate) name: &'static str,
    /// What stands above it.
    pub(crate) title: &'static str,
    /// What grows.
    pub(crate) axis: &'static str,
    /// How much of it there is in which case, in rising order.
    pub(crate) points: &'static [(u32, &'static str)],
}

/// Every picture, in the order of the page.
pub(crate) const CURVES: [Curve; 2] = [
    Curve {
        name: "connections",
        title: "Request/reply 64 B, both processes on one core",
        axis: "connections, with one call in flight on each",
        points: &[
            (1, "request-1"),
            (4, "connections-4"),
            (16, "connections-16"),
            (64, "connections-64"),
            (256, "connections-256"),
            (1_000, "connections-1000"),
        ],
    },
    Curve {
        name: "payload",
        title: "Request/reply, 1 client, both processes on one core",
        axis: "bytes in the request, and in the reply",
        points: &[
            (64, "request-1"),
            (1 << 10, "payload-1k"),
            (16 << 10, "payload-16k"),
            (256 << 10, "payload-256k"),
            (1 << 20, "payload-1m"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CASES, Shown, Work};

    #[test]
    fn each_point_is_a_case_with_as_much_work_and_each_case_for_pictures_a_point() {
        let mut points = Vec::new();
        for curve in CURVES {
            for (amount, name) in curve.points {
                let case = CASES.iter().find(|case| case.name == *name).unwrap();
                let Work::Request { connections, bytes, calls: 1 } = case.work else { panic!("{case:?}") };
                assert_eq!(*amount, if curve.name == "payload" { bytes } else { connections }, "{name}");
                points.push(*name);
            }
        }
        for case in CASES.iter().filter(|case| case.shown == Shown::InPictures) {
            assert!(points.contains(&case.name), "{case:?}");
        }
    }
}
