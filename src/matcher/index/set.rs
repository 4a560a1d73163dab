//! A set of small numbers.
//!
//! In and out: indexes below a limit, in ascending order; a bit for each.

/// A bit for each number
#[derive(Debug, Clone, Default)]
pub(super) struct Set(Vec<u64>);

impl Set {
    /// An empty set of numbers below the limit
    pub(super) fn of(limit: usize) -> Set {
        Set(vec![0; limit.div_ceil(64)])
    }

    pub(super) fn add(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// The numbers in both
    pub(super) fn and(&self, other: &Set) -> Set {
        Set(self.0.iter().zip(&other.0).map(|(one, other)| one & other).collect())
    }

    /// Becomes a copy of the other, in the room that it has
    pub(super) fn copy(&mut self, other: &Set) {
        self.0.clone_from(&other.0);
    }

    /// Calls for each number in both sets, in ascending order
    pub(super) fn each_in(&self, other: &Set, mut call: impl FnMut(usize)) {
        for (at, (one, other)) in self.0.iter().zip(&other.0).enumerate() {
            let mut bits = one & other;
            while bits != 0 {
                call(at * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }
}
