//! An event as both sides see it.
//!
//! In: an event, and the kind it is known to be of. Out: a [`Observation`]: what the engine reads of the
//! event for each kind that it can be, and the documents that Elastic would hold of it. A document
//! is made when it is first asked for.

use std::cell::OnceCell;

use serde_json::Value;

use super::pipeline::{Gaps, document, guessed_product, holds};
use crate::matcher::{Record, Recorder};
use crate::taxonomy::{EventKind, Product};

/// Reads events with every field that their kind has
#[derive(Debug)]
pub struct Observer(Vec<(EventKind, Recorder)>);

/// One event, as each kind that it can be
#[derive(Debug)]
pub struct Observation {
    /// Whether its kind is known; else it is looked at as every kind there is
    pub(super) known: bool,
    pub(super) sides: Vec<Side>,
}

/// An event as one of a kind
#[derive(Debug)]
pub(super) struct Side {
    pub(super) kind: EventKind,
    pub(super) record: Record,
    /// Whether a document can hold all that the event says
    pub(super) held: bool,
    /// Where the event does not say its operating system, what its paths look like
    guessed: Product,
    documents: [OnceCell<Option<Value>>; 2 * Product::ALL.len()],
}

impl Default for Observer {
    fn default() -> Self {
        let vocabulary = EventKind::ALL.iter();
        Observer(vocabulary.map(|kind| (*kind, Recorder::new(*kind))).collect())
    }
}

impl Observer {
    /// Looks at an event, as one of this kind where that is given
    ///
    /// # Errors
    /// When the value is no object.
    pub fn look(&self, event: &Value, kind: Option<EventKind>) -> serde_json::Result<Observation> {
        let mut observation = Observation { known: false, sides: Vec::new() };
        for (as_kind, recorder) in &self.0 {
            if kind.is_some_and(|kind| kind != *as_kind) {
                continue;
            }
            let record = recorder.read(event, kind)?;
            observation.known = record.kinds.is_some();
            if record.kinds.as_ref().is_none_or(|kinds| kinds.contains(as_kind)) {
                observation.sides.push(Side::new(*as_kind, record));
            }
        }
        // A kind without a vocabulary has no document, but it is known.
        observation.known |= kind.is_some();
        Ok(observation)
    }
}

impl Side {
    fn new(kind: EventKind, record: Record) -> Side {
        let guessed = guessed_product(&record, kind);
        let held = holds(&record, kind);
        Side { kind, record, held, guessed, documents: Default::default() }
    }

    /// The document of the event; where it does not say its operating system, `meant` is it
    pub(super) fn document(&self, meant: Option<Product>, gaps: Gaps) -> Option<&Value> {
        let product = self.record.product.or(meant).unwrap_or(self.guessed);
        let at = Product::ALL.iter().position(|known| *known == product)?;
        let place = at * 2 + usize::from(gaps == Gaps::Filled);
        let made = || document(&self.record, self.kind, product, gaps);
        self.documents[place].get_or_init(made).as_ref()
    }
}
