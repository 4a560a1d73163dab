//! Correlations: what they mean.
//!
//! Meaning, the one that the matcher and every target follow: a correlation looks at the events
//! that fit its signals, group by group; a group has equal keys, and an event without one of
//! them is in none. Host names are equal up to their domain and letter case. An event *completes*
//! the correlation when the events of the timespan that ends with it do what the test asks. A
//! count with an upper bound is judged once a group, over the timespan that ends with its last
//! event, and each event in that complete it: rarity is known when all is seen. Sums and the like
//! are of the numbers that the events have; without one there is none. A percentile is the
//! smallest number that so many percent of them do not exceed, the median the 50th. The match is the
//! completing event; a later correlation may group by any field of it. A group is reported once
//! until the timespan is over.

mod condition;
mod lower;

use std::collections::BTreeMap;
use std::fmt;

pub(super) use lower::{lower, lower_one};

use crate::definition::{Comparison, Level};
use crate::source::Span;
use crate::taxonomy::Field;

/// Events that mean something together
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Its name
    pub name: String,
    /// Where the name stands
    pub span: Span,
    /// One line for people
    pub title: String,
    /// How bad a match is
    pub level: Level,
    /// What it looks at, in the author's order
    pub origins: Vec<Origin>,
    /// The signals whose events can complete it
    pub ends: Vec<usize>,
    /// What must be equal
    pub keys: Vec<Key>,
    /// How far apart the events may be, in seconds
    pub timespan: u32,
    /// What the events must do
    pub test: CorrelationTest,
    /// Whether its signals are reported by themselves as well
    pub generate: bool,
}

/// Something that a correlation looks at
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Index into [`Rule::signals`](super::Rule::signals)
    Signal(usize),
    /// Index into [`Rule::correlations`](super::Rule::correlations), of one that stands before
    Correlation(usize),
}

/// A field of each signal, by the signal's index
pub type Fields = BTreeMap<usize, Field>;

/// A value that events of one group share
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The author's name for it
    pub name: String,
    /// What the signals call it
    pub fields: Fields,
}

/// What the events of a correlation must do
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrelationTest {
    /// There is an event of every origin
    Together,
    /// There is an event of every origin, in their order; the same time counts as ordered
    InOrder,
    /// There are so many events
    Events(Bound),
    /// There are events of so many origins
    Origins(Bound),
    /// There are so many different values of a field
    Values(Fields, Bound),
    /// The numbers in a field, measured, compare so; all of the comparisons hold
    Numbers(Measure, Fields, Vec<(Comparison, u64)>),
}

/// What is made of several numbers
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// All added up
    Sum,
    /// Their mean
    Average,
    /// The smallest that so many percent of them do not exceed
    Percentile(u64),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::Sum => f.write_str("sum"),
            Measure::Average => f.write_str("average"),
            Measure::Percentile(percent) => write!(f, "percentile {percent}"),
        }
    }
}

impl CorrelationTest {
    /// The field whose values it looks at, beside the keys
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            CorrelationTest::Values(fields, _) | CorrelationTest::Numbers(_, fields, _) => {
                Some(fields)
            }
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Origins(_) => None,
        }
    }

    /// The same, for changing them
    pub(in crate::ir) fn fields_mut(&mut self) -> Option<&mut Fields> {
        match self {
            CorrelationTest::Values(fields, _) | CorrelationTest::Numbers(_, fields, _) => {
                Some(fields)
            }
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Origins(_) => None,
        }
    }

    /// Whether it asks for few of something, which is known when all is seen
    pub fn is_rare(&self) -> bool {
        match self {
            CorrelationTest::Events(bound)
            | CorrelationTest::Values(_, bound)
            | CorrelationTest::Origins(bound) => bound.to.is_some(),
            CorrelationTest::Numbers(_, _, limits) => limits.iter().any(|(one, _)| match one {
                Comparison::Lt | Comparison::Lte | Comparison::Eq => true,
                Comparison::Gt | Comparison::Gte | Comparison::Neq => false,
            }),
            CorrelationTest::Together | CorrelationTest::InOrder => false,
        }
    }
}

/// How many there must be
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// At least
    pub from: u64,
    /// At most
    pub to: Option<u64>,
}
