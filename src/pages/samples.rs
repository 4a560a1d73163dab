//! The tests of a rule, with what decides each event.
//!
//! In: a sheet. Out: a view a test: its events, whether it passes, and for each event the signals with the
//! reason of the verdict, as `explain` says it.

use serde::Serialize;
use serde_json::Value;

use super::sheet::Sheet;
use crate::definition::{Expectation, Sample};
use crate::workspace::{Decided, decided};

/// A test
#[derive(Serialize)]
pub(super) struct Test {
    name: String,
    passed: bool,
    failure: Vec<String>,
    expects: String,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    number: usize,
    is_one_of_many: bool,
    fields: Vec<(String, String)>,
    verdicts: Vec<Verdict>,
}

#[derive(Serialize)]
struct Verdict {
    signal: String,
    fits: bool,
    why: Vec<Vec<Piece>>,
}

/// A part of a sentence: words of ours, or what stands between backticks
#[derive(Serialize)]
struct Piece {
    is_code: bool,
    text: String,
}

/// A sentence in pieces
///
/// A value with a backtick of its own would swap the pieces, so such a sentence stays whole.
fn pieces(sentence: &str) -> Vec<Piece> {
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Piece { is_code: false, text: sentence.to_owned() }];
    }
    let piece = |(at, text): (usize, &str)| Piece { is_code: at % 2 == 1, text: text.to_owned() };
    parts.into_iter().enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// The tests of a rule, in their order
pub(super) fn tests(sheet: &Sheet<'_>) -> Vec<Test> {
    let rule = &sheet.loaded.rule;
    let mut failures = sheet.failures.iter();
    let all = rule.tests.iter().zip(&sheet.results).zip(decided(rule));
    let all = all.map(|((sample, result), decided)| Test {
        name: sample.name.value.clone(),
        passed: result.passed,
        // INVARIANT: each test that failed has one failure, in the order of the tests.
        failure: if result.passed { None } else { failures.next().cloned() }.into_iter().collect(),
        expects: expects(sample),
        events: events(sample, decided),
    });
    all.collect()
}

fn expects(sample: &Sample) -> String {
    let who = match &sample.signal {
        Some(signal) => signal.value.clone(),
        None => "the rule".to_owned(),
    };
    let level = sample
        .level
        .as_ref()
        .map_or_else(String::new, |level| format!(" at level {}", level.value));
    match sample.expect {
        Expectation::Match => format!("{who} must match{level}"),
        Expectation::NoMatch => format!("{who} must not match"),
        Expectation::Alerts(1) => format!("{who} must raise 1 alert{level}"),
        Expectation::Alerts(number) => format!("{who} must raise {number} alerts{level}"),
    }
}

fn events(sample: &Sample, decided: Vec<Vec<Decided>>) -> Vec<Event> {
    let many = sample.events.len() > 1;
    let all = sample.events.iter().zip(decided).enumerate();
    let all = all.map(|(at, (event, verdicts))| Event {
        number: at + 1,
        is_one_of_many: many,
        fields: fields(&event.value),
        verdicts: verdicts
            .into_iter()
            .map(|Decided { signal, fits, why }| {
                let why = why.iter().map(|one| pieces(one)).collect();
                Verdict { signal, fits, why }
            })
            .collect(),
    });
    all.collect()
}

/// The fields of an event as texts
pub(super) fn fields(event: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let fields = event.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), text(value))).collect()
}
