//! Holds a query against the types of its fields.
//!
//! In: an [`Eql`], and what each field is mapped as. Out: all that Elasticsearch, or the loader of
//! Elastic's rules, refuses: names that no index maps, values and operators that a type does not
//! take, regular expressions that Lucene does not read, and sequences that cannot run.
//!
//! INVARIANT: one mistake is one finding. A value with a finding has no kind, and what has no kind
//! fits everywhere, as the constant null does that an optional field without a mapping is.

mod condition;
mod function;
mod kind;
mod regexp;

use std::fmt;

use self::condition::Binder;
pub use self::kind::FieldType;
use super::parse::MOST_RUNS;
use super::tree::{Eql, Sequence, Step};

/// A reason why a query would be refused
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One line, lower case, no final period
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// All that is wrong with a query; `types` says what a field is mapped as, if any index maps it
pub fn bind(query: &Eql, types: &dyn Fn(&str) -> Option<FieldType>) -> Vec<Finding> {
    let mut binder = Binder::new(types);
    if let Eql::Sequence(sequence) = query {
        steps(sequence, &mut binder);
    }
    for event in query.events() {
        binder.condition(&event.condition);
    }
    binder.into_findings()
}

fn steps(sequence: &Sequence, binder: &mut Binder<'_>) {
    let all = || sequence.steps.iter().chain(&sequence.until);
    for key in sequence.by.iter().chain(all().flat_map(|step| &step.by)) {
        binder.field(key);
    }
    let keys = |step: &Step| sequence.by.len() + step.by.len();
    let counts: Vec<usize> = all().map(keys).collect();
    if counts.windows(2).any(|pair| pair[0] != pair[1]) {
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        let counts = counts.join(", ");
        binder.find(format!("the steps have different numbers of keys after `by`: {counts}"));
    }
    for step in all().filter(|step| !(1..=MOST_RUNS).contains(&step.runs)) {
        binder.find(format!("a step has {} runs, which are 1 to {MOST_RUNS}", step.runs));
    }
    let events: u64 = sequence.steps.iter().map(|step| u64::from(step.runs)).sum();
    if events < 2 {
        binder.find("a sequence has two steps at least, or one with two runs");
    }
    if sequence.maxspan == Some(0) {
        binder.find("the time of `maxspan` is longer than nothing");
    }
    let absent = |step: &&Step| step.absent;
    if sequence.steps.iter().any(|step| step.absent) && sequence.maxspan.is_none() {
        binder.find("an event that must be absent needs `maxspan`");
    }
    if !sequence.steps.is_empty()
        && sequence.steps.iter().filter(absent).count() == sequence.steps.len()
    {
        binder.find("one step of a sequence must be an event that is there");
    }
    if sequence.until.iter().any(|step| step.absent) {
        binder.find("the event of `until` cannot be absent");
    }
}

#[cfg(test)]
mod tests;
