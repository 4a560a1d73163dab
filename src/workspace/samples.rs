//! Runs the samples of a rule on the engine.
//!
//! In: a loaded rule. Out: one result per sample, and a diagnostic for each sample that failed. The
//! events of a sample under `signal:` are of that signal's kind.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::Loaded;
use crate::definition::{Expectation, Form, Level, Sample};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::matcher::{Engine, Explainer, Fit, Match, Memory, Options};
use crate::source::Span;
use crate::taxonomy::{Field, aliases};

/// The result of a sample
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleResult {
    /// The rule's title
    pub rule: String,
    /// The sample's name
    pub sample: String,
    /// Whether the engine's verdict is the verdict that the sample expects
    pub passed: bool,
}

/// Runs every sample of a rule; a failed sample becomes a diagnostic
pub fn run(loaded: &Loaded, diagnostics: &mut Diagnostics) -> Vec<SampleResult> {
    if loaded.rule.tests.is_empty() {
        return Vec::new();
    }
    let engine = Engine::new([loaded.rule.clone()], &Options::default());
    let mut results = Vec::new();
    for sample in &loaded.rule.tests {
        let message = format!("test `{}` failed", sample.name.value);
        let source: &Arc<_> = &loaded.rule.source;
        let failed = |span, why| Diagnostic::new(Code::E0802, source, span, message, why);
        let finding = match unreadable(&loaded.rule, sample) {
            Some((span, why)) => Some(failed(span, why).help(FORM)),
            None => {
                let verdict = judge(&engine, &loaded.rule, sample);
                verdict.err().map(|Failed { why, reason }| {
                    let diagnostic = failed(sample.name.span, why);
                    reason.into_iter().fold(diagnostic, Diagnostic::note)
                })
            }
        };
        results.push(SampleResult {
            rule: loaded.rule.metadata.title.value.clone(),
            sample: sample.name.value.clone(),
            passed: finding.is_none(),
        });
        finding.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
    }
    results
}

/// How an event is written
const FORM: &str = "Write an event as its fields, such as `{Image: 'C:\\Windows\\System32\\cmd.exe'}`; a \
                    correlation takes its `time` from a field of that name.";

/// Why an event of a definition's sample shows nothing: none of its fields is one that the rule's
/// events have; with the place of the first of them
///
/// A Sigma rule may be about any field, and a sample of it about a field that is not there.
fn unreadable(rule: &Rule, sample: &Sample) -> Option<(Span, String)> {
    if rule.form != Form::Definition {
        return None;
    }
    let is_known = |name: &str| {
        rule.signals.iter().any(|signal| {
            let field = Field::of_log(name);
            let alias = || {
                let names = signal.kind.field_names().into_iter().map(Field::of_log);
                names.into_iter().any(|field| aliases(&field).any(|(alias, _)| alias == name))
            };
            signal.fields().any(|read| *read == field || *read == Field::EVERY)
                || signal.kind.field_type(&field).is_some()
                || alias()
        })
    };
    let (event, unknown) = sample.events.iter().find_map(|event| {
        let fields = event.value.as_object()?;
        let unknown = !fields.is_empty() && !fields.keys().any(|name| is_known(name));
        unknown.then(|| (event, fields.keys().map(String::as_str).collect::<Vec<_>>()))
    })?;
    let why = format!("no event of this rule has a field {}", unknown.join(" or "));
    Some((first_key(rule, event.span, &unknown), why))
}

/// The place of the key that stands first in an event, or the event where none is found as written
fn first_key(rule: &Rule, event: Span, keys: &[&str]) -> Span {
    let text = rule.source.slice(event);
    let places = keys.iter().filter_map(|key| Some((text.find(&format!("{key}:"))?, key.len())));
    let Some((start, length)) = places.min() else { return event };
    let place = |at: usize| event.start + u32::try_from(at).unwrap_or_default();
    Span { start: place(start), end: place(start + length) }
}

/// Why a sample failed
struct Failed {
    /// What is other than the sample expects
    why: String,
    /// The first reason for a match that is missing
    reason: Option<String>,
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed { why, reason: None }
    }
}

