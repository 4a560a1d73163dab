//! The plan of a query: signals, novelty, correlations, and what of them is reported.
//!
//! In: a [`Rule`]. Out: a [`QueryView`] for the template, and the [`Shape`] of the result that
//! entity mappings are checked against. Each signal becomes one projection; several are joined by
//! `union`. No time filter stands in a rule that looks at single
//! events: the schedule's lookback does that.

use serde::Serialize;

use super::columns::Projected;
use super::lets::Lets;
use super::novelty::novelty;
use super::profile::Profile;
use super::signal::{self, SignalView};
use crate::backend::Losses;
use crate::ir::Rule;
use crate::taxonomy::EventKind;

/// What the query template shows
#[derive(Debug, Serialize)]
pub(super) struct QueryView {
    heading: Vec<String>,
    lets: Vec<String>,
    signals: Vec<SignalView>,
    tail: Vec<String>,
}

/// What a query returns and how often it must run
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) profile: Profile,
    /// Result columns
    pub(super) columns: Vec<String>,
    /// Kinds of event whose tables it reads
    pub(super) kinds: Vec<EventKind>,
    /// Whether rows carry a severity of their own
    pub(super) severity: bool,
    /// Minutes between runs, minutes looked back
    pub(super) schedule: (u32, u32),
}

/// Minutes between the runs of a rule, unless its window is short
const FREQUENCY: u32 = 60;
/// The longest lookback of an analytic rule (Microsoft, scheduled rules overview): 14 days
pub(super) const LONGEST: u32 = 14 * 24 * 60;

/// Plans the query of a rule
pub(super) fn plan(profile: Profile, rule: &Rule, losses: &mut Losses<'_>) -> (QueryView, Shape) {
    let mut lets = Lets::default();
    let several = rule.signals.len() > 1;
    let new = rule.new_terms.as_ref();
    let named = several || new.is_some();
    let name = |signal: &crate::ir::Signal| match named {
        true => lets.name(&signal.name),
        false => String::new(),
    };
    let names: Vec<String> = rule.signals.iter().map(name).collect();
    let mut signals = Vec::new();
    let mut columns: Vec<Vec<Projected>> = Vec::new();
    for (at, signal) in rule.signals.iter().enumerate() {
        losses.enter(&signal.name);
        let is_new = new.filter(|new| new.signal == at);
        let (mut view, mine) = signal::view(profile, rule, signal, is_new, &mut lets, losses);
        columns.push(mine);
        (view.open, view.close) = match (named, is_new) {
            (false, _) => (String::new(), ""),
            (true, None) => (format!("let {} = ", names[at]), ";"),
            (true, Some(_)) => (format!("let {} = materialize(", names[at]), ");"),
        };
        signals.push(view);
    }
    let frequency =
        new.map_or(FREQUENCY, |new| if new.window >= 2 * FREQUENCY { FREQUENCY } else { 5 });
    let period = new.map_or(FREQUENCY, |new| new.window.max(2 * frequency));
    let mut tail = Vec::new();
    let mut reported = names.clone();
    if let Some(new) = new {
        let (mine, name) = (&columns[new.signal], &names[new.signal]);
        let (fresh, lines) =
            novelty((profile, rule, new), mine, (name, !several), frequency, (&mut lets, losses));
        let recent = format!("{} >= ago({})", profile.time(), span(frequency));
        for (at, name) in reported.iter_mut().enumerate() {
            *name = match &fresh {
                Some(fresh) if at == new.signal => fresh.clone(),
                _ => format!("({name} | where {recent})"),
            };
        }
        tail.extend(lines);
    }
    if several {
        let short = format!("union {}", reported.join(", "));
        tail.push(match new.is_some() || short.len() > 100 {
            true => format!("union\n    {}", reported.join(",\n    ")),
            false => short,
        });
    }
    let mut shown: Vec<String> = Vec::new();
    for column in columns.iter().flatten() {
        if !shown.contains(&column.name) {
            shown.push(column.name.clone());
        }
    }
    let severity = rule.signals.iter().any(|signal| !signal.cases.is_empty());
    if severity {
        tail.push(severity_column());
        shown.push("Severity".to_owned());
    }
    let kinds = rule.signals.iter().map(|signal| signal.kind).collect();
    let mut heading = vec![one_line(&rule.metadata.title.value)];
    heading.extend(losses.sentences());
    let view = QueryView { heading, lets: lets.statements(), signals, tail };
    (view, Shape { profile, columns: shown, kinds, severity, schedule: (frequency, period) })
}

fn severity_column() -> String {
    "| extend Severity = case(\n    Level in (\"critical\", \"high\"), \"High\",\n    \
     Level == \"medium\", \"Medium\",\n    Level == \"low\", \"Low\",\n    \"Informational\"\n)"
        .to_owned()
}

/// Minutes as Kusto and the schedule write them: `5m`, `1h`, `7d`
pub(super) fn span(minutes: u32) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}

/// A comment ends with its line, so nothing in it may end the line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if crate::source::is_unprintable(c) { ' ' } else { c }).collect()
}
