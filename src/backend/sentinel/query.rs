//! The plan of a query: signals, novelty, correlations, and what of them is reported.
//!
//! In: a [`Rule`]. Out: a [`QueryView`] for the template, and the [`Shape`] of the result that
//! entity mappings are checked against. Each signal becomes one projection; several are joined by
//! `union`. No time filter stands in a rule that looks at single
//! events: the schedule's lookback does that.

use serde::Serialize;

use super::columns::Projected;
use super::correlation::{self, Rows};
use super::expr::quote;
use super::lets::Lets;
use super::novelty::novelty;
use super::profile::Profile;
use super::schedule::{Schedule, schedule};
use super::settings::Settings;
use super::signal::{self, SignalView};
use crate::backend::settings::span;
use crate::backend::{Losses, one_line};
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

impl QueryView {
    /// Where the characters of a long query are
    pub(super) fn lengths(&self) -> String {
        let lists: usize = self.lets.iter().map(String::len).sum();
        let rest: usize = self.tail.iter().map(String::len).sum();
        let signals = self.signals.iter().map(|signal| {
            format!("{} {}", signal.open.trim_end_matches(['=', ' ']), signal.length())
        });
        let parts: Vec<String> =
            signals.chain([format!("lists {lists}"), format!("the rest {rest}")]).collect();
        format!(
            "Characters: {}.",
            parts.join(", ").replace("let ", "").replace(" = materialize(", "")
        )
    }
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
    pub(super) schedule: Schedule,
}

/// Plans the query of a rule
pub(super) fn plan(
    profile: Profile,
    rule: &Rule,
    settings: &Settings,
    losses: &mut Losses<'_>,
) -> (QueryView, Shape) {
    let mut lets = Lets::default();
    let new = rule.new_terms.as_ref();
    let several = rule.signals.len() > 1 || !rule.correlations.is_empty();
    let named = several || new.is_some();
    let schedule = schedule(profile, rule, settings, losses);
    let (sources, prepared) = signal::sources(profile, rule, &mut lets);
    let mut signals = Vec::new();
    let mut rows: Vec<Rows> = Vec::new();
    for signal in &rule.signals {
        let name = if named { lets.name(&signal.name) } else { String::new() };
        rows.push(Rows { name, columns: Vec::new() });
    }
    for (at, signal) in rule.signals.iter().enumerate() {
        losses.enter(&signal.name);
        let is_new = new.filter(|new| new.signal == at);
        let (mut view, columns) =
            signal::view((profile, rule, at), &sources, is_new, &mut lets, losses);
        // Kusto works out a plain `let` again at each use.
        let again = is_new.is_some() || rule.correlates(at);
        (view.open, view.close) = match (named, again) {
            (false, _) => (String::new(), ""),
            (true, false) => (format!("let {} = ", rows[at].name), ";"),
            (true, true) => (format!("let {} = materialize(", rows[at].name), ");"),
        };
        rows[at].columns = columns;
        signals.push(view);
    }
    let mut tail = Vec::new();
    let mut fresh = None;
    if let Some(new) = new {
        let (columns, name) = (&rows[new.signal].columns, rows[new.signal].name.as_str());
        let what = (profile, rule, new);
        let (mine, lines) = novelty(what, columns, (name, !several), schedule, (&mut lets, losses));
        fresh = mine.map(|mine| (new.signal, mine));
        tail.extend(lines);
    }
    let (lines, correlated) = correlation::statements(profile, rule, &rows, (&mut lets, losses));
    tail.extend(lines);
    // What looks back further than a run must not report again what an earlier run has; a longer
    // period that somebody asks for in a rule of single events is theirs.
    let late = new.is_some() || !rule.correlations.is_empty();
    let recent = |rows: &Rows| match late {
        // A process is older than the alert about it, and the alert is what is new.
        true if rows.columns.iter().any(|column| column.name == "AlertTime") => {
            format!(
                " | where coalesce(AlertTime, {}) >= ago({})",
                profile.time(),
                span(schedule.frequency)
            )
        }
        true => format!(" | where {} >= ago({})", profile.time(), span(schedule.frequency)),
        false => String::new(),
    };
    let mut reported = Vec::new();
    let mut shown: Vec<Projected> = Vec::new();
    for (at, rows) in rows.iter().enumerate().filter(|(at, _)| rule.reports_signal(*at)) {
        shown.extend(rows.columns.iter().cloned());
        reported.push(match &fresh {
            Some((signal, fresh)) if *signal == at => fresh.clone(),
            _ if late => format!("({}{})", rows.name, recent(rows)),
            _ => rows.name.clone(),
        });
    }
    for (at, rows) in correlated.iter().enumerate().filter(|(at, _)| rule.reports_correlation(*at))
    {
        let one = &rule.correlations[at];
        shown.extend(rows.columns.iter().cloned());
        shown.extend(["Signal", "Level"].map(|name| Projected::new(name, "string", name)));
        reported.push(format!(
            "({}{} | summarize arg_min({}, *) by Group | extend Signal = {}, Level = {})",
            rows.name,
            recent(rows),
            profile.time(),
            quote(&one.name),
            quote(one.level.as_str())
        ));
    }
    match &*reported {
        [only] if several => {
            let inner = only.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
            tail.push(inner.unwrap_or(only).replace(" | ", "\n| "));
        }
        reported if several => {
            let short = format!("union {}", reported.join(", "));
            tail.push(match late || short.len() > 100 {
                true => format!("union\n    {}", reported.join(",\n    ")),
                false => short,
            });
        }
        _ => {}
    }
    let mut columns: Vec<String> = Vec::new();
    for column in shown {
        if !columns.contains(&column.name) {
            columns.push(column.name);
        }
    }
    let severity = rule.signals.iter().any(|signal| !signal.cases.is_empty())
        || rule.correlations.iter().any(|one| one.level != rule.level);
    if severity {
        tail.push(severity_column());
        columns.push("Severity".to_owned());
    }
    let kinds = rule.signals.iter().map(|signal| signal.kind).collect();
    let mut heading = vec![one_line(&rule.metadata.title.value)];
    heading.extend(losses.sentences());
    let lets = lets.statements().into_iter().chain(prepared).collect();
    let view = QueryView { heading, lets, signals, tail };
    (view, Shape { profile, columns, kinds, severity, schedule })
}

fn severity_column() -> String {
    "| extend Severity = case(\n    Level in (\"critical\", \"high\"), \"High\",\n    \
     Level == \"medium\", \"Medium\",\n    Level == \"low\", \"Low\",\n    \"Informational\"\n)"
        .to_owned()
}