fn judge(engine: &Engine, rule: &Rule, sample: &Sample) -> Result<(), Failed> {
    let named = |name: &str| sample.signal.as_ref().is_some_and(|signal| signal.value == name);
    let signal = rule.sampled(sample);
    if let Some(at) = rule.correlations.iter().position(|one| named(&one.name)) {
        return Ok(judge_together(engine, rule, sample, at)?);
    }
    let kind = signal.map(|at| &rule.signals[at].kind);
    let mut memory = Memory::default();
    let mut alerts = 0;
    for (at, event) in events_of(rule, sample).enumerate() {
        let matches =
            engine.judge_value(&event, kind, &mut memory).map_err(|error| error.to_string())?;
        let matches: Vec<Match> =
            matches.into_iter().filter(|m| signal.is_none_or(|one| one == m.signal)).collect();
        match sample.expect {
            Expectation::Match if matches.is_empty() => {
                let reason = first_reason(rule, sample, (signal, at));
                return Err(Failed { why: unmatched(rule, signal), reason });
            }
            Expectation::NoMatch => {
                if let Some(matched) = matches.first() {
                    let name = &rule.signals[matched.signal].name;
                    let fields: Vec<_> = matched.fields.keys().map(Field::name).collect();
                    return Err(format!("signal {name} matched by {}", fields.join(", ")).into());
                }
            }
            Expectation::Match | Expectation::Alerts(_) => {}
        }
        for matched in &matches {
            right_level(sample, matched.level)?;
            alerts += usize::from(memory.observe(engine, matched).unwrap_or(true));
        }
    }
    Ok(counted(sample, alerts)?)
}

/// The events of a sample, of its signal's kind where it names one
pub(super) fn events_of<'s>(
    rule: &'s Rule,
    sample: &'s Sample,
) -> impl Iterator<Item = Cow<'s, Value>> {
    let signal = rule.sampled(sample).map(|at| &rule.signals[at]);
    sample.events.iter().map(move |event| match signal {
        Some(signal) => Cow::Owned(signal.sample_event(&event.value)),
        None => Cow::Borrowed(&event.value),
    })
}

/// Why the event at this place of a sample does not fit its signal, or the first that looks at it
fn first_reason(
    rule: &Rule,
    sample: &Sample,
    (signal, at): (Option<usize>, usize),
) -> Option<String> {
    let explainer = Explainer::new(rule.clone(), &Options::default());
    let kind = signal.map(|at| &rule.signals[at].kind);
    let mut memory = Memory::default();
    let events: Vec<Cow<'_, Value>> = events_of(rule, sample).take(at + 1).collect();
    let (last, before) = events.split_last()?;
    for event in before {
        explainer.explain(event, kind, &mut memory).ok()?;
    }
    let explained = explainer.explain(last, kind, &mut memory).ok()?;
    let looking = explained.iter().position(|one| one.fit == Fit::Fails).unwrap_or_default();
    let one = explained.get(signal.unwrap_or(looking))?;
    Some(format!("signal {}: {}", one.signal.name, one.reason()))
}

/// Judges a sample of a correlation
fn judge_together(
    engine: &Engine,
    rule: &Rule,
    sample: &Sample,
    correlation: usize,
) -> Result<(), String> {
    let mut memory = Memory::default();
    let mut findings = Vec::new();
    for (at, event) in sample.events.iter().enumerate() {
        let matches = engine.judge_value(&event.value, None, &mut memory);
        for matched in matches.map_err(|error| error.to_string())? {
            findings.extend(memory.take(engine, &matched, (0, at)).1);
        }
    }
    findings.extend(memory.finish(engine));
    let untimed = memory.shortfall().untimed;
    if untimed > 0 {
        return Err(format!("{untimed} of the events have no `time`"));
    }
    let alerts = findings.iter().filter(|one| one.together.correlation == correlation).count();
    let one = &rule.correlations[correlation];
    if alerts > 0 {
        right_level(sample, one.level)?;
    }
    match (sample.expect, alerts) {
        (Expectation::Match, 0) => Err(format!("correlation {} did not match", one.name)),
        (Expectation::NoMatch, 1..) => Err(format!("correlation {} matched", one.name)),
        _ => counted(sample, alerts),
    }
}

fn right_level(sample: &Sample, level: Level) -> Result<(), String> {
    match &sample.level {
        Some(wanted) if wanted.value != level => {
            Err(format!("the level is {level}, not {}", wanted.value))
        }
        _ => Ok(()),
    }
}

fn counted(sample: &Sample, alerts: usize) -> Result<(), String> {
    match sample.expect {
        Expectation::Alerts(wanted) if wanted != alerts => {
            Err(format!("{alerts} alerts, not {wanted}"))
        }
        Expectation::Match | Expectation::NoMatch | Expectation::Alerts(_) => Ok(()),
    }
}

fn unmatched(rule: &Rule, signal: Option<usize>) -> String {
    match signal {
        Some(at) => format!("signal {} did not match", rule.signals[at].name),
        None => "no signal matched".to_owned(),
    }
}
