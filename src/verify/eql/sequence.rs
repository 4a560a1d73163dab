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
        let mut complete = machines.complete;
        complete.retain(|(keys, chain)| absent::stands(chain, keys, &self.steps, &unwanted, span));
        complete.sort_by_key(|(_, chain)| chain.last().copied());
        let places = |(_, chain): (Keys, Chain)| {
            let mut events = chain.into_iter().map(|moment| order[moment.rank]);
            let place = |step: &Step| if step.absent { None } else { events.next() };
            self.steps.iter().map(place).collect()
        };
        Ok(complete.into_iter().map(places).collect())
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
    let time = leaves(document, "@timestamp").into_iter().find_map(|value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok().map(|time: Timestamp| time.as_millisecond()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    time.ok_or_else(|| Error::new("a document has no `@timestamp`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::index::FieldType;
    use super::*;

    /// `host` and `user` are keywords
    fn types(name: &str) -> Option<FieldType> {
        ["host", "user"].contains(&name).then(|| FieldType::named("keyword")).flatten()
    }

    /// A query, in which `[a]` is `[a where true]`
    fn judge(query: &str) -> Result<SequenceJudge, Error> {
        let query = eql::parse(&query.replace(']', " where true]")).unwrap();
        let eql::Eql::Sequence(sequence) = query else { panic!("no sequence") };
        SequenceJudge::of(&sequence, &Index::new(&types))
    }

    /// Documents such as `a1:5`, of category `a` on host `1` at 5 ms
    fn documents(events: &str) -> Vec<Value> {
        let document = |word: &str| {
            let (name, time) = word.split_once(':').unwrap();
            let (category, host) = name.split_at(1);
            let hosts: Vec<&str> = host.split('+').filter(|host| !host.is_empty()).collect();
            let time: i64 = time.parse().unwrap();
            json!({"@timestamp": time, "event.category": category, "host": hosts})
        };
        events.split(' ').map(document).collect()
    }

    /// The sequences among such documents, as their places; `-` is an absent event
    fn found(query: &str, events: &str) -> String {
        let place = |at: &Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
        let all = judge(query).unwrap().sequences(&documents(events)).unwrap();
        let all = all.iter().map(|one| one.iter().map(place).collect::<Vec<_>>().join(","));
        all.collect::<Vec<_>>().join(" ")
    }

    const TWO: &str = "sequence by host [a] [b]";

    #[test]
    fn events_have_an_order_of_time_then_of_arrival() {
        assert_eq!(found(TWO, "b1:9 a1:5"), "1,0");
        assert_eq!(found(TWO, "a1:5 b1:5") + &found(TWO, "b1:5 a1:5"), "0,1");
        let written = json!([
            {"@timestamp": "2026-01-02T03:04:05.001Z", "event.category": "b", "host": "1"},
            {"@timestamp": "2026-01-02T04:04:05.000+01:00", "event.category": "a", "host": "1"},
        ]);
        let judge = judge(TWO).unwrap();
        let sequences = judge.sequences(written.as_array().unwrap());
        assert_eq!(sequences.unwrap(), [[Some(1), Some(0)]]);
        assert!(judge.sequences(&[json!({})]).is_err());
    }

    #[test]
    fn each_combination_of_keys_has_its_machine() {
        assert_eq!(found(TWO, "a1:0 b2:1 a:2 b:3 b1:4"), "0,4");
        assert_eq!(found(TWO, "ax:0 bX:1"), "", "case counts");
        assert_eq!(found(TWO, "a1+2+1:0 b2:1 b1:2"), "0,1 0,2");
        assert_eq!(found("sequence by ?host [a] [b]", "a:0 b:1 b1:2"), "0,1");
        assert_eq!(found("sequence by ?who [a] [b]", "a1:0 b2:1"), "0,1", "mapped nowhere");
        assert_eq!(found("sequence [a] by host [b] by ?user", "a1:0 b1:1"), "");
    }

    #[test]
    fn a_step_keeps_the_latest_chain_and_uses_it_once() {
        let two = "sequence by host with maxspan=10ms [a] [b]";
        assert_eq!(found(two, "a1:0 a1:1 b1:2 b1:3"), "1,2");
        assert_eq!(found(two, "a1:0 b1:10 a1:20 b1:31 b1:32"), "0,1");
        assert_eq!(found("sequence by host [a] [a]", "a1:0 a1:1 a1:2"), "0,1 1,2");
        let three = "sequence by host with maxspan=5ms [a] [b] [c]";
        assert_eq!(found(three, "a1:0 b1:1 a1:4 b1:5 c1:8"), "2,3,4");
    }

    #[test]
    fn runs_are_steps() {
        let runs = "sequence by host with maxspan=8ms [a] with runs=3";
        assert_eq!(found(runs, "a1:0 a1:4 a1:8 a1:12 a1:20"), "0,1,2 1,2,3");
    }

    #[test]
    fn until_ends_only_what_is_pending() {
        let until = |end: &str| format!("{TWO} until [{end}]");
        assert_eq!(found(&until("e"), "a1:0 e1:1 b1:2"), "");
        assert_eq!(found(&until("e"), "a1:0 e2:1 b1:2 e1:3"), "0,2");
        assert_eq!(found(&until("a"), "a1:0 b1:2"), "", "the event of the earlier step counts");
        assert_eq!(found(&until("b"), "a1:0 b1:2"), "0,1", "that of the later does not");
    }

    #[test]
    fn absent_events_spoil_a_sequence_where_they_stand() {
        let judged =
            |steps, events| found(&format!("sequence by host with maxspan=10ms {steps}"), events);
        assert_eq!(judged("[a] ![x] [b]", "a1:0 x1:1 b1:2 a2:3 x1:4 b2:5"), "3,-,5");
        let before = "x1:0 a1:5 b1:10 x2:11 a2:15 b2:22";
        assert_eq!(judged("![x] [a] [b]", before), "-,4,5");
        assert_eq!(judged("[a] ![x]", "a1:0 x1:10 a2:11 x2:22 a3:23"), "2,- 4,-");
        let around = "x1:0 a1:5 y1:10 x2:20 a2:25 y2:31 x3:40 a3:41";
        assert_eq!(judged("![x] [a] ![y]", around), "-,4,- -,7,-");
    }
}
