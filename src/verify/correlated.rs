//! The rules of Elastic that stand for a correlation.
//!
//! In: the lines of the import file for it. Out: a [`Correlated`], which gives for documents in their
//! order the events that end a sequence or fill a threshold, and a rule for each signal that has a part
//! of a line to itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::elastic::{self, Known};
use super::eql::SequenceJudge;
use super::import::{Imported, check_query, term_combinations, texts};
use crate::ir::{Correlation, CorrelationTest};
use crate::manifest::{Kept, Schedule};
use crate::query::eql::{self, Eql, Step};

/// The rules of a correlation
#[derive(Debug)]
pub(super) struct Correlated {
    /// Index of the correlation
    pub(super) at: usize,
    judges: Vec<Judge>,
}

/// A rule of a correlation, ready to judge documents
#[derive(Debug)]
enum Judge {
    /// Events in an order
    Sequence(SequenceJudge),
    /// A single event that has the keys
    Single(elastic::Rule),
    /// Events that one run counts
    Threshold(elastic::Rule, Threshold),
}

#[derive(Debug)]
struct Threshold {
    fields: Vec<String>,
    events: usize,
    values: Option<(String, usize)>,
    /// When its runs are
    schedule: Schedule,
}

/// A document and its time
pub(super) type Timed = (Timestamp, Value);

impl Correlated {
    /// How many rules stand for a correlation: two for two signals in any order
    pub(super) fn rules_of(one: &Correlation) -> usize {
        if one.test == CorrelationTest::Together { 2 } else { 1 }
    }

    /// Reads the lines of a correlation; an error is a clause without a period
    ///
    /// Also gives the rules of the signals whose events a line asks for apart from others.
    pub(super) fn read(
        one: &Correlation,
        at: usize,
        lines: &[&Value],
        known: &Known,
    ) -> Result<(Correlated, Vec<(usize, Imported)>), String> {
        let (mut judges, mut parts) = (Vec::new(), Vec::new());
        for (place, rule) in lines.iter().enumerate() {
            check_query(rule, known)?;
            let judge = Judge::read(rule, known)?;
            for (signal, rule) in parts_of(one, rule, place == 1) {
                parts.push((signal, Imported::of(&rule, known)?.without_severity()));
            }
            judges.push(judge);
        }
        Ok((Correlated { at, judges }, parts))
    }

    /// The places of the documents that end a sequence, or that a threshold's count includes
    ///
    /// The documents are in the order of time.
    ///
    /// # Errors
    /// When a document has no time.
    pub(super) fn ends(&self, documents: &[Timed]) -> Result<BTreeSet<usize>, String> {
        let mut ends = BTreeSet::new();
        for judge in &self.judges {
            ends.extend(judge.ends(documents)?);
        }
        Ok(ends)
    }
}

/// The signals that a rule asks for apart from others, each with a rule for its events alone
///
/// `turned`: the rule asks for them in the other order.
fn parts_of(one: &Correlation, rule: &Value, turned: bool) -> Vec<(usize, Value)> {
    let mut signals: Vec<usize> = one.signals().collect();
    if turned {
        signals.reverse();
    }
    let with = |kind: &str, query: Value| {
        let mut rule = rule.clone();
        rule["type"] = json!(kind);
        rule["query"] = query;
        rule
    };
    if rule["type"] == "threshold" {
        let only = signals.first().filter(|_| signals.len() == 1);
        return only.map(|at| (*at, with("query", rule["query"].clone()))).into_iter().collect();
    }
    let Some(Ok(Eql::Sequence(sequence))) = rule["query"].as_str().map(eql::parse) else {
        return Vec::new();
    };
    let event = |step: &Step| with("eql", json!(Eql::Event(step.query.clone()).to_string()));
    match sequence.steps.len() == signals.len() {
        true => signals.into_iter().zip(sequence.steps.iter().map(event)).collect(),
        false => Vec::new(),
    }
}

