//! The manifest of a rule on a target.
//!
//! In: the rule as compiled, and what a backend tells of its files. Out: the [`Manifest`].

use super::{Place, Target, Weight};
use crate::ir::Rule;
use crate::manifest::{
    CorrelationOutput, File, Loss, LossOutput, Manifest, RuleName, Schedule, SignalOutput,
};

/// What a backend tells of its files
pub(super) struct Parts<'a> {
    /// Names with the ids of the target's rules in them
    pub(super) files: Vec<(&'a str, Vec<String>)>,
    /// Where each signal is searched
    pub(super) places: Vec<Place>,
    pub(super) schedule: Option<Schedule>,
    /// The columns of each correlation's keys
    pub(super) keys: Vec<Vec<String>>,
}

pub(super) fn of(
    target: Target,
    rule: &Rule,
    parts: Parts<'_>,
    losses: &[(Loss, Weight)],
) -> Manifest {
    let file = |(name, ids): (&str, Vec<String>)| File { name: name.to_owned(), ids };
    let signals = rule.signals.iter().zip(parts.places).enumerate();
    let signal = |(at, (signal, place))| {
        let Place { rows, searched, mapping }: Place = place;
        let signal: &crate::ir::Signal = signal;
        let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
        SignalOutput {
            name: signal.name.clone(),
            shown: signal.shown.clone(),
            rows,
            tables: searched,
            mapping,
            product: signal.product.map(|product| product.name()),
            reported: rule.reports_signal(at),
            new_terms: new.map(|new| new.window),
        }
    };
    let correlation = |(at, one): (usize, &crate::ir::Correlation)| CorrelationOutput {
        name: one.name.clone(),
        timespan: one.timespan,
        reported: rule.reports_correlation(at),
        keys: parts.keys.get(at).cloned().unwrap_or_default(),
    };
    let loss = |(loss, weight): &(Loss, Weight)| LossOutput {
        name: loss.name,
        direction: loss.direction,
        weight: weight.name(),
        signal: loss.signal.clone(),
        reason: loss.reason.clone(),
        place: rule.source.line_column(loss.span.start),
    };
    Manifest {
        rule: RuleName {
            title: rule.metadata.title.value.clone(),
            id: rule.metadata.id.as_ref().map(|id| id.value.clone()),
        },
        target: target.name(),
        files: parts.files.into_iter().map(file).collect(),
        signals: signals.map(signal).collect(),
        correlations: rule.correlations.iter().enumerate().map(correlation).collect(),
        schedule: parts.schedule,
        losses: losses.iter().map(loss).collect(),
    }
}
