//! The index: which signals an event may fit.
//!
//! In: signals, then events. Out: for each event the signals worth trying, in their order. A signal that
//! is not among them does not fit; a signal that is among them may fit, and the evaluator decides. So the
//! index changes no verdict, and an engine without it is its oracle ([`Options::naive`](super::Options)).
//!
//! In layers, each to be read alone:
//!
//! 1. [`view`]: which signals look at events of this log source, before any field is looked at;
//! 2. [`fact`] and [`required`]: what must hold of an event for a signal to fit, each fact once over all rules;
//! 3. [`choose`]: the facts that are looked for, chosen by how often sample events have them;
//! 4. [`finder`] and [`windows`]: which of those hold for an event, in one pass over each value;
//! 5. [`memo`]: what was found in a value before, for as many values as there is room for.
//!
//! Deliberately absent: an order of signals by cost, and verdicts of tests that several rules share.

mod choose;
mod fact;
mod finder;
mod flat;
mod found;
mod memo;
mod regex;
mod required;
mod set;
mod view;
mod windows;

use std::sync::Mutex;

use choose::Frequency;
use fact::Facts;
use finder::Finder;
use found::Found;
use memo::Memo;
use required::Needs;
use set::Set;
use view::View;

use super::CompiledSignal;
use super::event::{Event, Kind};
use super::layout::Layout;
use crate::ir::Rule;

/// The most kinds of events that are remembered at a time
const KINDS: usize = 64;

/// Finds the signals that an event may fit
#[derive(Debug)]
pub(super) struct Index {
    finder: Finder,
    /// By fact, the signals that may fit where it holds
    signals: Vec<Box<[u32]>>,
    /// The signals that are tried on every event of their log sources
    always: Set,
    rooms: Mutex<Vec<Room>>,
}

/// The room that finding needs; one for each thread at work
#[derive(Debug, Default)]
struct Room {
    views: Vec<(Kind, View)>,
    found: Found,
    /// By place of the slot in the finder
    memos: Vec<Memo>,
    candidates: Set,
}

impl Index {
    /// The index of the signals of these rules, for events like those of the sample
    pub(super) fn of(rules: &[Rule], layout: &Layout, sample: &[Event<'_>]) -> Index {
        let slot_of = |field: &_| layout.slot_of(field);
        let mut needs = Needs { slot_of: &slot_of, facts: Facts::default() };
        let signals = rules.iter().flat_map(|rule| &rule.signals);
        let all: Vec<_> = signals.map(|signal| needs.of(&signal.expr())).collect();
        let facts = needs.facts;
        let frequency = Frequency::of(&facts, sample);
        let mut signals = vec![Vec::new(); facts.all.len()];
        let mut always = Set::of(all.len());
        for (signal, need) in all.iter().enumerate() {
            let Some((_, needed)) = frequency.rarest(need) else {
                always.add(signal);
                continue;
            };
            let number = u32::try_from(signal).unwrap_or(u32::MAX);
            needed.iter().for_each(|fact| signals[*fact as usize].push(number));
        }
        let numbered = (0_u32..).zip(&facts.all);
        let used = numbered.filter(|(number, _)| !signals[*number as usize].is_empty());
        let finder = Finder::of(used, &frequency.rarity);
        let signals = signals.into_iter().map(Vec::into_boxed_slice).collect();
        Index { finder, signals, always, rooms: Mutex::default() }
    }

    /// Calls for each signal that the event may fit, in their order; returns whether some signal looks at
    /// events of its kind
    pub(super) fn each_candidate(
        &self,
        event: &Event<'_>,
        all: &[CompiledSignal],
        call: impl FnMut(usize),
    ) -> bool {
        let room = self.rooms.lock().ok().and_then(|mut rooms| rooms.pop());
        let mut room = room.unwrap_or_else(|| self.room());
        let is_looked_at = self.find(event, all, &mut room, call);
        if let Ok(mut rooms) = self.rooms.lock() {
            rooms.push(room);
        }
        is_looked_at
    }

    fn room(&self) -> Room {
        let memos = self.finder.slots.iter().map(|_| Memo::default()).collect();
        Room { found: Found::of(self.signals.len()), memos, ..Room::default() }
    }

    fn find(
        &self,
        event: &Event<'_>,
        all: &[CompiledSignal],
        Room { views, found, memos, candidates }: &mut Room,
        call: impl FnMut(usize),
    ) -> bool {
        let at = views.iter().position(|(kind, _)| kind == event.kind()).unwrap_or_else(|| {
            if views.len() >= KINDS {
                views.clear();
            }
            let parts = (&self.finder, &*self.signals, &self.always);
            views.push((event.kind().clone(), View::of(event.kind(), all, parts)));
            views.len() - 1
        });
        let view = &views[at].1;
        if view.signals.is_empty() {
            return false;
        }
        found.start();
        for slot in &view.slots {
            self.finder.slots[*slot].find(event, &mut memos[*slot], found);
        }
        candidates.copy(&view.always);
        let signals = found.facts.iter().flat_map(|fact| &*self.signals[*fact as usize]);
        signals.for_each(|signal| candidates.add(*signal as usize));
        candidates.each_in(&view.signals, call);
        true
    }
}