impl Judge {
    fn read(rule: &Value, known: &Known) -> Result<Judge, String> {
        let text = |why: crate::query::Error| why.to_string();
        if rule["type"] == "threshold" {
            let judge = elastic::Rule::of_known(rule, known).map_err(text)?;
            return Ok(Judge::Threshold(judge, Threshold::read(rule)?));
        }
        if rule["type"] != "eql" {
            return Err(format!("a rule of the type {} is about single events", rule["type"]));
        }
        match elastic::sequence_of(rule, known) {
            Ok(judge) => Ok(Judge::Sequence(judge)),
            Err(why) => {
                elastic::Rule::of_known(rule, known).map(Judge::Single).map_err(|_| why.to_string())
            }
        }
    }

    fn ends(&self, documents: &[Timed]) -> Result<BTreeSet<usize>, String> {
        match self {
            Judge::Sequence(judge) => {
                let documents: Vec<Value> = documents.iter().map(|(_, one)| one.clone()).collect();
                let sequences = judge.sequences(&documents).map_err(|why| why.to_string())?;
                Ok(sequences
                    .iter()
                    .filter_map(|events| events.iter().flatten().max().copied())
                    .collect())
            }
            Judge::Single(rule) => {
                let fits = |(_, (_, document)): &(usize, &Timed)| rule.matches(document);
                Ok(documents.iter().enumerate().filter(fits).map(|(at, _)| at).collect())
            }
            Judge::Threshold(rule, threshold) => Ok(threshold.ends(rule, documents)),
        }
    }
}

impl Threshold {
    fn read(rule: &Value) -> Result<Threshold, String> {
        let odd = || "its threshold or its schedule cannot be read".to_owned();
        let whole = |value: &Value| value.as_u64().and_then(|one| usize::try_from(one).ok());
        let said = &rule["threshold"];
        let fields = said["field"].as_array().ok_or_else(odd)?;
        let fields = fields.iter().filter_map(|field| field.as_str().map(ToOwned::to_owned));
        let values = match said["cardinality"].as_array().map(Vec::as_slice) {
            None | Some([]) => None,
            Some([one]) => {
                let field = one["field"].as_str().ok_or_else(odd)?.to_owned();
                Some((field, whole(&one["value"]).ok_or_else(odd)?))
            }
            Some(_) => return Err(odd()),
        };
        let minutes = |key: &str, start: &str| {
            let text = rule[key].as_str()?.strip_prefix(start)?.strip_suffix('m')?;
            text.parse::<u32>().ok()
        };
        let schedule = Schedule {
            frequency: minutes("interval", "").ok_or_else(odd)?,
            period: minutes("from", "now-").ok_or_else(odd)?,
            keeps: Kept::All,
        };
        Ok(Threshold {
            fields: fields.collect(),
            events: whole(&said["value"]).ok_or_else(odd)?,
            values,
            schedule,
        })
    }

    /// The places of the documents in a group that passes in some run
    ///
    /// Runs stand at the multiples of the interval.
    fn ends(&self, rule: &elastic::Rule, documents: &[Timed]) -> BTreeSet<usize> {
        let mut runs: BTreeMap<(i64, Vec<String>), Vec<usize>> = BTreeMap::new();
        let step = i64::from(self.schedule.frequency) * 60_000;
        let back = i64::from(self.schedule.period) * 60_000;
        let matching = documents.iter().enumerate().filter(|(_, (_, one))| rule.matches(one));
        for (at, (time, document)) in matching {
            let time = time.as_millisecond();
            let groups = term_combinations(document, &self.fields);
            // A run sees what is later than its time less the period, and not later than its time.
            let first = time.div_euclid(step) + i64::from(time.rem_euclid(step) > 0);
            let last = (time + back - 1).div_euclid(step);
            for run in first..=last {
                for group in &groups {
                    runs.entry((run, group.clone())).or_default().push(at);
                }
            }
        }
        let passes = |events: &Vec<usize>| {
            let enough = events.len() >= self.events;
            enough
                && self.values.as_ref().is_none_or(|(field, least)| {
                    let values = events.iter().flat_map(|at| texts(&documents[*at].1, field));
                    values.collect::<BTreeSet<String>>().len() >= *least
                })
        };
        runs.into_values().filter(passes).flatten().collect()
    }
}
