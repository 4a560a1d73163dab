//! The meaning of correlations, which the matcher and every target follow.
//!
//! In: the correlations of a definition. Out: [`Correlation`]s over the signals of a rule.
//!
//! Groups: a correlation looks at the events that fit its signals, group by group. The events of a
//! group have equal keys; an event without one of the keys is in no group. Host names are equal up
//! to their domain and letter case.
//!
//! Completion: an event *completes* the correlation when the events of the timespan that ends with
//! it pass the test. A count with an upper bound is judged once per group, over the timespan that
//! ends with the group's last event, and each event in that timespan completes it: rarity is known
//! only when all events are seen. With `window: lookback` it is judged over all events of the group,
//! with `window: each` over those of each timespan from the year 1 on.
//!
//! Numbers: sums and the like use the numbers that the events have; without a number there is no
//! result. A percentile is the smallest number that so many percent of the numbers do not exceed;
//! the median is the 50th percentile.
//!
//! Matches: the match is the completing event, and a later correlation may group by any of its
//! fields. A group is reported once until the timespan is over.

mod condition;
mod lower;

use std::collections::BTreeMap;
use std::fmt;

pub(super) use lower::{lower, lower_one};

use crate::definition::{Comparison, Level, Window};
use crate::source::Span;
use crate::taxonomy::Field;

/// A condition on several events of one group within a timespan
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Name by which other correlations refer to it
    pub name: String,
    /// Span of the name
    pub span: Span,
    /// Title, one line
    pub title: String,
    /// Severity of a match
    pub level: Level,
    /// The signals and correlations it uses, in the author's order
    pub origins: Vec<Origin>,
    /// Indices of the signals whose events can complete it
    pub ends: Vec<usize>,
    /// Fields whose values are equal within a group
    pub keys: Vec<Key>,
    /// How far apart the events may be, in seconds
    pub timespan: u32,
    /// The test that the events of a group must pass
    pub test: CorrelationTest,
    /// Which events of a group the test judges, where it [is of rarity](CorrelationTest::is_rare)
    pub window: Window,
    /// Whether its signals are reported by themselves as well
    pub generate: bool,
}

impl Correlation {
    /// Indices of the signals that it uses by themselves, in the author's order
    pub fn signals(&self) -> impl Iterator<Item = usize> + '_ {
        self.origins.iter().filter_map(|origin| match origin {
            Origin::Signal(at) => Some(*at),
            Origin::Correlation(_) => None,
        })
    }
}

/// A signal, or an earlier correlation, that a correlation uses
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Index into [`Rule::signals`](super::Rule::signals)
    Signal(usize),
    /// Index into [`Rule::correlations`](super::Rule::correlations) of an earlier correlation
    Correlation(usize),
}

/// A field of each signal, by the signal's index
pub type Fields = BTreeMap<usize, Field>;

/// A value that all events of a group share
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The author's name for it
    pub name: String,
    /// The field that holds the value, for each signal
    pub fields: Fields,
}

/// What the events of a correlation must do
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrelationTest {
    /// There is an event of every origin
    Together,
    /// There is an event of every origin, in their order; the same time counts as ordered
    InOrder,
    /// The number of events is within the bound
    Events(Bound),
    /// The number of origins that have an event is within the bound
    Origins(Bound),
    /// The number of different values of a field is within the bound; of several fields, the number
    /// of different combinations. An event without one of the fields has no combination
    Values(Vec<Fields>, Bound),
    /// The measure of the numbers in a field passes every comparison
    Numbers(Measure, Fields, Vec<(Comparison, u64)>),
}

/// A single number computed from several numbers
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The sum of the numbers
    Sum,
    /// The mean of the numbers
    Average,
    /// The smallest number that this many percent of the numbers do not exceed
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
    /// Whether it counts events or values: what it finds is about one event
    pub(crate) fn counts(&self) -> bool {
        matches!(self, CorrelationTest::Events(_) | CorrelationTest::Values(..))
    }

    /// The fields whose values the test reads; none for a test that reads no values
    pub fn fields(&self) -> &[Fields] {
        match self {
            CorrelationTest::Values(fields, _) => fields,
            CorrelationTest::Numbers(_, fields, _) => std::slice::from_ref(fields),
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Origins(_) => &[],
        }
    }

    /// The fields of [`CorrelationTest::fields`], mutable
    pub(in crate::ir) fn fields_mut(&mut self) -> &mut [Fields] {
        match self {
            CorrelationTest::Values(fields, _) => fields,
            CorrelationTest::Numbers(_, fields, _) => std::slice::from_mut(fields),
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Origins(_) => &mut [],
        }
    }

    /// Whether the test has an upper bound or asks for an exact number, which is decided only when
    /// all events are seen
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

/// The bounds of a count, both included
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The least count
    pub from: u64,
    /// The greatest count; `None` is no limit
    pub to: Option<u64>,
}
