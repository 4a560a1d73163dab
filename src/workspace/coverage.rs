//! What the tests of a rule try.
//!
//! In: a rule with its tests. Out: a [`Part`] for each signal, exclusion, level and correlation, and
//! whether some test is about it: an event that the signal finds, that the exclusion takes away, that has
//! the level, or that completes the correlation.

use serde_json::Value;

use super::samples::events_of;
use crate::definition::Expectation;
use crate::ir::{Role, Rule};
use crate::matcher::{Engine, Explainer, Memory, Options};
use crate::source::Span;

/// A part of a rule that tests should try
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The part in words, such as `signal shell_spawn`
    pub what: String,
    /// Where it stands in the file
    pub span: Span,
    /// Whether some test tries it
    pub is_tried: bool,
}

/// The parts of a rule, in its order
pub fn parts(rule: &Rule) -> Vec<Part> {
    let mut parts = Vec::new();
    let tried = Tried::of(rule);
    for (at, signal) in rule.signals.iter().enumerate() {
        let name = &signal.name;
        let is_tried = tried.signals.contains(&at);
        parts.push(Part { what: format!("signal {name}"), span: signal.span, is_tried });
        for (clause, one) in signal.clauses.iter().enumerate() {
            let span = one.expr.tests().first().map_or(signal.span, |test| test.span);
            // An exclusion that the log source implies is no part of the file.
            if one.role == Role::Exclude && span != Span::default() {
                let label = if one.label.is_empty() { "without a note" } else { &one.label };
                let what = format!("exclusion \"{label}\" of {name}");
                let is_tried = tried.exclusions.contains(&(at, clause));
                parts.push(Part { what, span, is_tried });
            }
        }
        for (level, expr) in &signal.cases {
            let span = expr.tests().first().map_or(signal.span, |test| test.span);
            let is_tried = tried.levels.contains(&(at, *level));
            parts.push(Part { what: format!("level {level} of {name}"), span, is_tried });
        }
    }
    for (at, one) in rule.correlations.iter().enumerate() {
        let is_tried = tried.correlations.contains(&at);
        let what = format!("correlation {}", one.name);
        parts.push(Part { what, span: one.span, is_tried });
    }
    parts
}

/// What the tests of a rule try, by index
#[derive(Default)]
struct Tried {
    signals: Vec<usize>,
    exclusions: Vec<(usize, usize)>,
    levels: Vec<(usize, crate::definition::Level)>,
    correlations: Vec<usize>,
}

impl Tried {
    fn of(rule: &Rule) -> Tried {
        let mut tried = Tried::default();
        if rule.tests.is_empty() {
            return tried;
        }
        let engine = Engine::new([rule.clone()], &Options::default());
        let explainer = Explainer::new(rule.clone(), &Options::default());
        for sample in &rule.tests {
            let named = sample.signal.as_ref().map(|signal| signal.value.as_str());
            let correlation = rule.correlations.iter().position(|one| Some(&*one.name) == named);
            if sample.expect != Expectation::NoMatch && sample.expect != Expectation::Alerts(0) {
                tried.correlations.extend(correlation);
            }
            let signal = rule.sampled(sample);
            let kind = signal.map(|at| &rule.signals[at].kind);
            let mut memories = (Memory::default(), Memory::default());
            for event in events_of(rule, sample) {
                let is_asked = |at: usize| signal.is_none_or(|one| one == at);
                let matches = engine.judge_value(&event, kind, &mut memories.0);
                for matched in matches.into_iter().flatten().filter(|one| is_asked(one.signal)) {
                    tried.signals.push(matched.signal);
                    tried.levels.push((matched.signal, matched.level));
                }
                tried.explain(&explainer, (&event, kind), &mut memories.1, is_asked);
            }
        }
        tried
    }

    /// Notes the exclusions that alone take an event away
    fn explain(
        &mut self,
        explainer: &Explainer,
        (event, kind): (&Value, Option<&crate::taxonomy::EventKind>),
        memory: &mut Memory,
        is_asked: impl Fn(usize) -> bool,
    ) {
        let Ok(all) = explainer.explain(event, kind, memory) else { return };
        for (at, one) in all.iter().enumerate().filter(|(at, _)| is_asked(*at)) {
            let clauses = one.clauses.iter().enumerate();
            let failed: Vec<usize> =
                clauses.filter(|(_, tried)| !tried.passes()).map(|(clause, _)| clause).collect();
            let all_exclude =
                failed.iter().all(|clause| one.clauses[*clause].clause.role == Role::Exclude);
            if all_exclude {
                self.exclusions.extend(failed.into_iter().map(|clause| (at, clause)));
            }
        }
    }
}
