//! Compares new terms between the engine and Elastic.
//!
//! In: events that match on both sides, in their order, with the combinations of values that the
//! engine and Elastic make. Out: a [`Finding`]: whether both sides call the same events new.

use jiff::Timestamp;

use super::finding::{Difference, Finding};
use crate::matcher::novelty::NewTerms;

/// The combinations of an event's values, as each side makes them
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) time: Option<Timestamp>,
    pub(super) engine: Vec<Vec<String>>,
    pub(super) elastic: Vec<Vec<String>>,
    /// Elastic's combinations if its pipelines dropped nothing
    pub(super) filled: Vec<Vec<String>>,
    /// What explains that pipelines drop a value of this event
    pub(super) dropped: Option<Finding>,
}

/// The combinations that each side has seen in a sequence of events
#[derive(Debug, Default)]
pub struct Seen {
    engine: NewTerms,
    elastic: NewTerms,
    filled: NewTerms,
}

impl Seen {
    /// Compares the next event; `window` is the rule's, `history` Elastic's, both in minutes
    pub(super) fn compare(
        &mut self,
        terms: &Terms,
        (window, history): (u32, u32),
        signal: &str,
    ) -> Finding {
        let observe = |seen: &mut NewTerms, keys: &[Vec<String>], window: u32| {
            let observed = |key: &Vec<String>| seen.observe(key, terms.time, (window, None));
            // Every combination must be remembered, so this must not stop at the first new one.
            keys.iter().map(observed).fold(false, |new, this| new | this)
        };
        let engine = observe(&mut self.engine, &terms.engine, window);
        let elastic = observe(&mut self.elastic, &terms.elastic, history);
        let filled = observe(&mut self.filled, &terms.filled, history);
        let word = |new: bool| if new { "new terms" } else { "nothing new" }.to_owned();
        let dropped = terms.dropped.clone().filter(|_| engine == filled);
        if engine == elastic {
            return Finding::Same(true);
        }
        dropped.unwrap_or_else(|| {
            Finding::Different(Difference {
                signal: signal.to_owned(),
                engine: word(engine),
                target: word(elastic),
                event: None,
            })
        })
    }
}
