//! Queries of events that follow one another.
//!
//! ```text
//!  documents ──► in order of time ──► one machine for each combination of keys ──► chains
//!                                                         absent events ──► stands ──► sequences
//! ```
//!
//! In: documents in the order of their arrival, with `@timestamp`. Out: the sequences among them, by
//! their last event. Documents of the same millisecond keep the order of their arrival.
//!
//! INVARIANT: a machine keeps one pending chain for each step. A later one replaces it, and the event
//! of the next step uses it up, also when the chain is then refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::absent::{self, Moment, Unwanted};
use super::index::Index;
use super::step::{self, Keys, Step};
use crate::query::Error;
use crate::query::eql;
use crate::verify::elastic::document::leaves;

/// A query of sequences, ready to judge documents
#[derive(Debug, Clone)]
pub struct SequenceJudge {
    steps: Vec<Step>,
    until: Option<Step>,
    maxspan: Option<i64>,
}

/// The events of a sequence so far
type Chain = Vec<Moment>;

/// The machines of all combinations of keys
#[derive(Default)]
struct Machines {
    /// The pending chain of a step that is not absent
    pending: BTreeMap<(Keys, usize), Chain>,
    /// The last event of `until`
    ends: BTreeMap<Keys, Moment>,
    complete: Vec<(Keys, Chain)>,
}

impl SequenceJudge {
    pub(super) fn of(sequence: &eql::Sequence, index: &Index<'_>) -> Result<SequenceJudge, Error> {
        let (steps, until) = step::steps(sequence, index)?;
        let maxspan = sequence.maxspan.map(|span| i64::try_from(span).unwrap_or(i64::MAX));
        Ok(SequenceJudge { steps, until, maxspan })
    }

    /// The sequences among documents in the order of arrival
    ///
    /// Each has the places of its documents, one for each step; `None` stands for an absent event.
    ///
    /// # Errors
    /// When a document has no `@timestamp`, in milliseconds or as RFC 3339 writes it.
    pub fn sequences(&self, documents: &[Value]) -> Result<Vec<Vec<Option<usize>>>, Error> {
        let times: Vec<i64> = documents.iter().map(time).collect::<Result<_, Error>>()?;
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by_key(|at| times[*at]);
        let mut machines = Machines::default();
        let mut unwanted: Unwanted = vec![BTreeMap::new(); self.steps.len()];
        for (rank, at) in order.iter().enumerate() {
            let (moment, document) = (Moment { rank, time: times[*at] }, &documents[*at]);
            for (step, unwanted) in self.steps.iter().zip(&mut unwanted) {
                let entries = if step.absent { step.entries(document) } else { Vec::new() };
                for keys in entries {
                    unwanted.entry(keys).or_default().push(moment);
                }
            }
            self.advance(&mut machines, moment, document);
        }
        let span = self.maxspan.unwrap_or(i64::MAX);
        let mut found = machines.complete;
        found.retain(|(keys, chain)| absent::stands(chain, keys, &self.steps, &unwanted, span));
        found.sort_by_key(|(_, chain)| chain.last().copied());
        let places = |(_, chain): (Keys, Chain)| {
            let mut events = chain.into_iter().map(|moment| order[moment.rank]);
            let place = |step: &Step| if step.absent { None } else { events.next() };
            self.steps.iter().map(place).collect()
        };
        Ok(found.into_iter().map(places).collect())
    }

    /// Lets a document take every step that it can, the last step first
    fn advance(&self, machines: &mut Machines, moment: Moment, document: &Value) {
        let steps: Vec<&Step> = self.steps.iter().filter(|step| !step.absent).collect();
        for (at, step) in steps.iter().enumerate().rev() {
            for keys in step.entries(document) {
                let mut chain = Vec::new();
                if let Some(before) = at.checked_sub(1) {
                    let Some(pending) = machines.pending.remove(&(keys.clone(), before)) else {
                        continue;
                    };
                    if self.is_late(&pending, moment) || machines.is_ended(&keys, &pending) {
                        continue;
                    }
                    chain = pending;
                }
                chain.push(moment);
                if at + 1 == steps.len() {
                    machines.complete.push((keys, chain));
                } else {
                    machines.pending.insert((keys, at), chain);
                }
            }
        }
        // An event that completes a sequence does not end it.
        for keys in self.until.iter().flat_map(|until| until.entries(document)) {
            machines.ends.insert(keys, moment);
        }
    }

    fn is_late(&self, chain: &Chain, moment: Moment) -> bool {
        let span = chain.first().map_or(0, |first| moment.time.saturating_sub(first.time));
        self.maxspan.is_some_and(|maxspan| span > maxspan)
    }
}

impl Machines {
    /// Whether an event of `until` came with or after the last event of the chain
    fn is_ended(&self, keys: &Keys, chain: &Chain) -> bool {
        self.ends.get(keys).is_some_and(|end| chain.last() <= Some(end))
    }
}

/// The time of a document in milliseconds
fn time(document: &Value) -> Result<i64, Error> {
    let found = leaves(document, "@timestamp").into_iter().find_map(|value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok().map(|time: Timestamp| time.as_millisecond()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    found.ok_or_else(|| Error::new("a document has no `@timestamp`"))
}
