//! The steps of a sequence, resolved.
//!
//! In: a sequence as it was written. Out: its steps, each repeated as often as it must run, or why
//! Elasticsearch refuses it. A document enters a step once for each combination of its keys.
//!
//! INVARIANT: all steps have equally many keys, and keys at one place have one type.

use serde_json::Value;

use super::datum;
use super::event::EventJudge;
use super::index::{Column, Index, Kind};
use crate::query::Error;
use crate::query::eql::{self, FieldName};

/// The values of the keys; `None` where an optional key is missing
pub(super) type Keys = Vec<Option<String>>;

/// The most runs of a step
const MOST_RUNS: u32 = 100;

/// One event of a sequence
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) absent: bool,
    query: EventJudge,
    by: Vec<Key>,
}

/// A key; one without a field is optional and mapped in no index
#[derive(Debug, Clone)]
struct Key {
    column: Option<Column>,
    optional: bool,
}

/// The steps of a sequence, and the event that ends it
pub(super) fn steps(
    sequence: &eql::Sequence,
    index: &Index<'_>,
) -> Result<(Vec<Step>, Option<Step>), Error> {
    let mut steps = Vec::new();
    for step in &sequence.steps {
        if !(1..=MOST_RUNS).contains(&step.runs) {
            return Err(Error::new(format!("{} runs of a step are not 1 to 100", step.runs)));
        }
        if step.absent && step.runs > 1 {
            return Err(Error::new("runs of an absent event are not judged here"));
        }
        let resolved = Step::of(step, &sequence.by, index)?;
        steps.extend(std::iter::repeat_n(resolved, step.runs as usize));
    }
    let until = sequence.until.as_ref().map(|step| Step::of(step, &sequence.by, index));
    let until = until.transpose()?;
    if steps.len() < 2 {
        return Err(Error::new("a sequence has fewer than two steps"));
    }
    if steps.iter().all(|step| step.absent) {
        return Err(Error::new("every event of the sequence must be absent"));
    }
    if steps.iter().any(|step| step.absent) && sequence.maxspan.is_none() {
        return Err(Error::new("a sequence with an absent event has no `maxspan`"));
    }
    let all: Vec<&Step> = steps.iter().chain(&until).collect();
    let most = all.iter().map(|step| step.by.len()).max().unwrap_or_default();
    if all.iter().any(|step| step.by.len() != most) {
        return Err(Error::new("the steps of the sequence have not equally many keys"));
    }
    for place in 0..most {
        let mut kinds: Vec<Kind> = all.iter().filter_map(|step| step.by[place].kind()).collect();
        kinds.dedup();
        if kinds.len() > 1 {
            return Err(Error::new("the keys of the steps have different types"));
        }
    }
    Ok((steps, until))
}

impl Key {
    fn of(field: &FieldName, index: &Index<'_>) -> Result<Key, Error> {
        let column = index.column(field)?;
        if column.as_ref().is_some_and(|column| column.kind == Kind::Date) {
            return Err(Error::new(format!("the key `{}` is a time", field.name)));
        }
        Ok(Key { column, optional: field.optional })
    }

    fn kind(&self) -> Option<Kind> {
        self.column.as_ref().map(|column| column.kind)
    }

    /// Its values in a document, each once
    fn values(&self, document: &Value) -> Vec<Option<String>> {
        let data = self.column.iter().flat_map(|column| datum::values(document, column));
        let mut values = Vec::new();
        for value in data.map(|datum| Some(datum.spelled())) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.is_empty() && self.optional { vec![None] } else { values }
    }
}

impl Step {
    fn of(step: &eql::Step, shared: &[FieldName], index: &Index<'_>) -> Result<Step, Error> {
        let by = shared.iter().chain(&step.by).map(|field| Key::of(field, index));
        let query = EventJudge::of(&step.query, index)?;
        Ok(Step { absent: step.absent, query, by: by.collect::<Result<_, Error>>()? })
    }

    /// The combinations of keys under which a document enters this step
    pub(super) fn entries(&self, document: &Value) -> Vec<Keys> {
        if !self.query.matches(document) {
            return Vec::new();
        }
        let mut all: Vec<Keys> = vec![Vec::new()];
        for key in &self.by {
            let values = key.values(document);
            let with = |keys: &Keys, value: &Option<String>| {
                keys.iter().chain([value]).cloned().collect::<Keys>()
            };
            all = all.iter().flat_map(|keys| values.iter().map(move |v| with(keys, v))).collect();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::index::FieldType;
    use super::*;
    use crate::query::eql::{Condition, EventQuery};

    /// `host` and `user` are keywords; `pid` is a number
    fn types(name: &str) -> Option<FieldType> {
        match name {
            "host" | "user" => FieldType::named("keyword"),
            "pid" => FieldType::named("long"),
            _ => None,
        }
    }

    #[test]
    fn what_elasticsearch_refuses_is_an_error() {
        let query = EventQuery { category: None, condition: Condition::All(Vec::new()) };
        let step = |absent, by: &[&str], runs| {
            let by = by.iter().map(|name| FieldName::of(name)).collect();
            eql::Step { absent, query: query.clone(), by, runs }
        };
        let why = |maxspan, list: Vec<eql::Step>| {
            let by = vec![FieldName::of("host")];
            let sequence = eql::Sequence { by, maxspan, steps: list, until: None };
            steps(&sequence, &Index::new(&types)).unwrap_err().message
        };
        let there = |by: &[&str]| step(false, by, 1);
        let gone = || step(true, &[], 1);
        let no_span = why(None, vec![there(&[]), gone()]);
        assert_eq!(no_span, "a sequence with an absent event has no `maxspan`");
        assert_eq!(
            why(Some(1), vec![gone(), gone()]),
            "every event of the sequence must be absent"
        );
        assert_eq!(why(None, vec![there(&[])]), "a sequence has fewer than two steps");
        assert_eq!(why(None, vec![step(false, &[], 101)]), "101 runs of a step are not 1 to 100");
        let uneven = why(None, vec![there(&["user"]), there(&[])]);
        assert_eq!(uneven, "the steps of the sequence have not equally many keys");
        let mixed = why(None, vec![there(&["user"]), there(&["pid"])]);
        assert_eq!(mixed, "the keys of the steps have different types");
        let unmapped = why(None, vec![there(&["who"]), there(&["user"])]);
        assert_eq!(unmapped, "the field `who` is mapped in no index");
    }
}
