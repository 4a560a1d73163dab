//! Elastic's event query language, as Elasticsearch runs it.
//!
//! ```text
//!  Eql ──► prepare (types, constants) ──► Test ──► EventJudge ──► yes or no
//!                                           └────► SequenceJudge ──► sequences
//! ```
//!
//! In: a query, the types of fields, and documents. Out: which documents match, or which sequences
//! there are. A field that may be mapped nowhere is null before any document is looked at.
//!
//! INVARIANT: nothing here uses the rule that the compiler read. A query that Elasticsearch refuses,
//! or that is not judged here, gives an error and never a guess.
//!
//! Source: Elasticsearch, EQL syntax and function references, and its tests of queries; Lucene.

mod absent;
mod datum;
mod event;
mod folded;
mod function;
mod index;
mod pattern;
mod prepare;
mod regexp;
mod sequence;
mod step;
mod term;
mod test;

pub use event::EventJudge;
pub use index::{FieldType, Folding, Index, Kind};
pub use sequence::SequenceJudge;

use crate::query::Error;
use crate::query::eql::Eql;

/// A query, ready to judge documents
#[derive(Debug, Clone)]
pub enum Judge {
    /// A query of single events
    Event(EventJudge),
    /// A query of sequences
    Sequence(SequenceJudge),
}

impl Judge {
    /// Prepares a query for documents of these indices
    ///
    /// # Errors
    /// When Elasticsearch would refuse the query, or a part of it is not judged here.
    pub fn of(query: &Eql, index: &Index<'_>) -> Result<Judge, Error> {
        match query {
            Eql::Event(event) => EventJudge::of(event, index).map(Judge::Event),
            Eql::Sequence(sequence) => SequenceJudge::of(sequence, index).map(Judge::Sequence),
        }
    }
}
