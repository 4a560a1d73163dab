//! Events with the fields that rules read.
//!
//! In: the values that [`read`](super::read) finds in a JSON object. Out: an [`Event`] with its
//! kind, its time, and a slot for each field that a rule reads. Numbers and booleans are kept as
//! text: 42 and '42' are the same value in Sigma.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::census::Facts;
use super::layout::Layout;
use super::log::Log;
use super::part;
use super::slot::{Slot, Slots};
use super::systems::Systems;
use crate::pattern::fold_text;
use crate::taxonomy::{EventKind, Recognized, recognize};

/// An event: its slots, its kind and its time
pub(super) struct Event<'a> {
    layout: &'a Layout,
    slots: Slots<'a>,
    folded: Folded,
    kind: Kind,
    systems: Systems,
    time: Option<Cow<'a, str>>,
    facts: Facts,
}

/// Folded values of the subjects that tests have read: few of all subjects
type Folded = RefCell<HashMap<usize, Vec<String>, foldhash::fast::RandomState>>;

/// The kind of an event, as far as known
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// All of these kinds, from these systems; empty for a name that nothing knows
    Known(Arc<[EventKind]>, Systems),
    /// Nothing is known: every signal is tried
    Unknown,
}

impl fmt::Display for Kind {
    /// The most exact of its kinds: the first
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind::Known(kinds, systems) = self else { return f.write_str("unknown") };
        match (kinds.first(), systems.one()) {
            // Its channel is in no table.
            (Some(EventKind::Log(log)), Some(_)) if log.is_whole_product() => {
                write!(f, "another log of {log}")
            }
            (Some(kind), _) => kind.fmt(f),
            (None, Some(product)) => write!(f, "another log of {product}"),
            (None, None) => f.write_str("a kind that no table and no rule knows"),
        }
    }
}

impl Kind {
    /// Whether an event of this kind cannot be of the kind that the user gives
    ///
    /// Nothing is known of a log outside the tables.
    fn contradicts(&self, given: &EventKind) -> bool {
        let Kind::Known(kinds, systems) = self else { return false };
        let known = EventKind::named(given.name()).is_some();
        known && !kinds.iter().any(|kind| given.takes(kind, systems.one()))
    }
}

