//! What is new about the events that both sides find.
//!
//! In: the combinations of values of an event, as the engine and as Elastic make them, in the order
//! of the events. Out: whether both call the same events new.

use jiff::Timestamp;

use super::finding::{Difference, Finding};
use crate::matcher::novelty::NewTerms;

/// The combinations of an event's values, as each side makes them
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) time: Option<Timestamp>,
    pub(super) engine: Vec<Vec<String>>,
    pub(super) elastic: Vec<Vec<String>>,
    /// As Elastic would, if its pipelines dropped nothing
    pub(super) filled: Vec<Vec<String>>,
}

/// What each side has seen in a sequence of events
#[derive(Debug, Default)]
pub struct Seen {
    engine: NewTerms,
    elastic: NewTerms,
    filled: NewTerms,
}

impl Seen {
    /// Takes the next event; the windows are those of the rule and of Elastic's, in minutes
    pub(super) fn compare(
        &mut self,
        terms: &Terms,
        (window, history): (u32, u32),
        signal: &str,
    ) -> Finding {
        let observe = |seen: &mut NewTerms, keys: &[Vec<String>], window: u32| {
            let observed = |key: &Vec<String>| seen.observe(key.clone(), terms.time, window);
            // Each is remembered, also after one that is new.
            keys.iter().map(observed).fold(false, |new, this| new | this)
        };
        let engine = observe(&mut self.engine, &terms.engine, window);
        let elastic = observe(&mut self.elastic, &terms.elastic, history);
        let filled = observe(&mut self.filled, &terms.filled, history);
        let word = |new: bool| if new { "new terms" } else { "nothing new" }.to_owned();
        match (engine == elastic, engine == filled) {
            (true, _) => Finding::Same(true),
            (false, true) => Finding::Dropped,
            (false, false) => Finding::Different(Difference {
                signal: signal.to_owned(),
                engine: word(engine),
                target: word(elastic),
            }),
        }
    }
}
