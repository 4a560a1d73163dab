//! Samples: events a rule must match, or must not.
//!
//! In: an entry of `tests:`. Out: a [`Sample`] with its events as JSON, so that the matcher reads
//! them exactly as it reads recorded events.

use serde::Deserialize;
use serde_json::Value;

use super::keys;
use super::metadata::{self, Level};
use crate::diagnostic::Code;
use crate::source::{Span, Spanned};
use crate::yaml::Node;
use crate::yaml::Reader;

/// A test of a rule
#[derive(Debug, Clone)]
pub struct Sample {
    /// The behaviour that the sample shows, in one line
    pub name: Spanned<String>,
    /// The signal or correlation under test; `None` means all signals
    pub signal: Option<Spanned<String>>,
    /// One event for the condition, or several for `new_terms` or a correlation
    pub events: Vec<Spanned<Value>>,
    /// The expected result
    pub expect: Expectation,
    /// The level that the match must have
    pub level: Option<Spanned<Level>>,
}

/// The expected result of a sample
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The one event matches
    Match,
    /// The one event does not match
    NoMatch,
    /// The events, in the order written, raise this number of alerts
    Alerts(usize),
}

/// The words of `expect:`
pub(crate) const EXPECTATIONS: &[(&str, Expectation)] =
    &[("match", Expectation::Match), ("none", Expectation::NoMatch)];

/// Reads an entry of `tests:`
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Sample> {
    if reader.known_keys(node, "a test", keys::names("test")).is_empty() {
        return None;
    }
    let Some(name) = node.get("name") else {
        reader.missing_key(node.span, "this test", "name");
        return None;
    };
    let name = reader.text(name, "`name`")?;
    let signal = node.get("signal").and_then(|signal| reader.text(signal, "`signal`"));
    let level = node.get("level").and_then(|level| metadata::level(reader, level));
    let (events, expect) = match (node.get("event"), node.get("events")) {
        (Some(one), None) => {
            if let Some(alerts) = node.get("alerts") {
                wrong(reader, alerts.span, "`alerts` counts over `events`, not over one `event`");
            }
            let expect = match node.get("expect") {
                None => Expectation::Match,
                Some(word) => expectation(reader, word)?,
            };
            (vec![event(reader, one)?], expect)
        }
        (None, Some(many)) => {
            let items = reader.list(many, "`events`");
            let events: Vec<_> = items.iter().filter_map(|item| event(reader, item)).collect();
            let Some(alerts) = node.get("alerts") else {
                reader.missing_key(node.span, "a test with `events`", "alerts");
                return None;
            };
            (events, Expectation::Alerts(count(reader, alerts)?))
        }
        _ => {
            reader.missing_key(node.span, "this test", "event");
            return None;
        }
    };
    Some(Sample { name, signal, events, expect, level })
}

fn expectation(reader: &mut Reader<'_>, node: &Node) -> Option<Expectation> {
    let word = EXPECTATIONS.iter().find(|(word, _)| node.text() == Some(word));
    if word.is_none() {
        wrong(reader, node.span, "`expect` is neither `match` nor `none`");
    }
    word.map(|(_, expectation)| *expectation)
}

fn count(reader: &mut Reader<'_>, node: &Node) -> Option<usize> {
    let number = node.text().and_then(|text| text.parse().ok());
    if number.is_none() {
        wrong(reader, node.span, "`alerts` is not a number");
    }
    number
}

fn wrong(reader: &mut Reader<'_>, span: Span, message: &str) {
    reader.error(Code::E0112, span, message.to_owned(), "unknown word");
}

fn event(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Value>> {
    if reader.map(node, "an event").is_empty() {
        return None;
    }
    match Value::deserialize(node) {
        Ok(value) => Some(Spanned::new(value, node.span)),
        Err(error) => {
            reader.error(Code::E0108, node.span, format!("not an event: {error}"), "unreadable");
            None
        }
    }
}
