//! The counts of a set: by target, reason, loss and log source.
//!
//! In: a [`Summary`] of the rows. Out: rows of the tables on the page of the set.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::words::{self, Mark, grouped, percent};
use crate::backend::{Target, Weight};
use crate::workspace::{Outcome, Outcomes, Summary, refused_for};

/// The outcomes on a target
#[derive(Serialize)]
pub(super) struct OnTarget {
    name: &'static str,
    says: &'static str,
    rules: String,
    converted: String,
    percent: usize,
    /// The numbers of rules by outcome, the best first
    outcomes: Vec<OfOutcome>,
}

#[derive(Serialize)]
struct OfOutcome {
    key: &'static str,
    number: String,
    is_any: bool,
    tone: &'static str,
    /// Where its part of the bar begins, and how wide it is, in thousandths
    from: usize,
    width: usize,
}

/// The outcomes on each target
pub(super) fn targets(summary: &Summary, targets: &[Target]) -> Vec<OnTarget> {
    let of = |target: &Target| {
        let outcomes = summary.targets.get(target)?;
        let (rules, converted) = (outcomes.rules(), outcomes.converted());
        let mut before = 0;
        let parts = Outcome::ALL.map(|outcome| {
            let number = outcomes.of(outcome);
            let from = before * 1_000 / rules.max(1);
            before += number;
            let width = before * 1_000 / rules.max(1) - from;
            let (tone, is_any) = (words::outcome(outcome).tone, number > 0);
            OfOutcome { key: outcome.name(), number: grouped(number), is_any, tone, from, width }
        });
        Some(OnTarget {
            name: target.name(),
            says: target.describe(),
            rules: grouped(rules),
            converted: grouped(converted),
            percent: percent(converted, rules),
            outcomes: parts.into(),
        })
    };
    targets.iter().filter_map(of).collect()
}

/// A reason for refusals, or a loss
#[derive(Serialize)]
pub(super) struct Counted {
    target: &'static str,
    rules: String,
    alone: String,
    /// The code of a refusal, or the name of a loss
    name: String,
    says: String,
    mark: Mark,
    sources: String,
}

/// Why rules are refused, by target, the most frequent first
pub(super) fn refusals(summary: &Summary) -> Vec<Counted> {
    let reasons = summary.refusals.iter().map(|one| Counted {
        target: one.what.target.name(),
        rules: grouped(one.rules),
        alone: grouped(one.alone),
        name: one.what.code.to_string(),
        says: refused_for(one.what.code, one.what.cause.as_ref()),
        mark: words::outcome(Outcome::Refused),
        sources: one.most_sources(),
    });
    reasons.collect()
}

/// What rules lose, by target, the heaviest first
pub(super) fn losses(summary: &Summary) -> Vec<Counted> {
    let losses = summary.losses.iter().map(|one| Counted {
        target: one.what.target.name(),
        rules: grouped(one.rules),
        alone: grouped(one.alone),
        name: one.what.name.name().to_owned(),
        says: one.what.name.says().to_owned(),
        mark: weight(one.what.weight),
        sources: one.most_sources(),
    });
    losses.collect()
}

/// The weight of a loss
pub(super) fn weight(weight: Weight) -> Mark {
    let (word, outcome) = match weight {
        Weight::Note => ("note", Outcome::Noted),
        Weight::Warn => ("warn", Outcome::Warned),
        Weight::Deny => ("deny", Outcome::Refused),
    };
    Mark { word: word.to_owned(), ..words::outcome(outcome) }
}

/// A log source with the rules that each target takes
#[derive(Serialize)]
pub(super) struct OfSource {
    name: String,
    cells: Vec<Share>,
}

#[derive(Serialize)]
struct Share {
    converted: String,
    rules: String,
    percent: usize,
    is_whole: bool,
}

/// The log sources, those with most rules first
pub(super) fn sources(summary: &Summary, targets: &[Target]) -> Vec<OfSource> {
    let mut sources: Vec<_> = summary.sources.iter().collect();
    let rules = |of: &BTreeMap<Target, Outcomes>| {
        of.values().map(Outcomes::rules).max().unwrap_or_default()
    };
    sources.sort_by_key(|(name, of)| (Reverse(rules(of)), *name));
    let line = |(name, of): (&String, &BTreeMap<Target, Outcomes>)| {
        let share = |target: &Target| {
            let (part, all) = of.get(target).map_or((0, 0), |one| (one.converted(), one.rules()));
            Share {
                converted: grouped(part),
                rules: grouped(all),
                percent: percent(part, all),
                is_whole: part == all,
            }
        };
        OfSource { name: name.clone(), cells: targets.iter().map(share).collect() }
    };
    sources.into_iter().map(line).collect()
}
