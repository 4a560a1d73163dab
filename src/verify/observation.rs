//! An event as both sides see it.
//!
//! In: an event, and its kind if known. Out: an [`Observation`]: for each kind that the event can
//! be, the engine's record of it and Elastic's documents of it. A document is made on first use.

use std::cell::OnceCell;

use serde_json::Value;

use super::pipeline::{Gaps, document, guessed_product};
use super::recordable::holds;
use super::sources;
use crate::matcher::{Record, Recorder};
use crate::taxonomy::{EventKind, Field, Product};

/// Reads events, for each kind with all fields of that kind
#[derive(Debug)]
pub struct Observer(Vec<(EventKind, Recorder)>);

/// One event, as each kind that it can be
#[derive(Debug)]
pub struct Observation {
    /// Whether the event's kind is known; if not, `sides` has every kind
    pub(super) known: bool,
    pub(super) sides: Vec<Side>,
}

/// An event, read as one kind
#[derive(Debug)]
pub(super) struct Side {
    pub(super) kind: EventKind,
    pub(super) record: Record,
    /// Whether the event has a value without a name, which only a text with all values holds
    unnamed: bool,
    /// The operating system that the event's paths suggest, for an event that names none
    guessed: Product,
    documents: [OnceCell<Option<Value>>; Gaps::ALL.len() * Product::ALL.len()],
}

impl Default for Observer {
    fn default() -> Self {
        Observer(sources::kinds().map(|kind| (kind.clone(), Recorder::new(kind))).collect())
    }
}

impl Observer {
    /// Reads an event: as `kind`, or as every kind that it can be
    ///
    /// # Errors
    /// When the value is no object.
    pub fn look(&self, event: &Value, kind: Option<&EventKind>) -> serde_json::Result<Observation> {
        let mut observation = Observation { known: false, sides: Vec::new() };
        for (as_kind, recorder) in &self.0 {
            if kind.is_some_and(|kind| kind != as_kind) {
                continue;
            }
            let record = recorder.read(event, kind)?;
            observation.known = record.kinds.is_some();
            if record.kinds.as_ref().is_none_or(|kinds| kinds.contains(as_kind)) {
                let unnamed = event.get(Field::EVERY.name()).is_some();
                observation.sides.push(Side::new(as_kind.clone(), record, unnamed));
            }
        }
        // A given kind without a vocabulary has no side, but the kind is known.
        observation.known |= kind.is_some();
        Ok(observation)
    }
}

impl Side {
    fn new(kind: EventKind, record: Record, unnamed: bool) -> Side {
        let guessed = guessed_product(&record, &kind);
        Side { kind, record, unnamed, guessed, documents: Default::default() }
    }

    /// Whether a document can hold every value of the event
    pub(super) fn is_held(&self) -> bool {
        let is_rendered = || sources::source(&self.kind).is_some_and(|source| source.rendered);
        (!self.unnamed || is_rendered()) && holds(&self.record, &self.kind)
    }

    /// The operating system of the event; `meant` is that of an event that names none
    pub(super) fn product(&self, meant: Option<Product>) -> Product {
        self.record.product.or(meant).unwrap_or(self.guessed)
    }

    /// The document of the event; `meant` is the operating system of an event that names none
    pub(super) fn document(&self, meant: Option<Product>, gaps: Gaps) -> Option<&Value> {
        let product = self.product(meant);
        let at = Product::ALL.iter().position(|known| *known == product)?;
        let place = at * Gaps::ALL.len() + Gaps::ALL.iter().position(|known| *known == gaps)?;
        let made = || document(&self.record, &self.kind, product, gaps);
        self.documents[place].get_or_init(made).as_ref()
    }
}
