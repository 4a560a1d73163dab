//! What a run remembers of the events before.
//!
//! In: matches, in the order of the stream. Out: whether their terms are new, and completed correlations. The
//! process tree fills what an event lacks before it is judged. What has left its window is forgotten.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ancestry::ProcessTree;
use super::correlate::{Correlator, Together};
use super::event::Event;
use super::group::Waiting;
use super::novelty::{NewTerms, SeenTerm};
use super::{Engine, Match};
use crate::ir::Rule;

/// The state of a run: terms seen, processes, and events that wait in correlations
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) terms: BTreeMap<usize, NewTerms>,
    /// Terms of the state file for rules that this run did not load, by name
    pub(super) others: BTreeMap<String, (Vec<String>, Vec<SeenTerm>)>,
    tree: ProcessTree,
    correlators: BTreeMap<usize, Correlator>,
    /// Matches without a time, which no correlation can place
    untimed: usize,
    /// Matches with more combinations of new terms than the limit
    crowded_terms: usize,
    /// Later times are ignored: the clock was wrong
    pub(super) now: Option<Timestamp>,
}

/// Numbers of matches that correlations or novelty could not judge exactly
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// Not correlated: without a time, or with one in the future
    pub untimed: usize,
    /// Not correlated: too late, or forgotten to make room
    pub lost: usize,
    /// Reported as new: more than [`MOST_COMBINATIONS`](super::novelty::MOST_COMBINATIONS) terms
    pub crowded_terms: usize,
    /// Terms forgotten to make room, which may be reported as new again
    pub forgotten_terms: usize,
    /// Reported by themselves: in more groups of a correlation than the same limit
    pub crowded_groups: usize,
}

/// A completed correlation of a rule
#[derive(Debug)]
pub struct Finding {
    /// Index of the rule
    pub rule: usize,
    /// The correlation and its events
    pub together: Together,
}

impl Memory {
    /// Ignores timestamps after `now`: the clock was wrong
    #[must_use]
    pub fn until(self, now: Timestamp) -> Memory {
        Memory { now: Some(now), ..self }
    }

    /// Takes a match; returns whether it is new, as [`Memory::observe`] does, and the findings that
    /// could not wait for the end, as [`Memory::correlate`] does
    ///
    /// A signal with `new_terms` counts only when it is new, so a match that is not new takes no
    /// part in a correlation. `place` is the number of the file and the line.
    pub fn take(
        &mut self,
        engine: &Engine,
        matched: &Match,
        place: (usize, usize),
    ) -> (Option<bool>, Vec<Finding>) {
        let new = self.observe(engine, matched);
        let together = match new {
            Some(false) => Vec::new(),
            Some(true) | None => self.correlate(engine, matched, place),
        };
        (new, together)
    }

    /// Records the combinations of the match; true when one is new, `None` without `new_terms`
    pub fn observe(&mut self, engine: &Engine, matched: &Match) -> Option<bool> {
        let window = engine.rules()[matched.rule].new_terms.as_ref()?.window;
        let terms = matched.terms.as_ref()?;
        let seen = self.terms.entry(matched.rule).or_default();
        let mut new = terms.more;
        self.crowded_terms += usize::from(terms.more);
        for key in &terms.keys {
            new |= seen.observe(key, matched.time, (window, self.now));
        }
        Some(new)
    }

    /// Takes a match for the correlations; returns the findings that could not wait for the end
    ///
    /// They come when too many events wait, or when the event is in too many groups. `place` is the
    /// number of the file and the line.
    pub fn correlate(
        &mut self,
        engine: &Engine,
        matched: &Match,
        place: (usize, usize),
    ) -> Vec<Finding> {
        let Some(values) = &matched.correlated else { return Vec::new() };
        let sane = |time: &Timestamp| self.now.is_none_or(|now| *time <= now);
        let Some(time) = matched.time.filter(sane) else {
            self.untimed += 1;
            return Vec::new();
        };
        let (rule, signal, values) = (matched.rule, matched.signal, values.clone());
        let correlator = self.correlators.entry(rule).or_default();
        let waiting = Waiting { time, signal, values, place };
        let completions = correlator.observe(&engine.rules()[rule], waiting);
        completions.into_iter().map(|together| Finding { rule, together }).collect()
    }

    /// Judges the events that still wait in correlations
    pub fn finish(&mut self, engine: &Engine) -> Vec<Finding> {
        self.findings(engine, Correlator::finish)
    }

    /// Every event that completes a correlation, also where its group is reported already; of those that take part
    /// only the events of a chain
    pub(crate) fn completions(&mut self, engine: &Engine) -> Vec<Finding> {
        self.findings(engine, Correlator::completions)
    }

    /// What `judge` finds in the waiting events of each rule
    fn findings(
        &mut self,
        engine: &Engine,
        judge: fn(&mut Correlator, &Rule) -> Vec<Together>,
    ) -> Vec<Finding> {
        let each = self.correlators.iter_mut().flat_map(|(rule, correlator)| {
            let together = judge(correlator, &engine.rules()[*rule]).into_iter();
            together.map(|together| Finding { rule: *rule, together })
        });
        each.collect()
    }

    /// Numbers of matches that could not be judged exactly, since the start of the run
    pub fn shortfall(&self) -> Shortfall {
        let sum = |count: fn(&Correlator) -> usize| self.correlators.values().map(count).sum();
        Shortfall {
            untimed: self.untimed,
            lost: sum(|correlator| correlator.lost),
            crowded_terms: self.crowded_terms,
            forgotten_terms: self.terms.values().map(NewTerms::forgotten).sum(),
            crowded_groups: sum(|correlator| correlator.crowded),
        }
    }

    /// Adds the terms that another run has seen
    pub fn join(&mut self, other: Memory) {
        for (rule, terms) in other.terms {
            self.terms.entry(rule).or_default().join(terms);
        }
        self.others.extend(other.others);
    }

    /// Fills the grandparent of an event and records its process, when a rule reads grandparents
    pub(super) fn follow(&mut self, engine: &Engine, event: &mut Event<'_>) {
        if let Some(places) = engine.ancestry {
            self.tree.follow(places, event);
        }
    }
}