impl<'a> Event<'a> {
    /// An event with empty slots and unknown kind
    pub(super) fn new(layout: &'a Layout) -> Event<'a> {
        Event {
            layout,
            slots: Slots::new(layout.fields.len()),
            folded: Folded::default(),
            kind: Kind::Unknown,
            systems: Systems::Any,
            time: None,
            facts: Facts::default(),
        }
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.layout
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn slot(&self, slot: usize) -> &Slot<'a> {
        &self.slots[slot]
    }

    pub(super) fn facts(&self) -> Facts {
        self.facts
    }

    /// Whether one of these slots has a value, or null
    pub(super) fn has_any(&self, slots: &[usize]) -> bool {
        slots.iter().any(|slot| !matches!(self.slots[*slot], Slot::Missing))
    }

    pub(super) fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    /// Replaces the value of a slot
    pub(super) fn fill(&mut self, slot: usize, value: Slot<'a>) {
        *self.slots.at(slot) = value;
    }

    /// Adds a value to the values of a slot
    pub(super) fn add(&mut self, slot: usize, value: Slot<'a>) {
        self.slots.at(slot).add(value);
    }

    /// Whether some value of the subject passes the test
    pub(super) fn any(&self, subject: usize, mut test: impl FnMut(&str) -> bool) -> bool {
        let (subject, slot) = &self.layout.subjects[subject];
        self.slots[*slot].values().iter().any(|value| part::any(subject, value, &mut test))
    }

    /// Like `any`, over folded text; each subject is folded once per event
    ///
    /// The test may not ask for folded text itself.
    pub(super) fn any_folded(&self, subject: usize, test: impl FnMut(&String) -> bool) -> bool {
        let mut known = self.folded.borrow_mut();
        let folded = known.entry(subject).or_insert_with(|| {
            let mut values = Vec::new();
            self.any(subject, |value| {
                values.push(fold_text(value));
                false
            });
            values
        });
        folded.iter().any(test)
    }

    /// Settles kind, aliases, derived fields and time, after all keys have been read
    pub(super) fn settle(&mut self, log: Log<'a>) {
        let id = log.id.as_deref().and_then(|id| id.parse().ok());
        let recognized = recognize(log.channel.as_deref(), log.provider.as_deref(), id);
        let named = log.kind.as_deref().map(|name| self.layout.kind_named(name));
        let (recognized, product, action) = match recognized {
            Some(Recognized { kinds, product, action }) => (Some(kinds), product, action),
            None => (None, None, None),
        };
        self.systems = Systems::from(product).or(log.systems);
        let mut happened = action;
        let mut facts = Facts {
            has_field: false,
            has_object: log.has_object || self.layout.inner.is_none(),
            has_kind: log.has_kind || self.layout.kind_field.is_none(),
            has_time: log.has_time_field() || self.layout.time_field.is_none(),
            is_recognized: recognized.is_some(),
            is_contradicted: false,
        };
        self.kind = match (named, recognized) {
            (Some(named), recognized) => {
                let (kind, implied) = named.unzip();
                happened = action.or(implied.flatten());
                let mut kinds: Vec<EventKind> = kind.into_iter().collect();
                // The kind field does not name the log: keep the logs of channel and provider.
                let logs = recognized.iter().flat_map(|kinds| kinds.iter());
                kinds.extend(logs.filter(|kind| matches!(kind, EventKind::Log(_))).cloned());
                Kind::Known(kinds.into(), self.systems)
            }
            (None, Some(kinds)) => Kind::Known(kinds, self.systems),
            (None, None) => Kind::Unknown,
        };
        if let Some((kind, action)) = &self.layout.given {
            facts.is_contradicted = self.kind.contradicts(kind);
            self.take_kind(kind);
            happened = happened.or(*action);
        }
        for (slot, on, value) in log.aliases {
            let here = match &self.kind {
                Kind::Known(kinds, _) => kinds.contains(on),
                Kind::Unknown => true,
            };
            if here && matches!(self.slots[slot], Slot::Missing) {
                *self.slots.at(slot) = value;
            }
        }
        // Before fields are derived: some are filled whatever the event holds.
        facts.has_field = self.has_some_field();
        self.facts = facts;
        self.layout.derived.fill(&mut self.slots, happened);
        // A W3C log has date and time in separate fields.
        self.time = match (log.time, log.date) {
            (Some((_, time)), Some(date)) if !time.contains(['-', 'T']) => {
                Some(Cow::Owned(format!("{date} {time}")))
            }
            (Some((_, time)), _) => Some(time),
            (None, _) => None,
        };
    }

    /// Whether some slot has a value, other than the one that takes every value
    fn has_some_field(&self) -> bool {
        let mut filled = self.slots.filled();
        filled.any(|slot| {
            self.layout.every != Some(slot) && !matches!(self.slots[slot], Slot::Missing)
        })
    }

    /// Takes the kinds that its shape tells, unless the event or the user says what it is
    pub(super) fn of_kinds(mut self, kinds: &[EventKind]) -> Self {
        if self.kind == Kind::Unknown && !kinds.is_empty() {
            self.kind = Kind::Known(kinds.into(), self.systems);
            self.facts.is_recognized = true;
        }
        self
    }

    /// Replaces the kind that the event names by the given kind; the event's logs stay
    pub(super) fn given(mut self, kind: Option<&EventKind>) -> Self {
        if let Some(kind) = kind {
            self.take_kind(kind);
        }
        self
    }

    fn take_kind(&mut self, kind: &EventKind) {
        let known = if let Kind::Known(kinds, _) = &self.kind { &**kinds } else { &[][..] };
        let logs = known.iter().filter(|other| matches!(other, EventKind::Log(_)));
        self.kind = Kind::Known(logs.chain([kind]).cloned().collect(), self.systems);
    }
}
