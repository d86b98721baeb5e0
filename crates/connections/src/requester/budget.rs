//! Bounds how many requests are sent once more. Does no IO.
//!
//! The retry budget of Finagle: what is sent anew grows with what is sent, so that a peer in trouble never gets much more than its load.

/// What a call adds, in tenths of one more try.
const EARNED: u32 = 1;
/// What one more try takes.
const COST: u32 = 10;
/// What is there at first and at most: ten tries.
const MOST: u32 = 10 * COST;

/// How many requests may be sent once more.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Budget {
    /// A call was made.
    pub(super) fn earn(&mut self) {
        self.0 = (self.0 + EARNED).min(MOST);
    }

    /// Whether one more try may be made; it is then.
    pub(super) fn spend(&mut self) -> bool {
        let left = self.0.checked_sub(COST);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tries_never_outrun_a_tenth_of_the_calls_by_more_than_ten(calls in proptest::collection::vec(any::<bool>(), 0..500)) {
            let (mut budget, mut made, mut tries) = (Budget::default(), 0_u32, 0_u32);
            for is_retried in calls {
                made += 1;
                budget.earn();
                while is_retried && budget.spend() {
                    tries += 1;
                }
                prop_assert!(tries <= 10 + made / 10);
            }
        }
    }
}
