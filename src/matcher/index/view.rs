//! The signals that look at events of one log source.
//!
//! In: the kind of an event. Out: a [`View`]: the signals that look at such events, those of them that
//! are tried on each, and the slots that the others need to be looked up in. It is made once for each kind,
//! so an event costs one look at a short list, and no field is read for a signal of another log source.

use super::finder::Finder;
use super::set::Set;
use crate::matcher::CompiledSignal;
use crate::matcher::event::Kind;

/// What to do with events of one kind
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The signals that look at such events
    pub(super) signals: Set,
    /// Those that are tried on every event
    pub(super) always: Set,
    /// Places in the finder of the slots that the others need
    pub(super) slots: Vec<usize>,
}

impl View {
    /// `of_fact` has the signals that may fit where a fact holds, `always` those that need no fact
    pub(super) fn of(
        kind: &Kind,
        all: &[CompiledSignal],
        (finder, of_fact, always): (&Finder, &[Box<[u32]>], &Set),
    ) -> View {
        let mut signals = Set::of(all.len());
        let looking = all.iter().enumerate().filter(|(_, signal)| signal.looks_at(kind));
        looking.for_each(|(at, _)| signals.add(at));
        let always = always.and(&signals);
        let is_needed =
            |fact: &u32| of_fact[*fact as usize].iter().any(|signal| signals.has(*signal as usize));
        let slots = finder.slots.iter().enumerate();
        let slots = slots.filter(|(_, facts)| facts.numbers.iter().any(is_needed));
        let slots = slots.map(|(at, _)| at).collect();
        View { signals, always, slots }
    }
}
