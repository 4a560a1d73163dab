//! The tests of correlations that a rule brings along.
//!
//! In: a rule. Out: the events of each such test in the order of time, as a sensor would write them, from the
//! beginning of the trial on. A test is left out when it says no time of an event, or has an event that no
//! sensor writes.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::recorded::recorded;
use super::scene::BEGINNING;
use crate::definition::Sample;
use crate::ir::Rule;
use crate::matcher::novelty::timestamp;
use crate::taxonomy::{EventKind, Field};
use crate::verify::trial::{Example, Place};

/// The key of an event's time
const TIME: &str = "time";

/// The events of each test, with their times
pub(super) fn own_series(rule: &Rule) -> Vec<Vec<(Timestamp, Example)>> {
    let is_correlation = |sample: &&Sample| {
        let name = sample.signal.as_ref().map(|name| name.value.as_str());
        rule.correlations.iter().any(|one| Some(one.name.as_str()) == name)
    };
    let tests = rule.tests.iter().enumerate().filter(|(_, sample)| is_correlation(sample));
    tests.filter_map(|(test, sample)| series(rule, test, sample)).collect()
}

fn series(rule: &Rule, test: usize, sample: &Sample) -> Option<Vec<(Timestamp, Example)>> {
    let mut events = Vec::new();
    for (event, value) in sample.events.iter().enumerate() {
        let said = value.value.as_object()?;
        let time = said.get(TIME).and_then(Value::as_str).and_then(timestamp)?;
        let kind = kind_of(rule, said)?;
        let written = Value::Object(recorded(kind, said.clone(), "")?);
        let place = Place::Test { test, event };
        events.push((time, Example { place, event: written, kind: Some(kind.clone()) }));
    }
    events.sort_by_key(|(time, _)| *time);
    let first = events.first()?.0;
    for (time, _) in &mut events {
        *time = BEGINNING + time.duration_since(first);
    }
    Some(events)
}

/// The kind of events, of those that the signals of a rule look at, that has all fields of an event
fn kind_of<'r>(rule: &'r Rule, event: &Map<String, Value>) -> Option<&'r EventKind> {
    let fields = || event.keys().filter(|key| *key != TIME).map(|key| Field::of_log(key));
    let has_all = |kind: &&EventKind| fields().all(|field| kind.field_type(&field).is_some());
    rule.signals.iter().map(|signal| &signal.kind).find(has_all)
}
