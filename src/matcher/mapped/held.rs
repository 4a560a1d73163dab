//! What rows and documents do not hold of what rules ask for.
//!
//! In: the fields that were read of each log source. Out: [`Unheld`], so that nobody takes a rule for tried
//! whose field a target does not keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::derive::Derived;
use crate::ir::Rule;
use crate::taxonomy::{EventKind, Field};

/// The rules that ask rows and documents for fields which those do not hold
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheld {
    /// The number of such rules
    pub rules: usize,
    /// The names of the fields, each with the number of rules that ask for it
    pub fields: BTreeMap<String, usize>,
}

/// Whether a log source was met
#[derive(Debug, Default)]
pub(super) struct Met(AtomicBool);

impl Met {
    pub(super) fn note(&self) {
        if !self.is() {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The fields that are held, by the name of the log source
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<String, BTreeSet<Field>>);

impl Held {
    /// Adds fields that events of a log source hold
    pub(super) fn add(&mut self, kind: &EventKind, fields: impl Iterator<Item = Field>) {
        self.0.entry(kind.name().to_owned()).or_default().extend(fields);
    }

    /// What is not held of what rules ask for
    pub(super) fn unheld(&self, rules: &[Rule]) -> Unheld {
        let mut all = Unheld::default();
        for rule in rules {
            let signals = rule
                .signals
                .iter()
                .filter_map(|signal| self.0.get(signal.kind.name()).map(|held| (signal, held)));
            let fields = signals.flat_map(|(signal, held)| {
                signal.fields().filter(move |field| !is_held(field, held))
            });
            let fields: BTreeSet<&str> = fields.map(Field::name).collect();
            all.rules += usize::from(!fields.is_empty());
            for field in fields {
                *all.fields.entry(field.to_owned()).or_default() += 1;
            }
        }
        all
    }
}

/// Whether a field is held, or derived of fields that are
fn is_held(field: &Field, held: &BTreeSet<Field>) -> bool {
    *field == Field::EVERY
        || Derived::is_always_there(field)
        || held.contains(field)
        || Derived::tellers(field).iter().any(|teller| held.contains(teller))
        // The start of the parent tells it.
        || field.name() == "GrandparentImage"
}
