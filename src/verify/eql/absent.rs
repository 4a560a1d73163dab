//! Events of a sequence that must be absent.
//!
//! In: a chain of events that are there, and the places of the events that should not be. Out:
//! whether the chain stands.
//!
//! An absent event lies between its neighbours. In front of the first event it reaches back from the
//! last by `maxspan`; behind the last it reaches forward from the first. With both, only the gap
//! between the nearest two is measured.

use std::collections::BTreeMap;

use super::step::{Keys, Step};

/// An event by its place in the order of time, and its time
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) rank: usize,
    pub(super) time: i64,
}

/// The events of each absent step, by keys; steps that are not absent have none
pub(super) type Unwanted = Vec<BTreeMap<Keys, Vec<Moment>>>;

/// Whether no unwanted event spoils the chain
pub(super) fn stands(
    chain: &[Moment],
    keys: &Keys,
    steps: &[Step],
    unwanted: &Unwanted,
    maxspan: i64,
) -> bool {
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return false };
    let mut passed = 0_usize;
    let (mut before, mut after) = (None::<i64>, None::<i64>);
    for (step, unwanted) in steps.iter().zip(unwanted) {
        if !step.absent {
            passed += 1;
            continue;
        }
        let moments = unwanted.get(keys).into_iter().flatten();
        match (passed.checked_sub(1).map(|at| chain[at]), chain.get(passed)) {
            (Some(left), Some(right)) => {
                if moments.into_iter().any(|one| left.rank < one.rank && one.rank < right.rank) {
                    return false;
                }
            }
            (None, _) => {
                let earlier = moments.filter(|one| one.rank < first.rank).map(|one| one.time);
                before = before.max(earlier.max());
            }
            (Some(_), None) => {
                let later = moments.filter(|one| one.rank > last.rank).map(|one| one.time);
                after = later.chain(after).min();
            }
        }
    }
    let around = steps.first().is_some_and(|step| step.absent)
        && steps.last().is_some_and(|step| step.absent);
    if around {
        return before.zip(after).is_none_or(|(before, after)| after - before > maxspan);
    }
    before.is_none_or(|before| last.time - before > maxspan)
        && after.is_none_or(|after| after - first.time > maxspan)
}
