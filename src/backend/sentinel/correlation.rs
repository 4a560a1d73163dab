//! Correlations as Kusto.
//!
//! In: the correlations of a rule and the names and columns of its signals. Out: a `let` for each,
//! in the order they need each other. Counting events needs no join: in the order of time the
//! event that many before is either near enough or not. What is rare is counted once a group,
//! over the timespan before its last event. The rest is a join within a time window.

use super::columns::Projected;
use super::keys::column_of;
use super::lets::Lets;
use super::profile::Profile;
use crate::backend::Losses;
use crate::ir::{Bound, Correlation, CorrelationTest, Origin, Rule};

/// A name for rows, and the columns they have
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) name: String,
    pub(super) columns: Vec<Projected>,
}

/// The statement of every correlation, and what its rows are called
pub(super) fn statements(
    profile: Profile,
    rule: &Rule,
    signals: &[Rows],
    (lets, losses): (&mut Lets, &mut Losses<'_>),
) -> (Vec<String>, Vec<Rows>) {
    let mut done: Vec<Rows> = Vec::new();
    let mut lines = Vec::new();
    for one in &rule.correlations {
        let name = lets.name(&one.name);
        let origins: Vec<Rows> = one
            .origins
            .iter()
            .map(|origin| match origin {
                Origin::Signal(at) => signals[*at].clone(),
                Origin::Correlation(at) => done[*at].clone(),
            })
            .collect();
        refuse_events_seen_twice(rule, one, losses);
        let used = Origin::Correlation(done.len());
        let used = rule.correlations.iter().any(|other| other.origins.contains(&used));
        let plan = Plan { rule, one, time: profile.time(), origins: &origins, name: &name, used };
        lines.push(format!("// {}", crate::backend::one_line(&one.title)));
        let columns = match &one.test {
            CorrelationTest::InOrder => plan.in_order(&mut lines),
            CorrelationTest::Together => plan.together(&mut lines, lets, None),
            CorrelationTest::Events(bound) if bound.to.is_some() => {
                plan.rare(&mut lines, lets, "count()", *bound)
            }
            CorrelationTest::Values(fields, bound) if bound.to.is_some() => {
                let value = column_of(rule, fields, false);
                plan.rare(&mut lines, lets, &distinct(&value), *bound)
            }
            CorrelationTest::Events(bound) => plan.events(&mut lines, lets, bound.from),
            // INVARIANT: these have been refused before.
            CorrelationTest::Origins(_) | CorrelationTest::Numbers(..) => continue,
            CorrelationTest::Values(fields, bound) => {
                let value = column_of(rule, fields, false);
                plan.together(&mut lines, lets, Some((&value, bound.from)))
            }
        };
        done.push(Rows { name, columns });
    }
    (lines, done)
}

/// Different values; Kusto text is never null, and no value is none
pub(super) fn distinct(value: &str) -> String {
    format!("count_distinctif({value}, isnotempty({value}))")
}

/// A row that two origins give is one event, which no column tells
fn refuse_events_seen_twice(rule: &Rule, one: &Correlation, losses: &mut Losses<'_>) {
    let ends = |origin: &Origin| match origin {
        Origin::Signal(at) => vec![*at],
        Origin::Correlation(at) => rule.correlations[*at].ends.clone(),
    };
    let mut all: Vec<usize> = one.origins.iter().flat_map(ends).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    if matches!(one.test, CorrelationTest::Events(_)) && all.len() < count {
        let message = format!("an event may count twice in `{}`", one.name);
        let help = "Count the events of one signal, or of signals that share none.";
        losses.refuse(one.span, message, "two of its signals are of the same events", help);
    }
}

/// A correlation on its way to a statement
pub(super) struct Plan<'p> {
    pub(super) rule: &'p Rule,
    pub(super) one: &'p Correlation,
    pub(super) time: &'static str,
    pub(super) origins: &'p [Rows],
    pub(super) name: &'p str,
    /// Whether another correlation looks at its events
    pub(super) used: bool,
}

impl Plan<'_> {
    pub(super) fn keys(&self) -> Vec<String> {
        self.one.keys.iter().map(|key| column_of(self.rule, &key.fields, true)).collect()
    }

    /// `TimeGenerated - 1m`
    pub(super) fn span(&self) -> String {
        seconds(self.one.timespan)
    }

    /// Rows that are in a group, with the group as one text
    pub(super) fn grouped(&self, rows: &str, indent: usize) -> String {
        let keys = self.keys();
        let there: Vec<String> = keys.iter().map(|key| format!("isnotempty({key})")).collect();
        let group = match &*keys {
            [] => r#""""#.to_owned(),
            [only] => only.clone(),
            keys => format!("strcat({})", keys.join(r#", "\x1f", "#)),
        };
        let mut lines = vec![rows.to_owned()];
        if !there.is_empty() {
            lines.push(format!("| where {}", there.join(" and ")));
        }
        lines.push(format!("| extend Group = {group}"));
        lines.join(&format!("\n{}", " ".repeat(indent)))
    }

    /// The rows of all origins
    pub(super) fn all(&self) -> String {
        match self.origins {
            [only] => only.name.clone(),
            origins => {
                let names: Vec<&str> = origins.iter().map(|rows| rows.name.as_str()).collect();
                format!("union {}", names.join(", "))
            }
        }
    }

    /// The columns of all origins, each once
    pub(super) fn columns(&self) -> Vec<Projected> {
        let mut all: Vec<Projected> = Vec::new();
        for column in self.origins.iter().flat_map(|rows| &rows.columns) {
            if !all.iter().any(|have| have.name == column.name) {
                all.push(column.clone());
            }
        }
        all
    }

    pub(super) fn with(
        &self,
        mut columns: Vec<Projected>,
        added: &[(&str, &'static str)],
    ) -> Vec<Projected> {
        for (name, kind) in added {
            if !columns.iter().any(|have| have.name == *name) {
                columns.push(Projected::new(name, kind, name));
            }
        }
        columns
    }

    /// Names the grouped rows of all origins, which are then used more than once
    pub(super) fn named(&self, lines: &mut Vec<String>, lets: &mut Lets, rows: &str) -> String {
        let name = lets.name(&format!("{}_rows", self.name));
        lines.push(format!("let {name} = materialize({});", self.grouped(rows, 0)));
        name
    }

    /// So many events, the last of them no later than the timespan after the first
    ///
    /// Of events at the same time every one completes it, wherever sorting has put it.
    fn events(&self, lines: &mut Vec<String>, lets: &mut Lets, least: u64) -> Vec<Projected> {
        let time = self.time;
        if least <= 1 {
            lines.push(format!("let {} = {}", self.name, self.grouped(&self.all(), 0)));
            lines.push(format!("| extend StartTime = {time};"));
            return self.with(self.columns(), &[("Group", "string"), ("StartTime", "datetime")]);
        }
        let (before, span) = (least - 1, self.span());
        let sorted = [
            format!("| sort by Group asc, {time} asc"),
            format!(
                "| extend StartTime = prev({time}, {before}), StartGroup = prev(Group, {before})"
            ),
            format!("| where StartGroup == Group and {time} - StartTime <= {span}"),
        ];
        let own = [("Group", "string"), ("StartTime", "datetime")];
        if !self.used {
            // One row of a group is enough.
            lines.push(format!("let {} = {}", self.name, self.grouped(&self.all(), 0)));
            lines.extend(sorted);
            lines.push("| project-away StartGroup;".to_owned());
            return self.with(self.columns(), &own);
        }
        let rows = self.named(lines, lets, &self.all());
        lines.extend([
            format!("let {} = {rows}", self.name),
            "| join kind=inner (".to_owned(),
            format!("    {rows}"),
        ]);
        lines.extend(sorted.iter().map(|line| format!("    {line}")));
        lines.extend([
            format!("    | summarize StartTime = min(StartTime) by Group, {time}"),
            format!(") on Group, {time}"),
            format!("| project-away Group1, {time}1;"),
        ]);
        self.with(self.columns(), &own)
    }

    /// Few events, or values: counted once a group
    fn rare(
        &self,
        lines: &mut Vec<String>,
        lets: &mut Lets,
        count: &str,
        bound: Bound,
    ) -> Vec<Projected> {
        let (time, span) = (self.time, self.span());
        let window = lets.name(&format!("{}_window", self.name));
        let rows = |indent| self.grouped(&self.all(), indent);
        lines.push(format!("let {window} = materialize({}", rows(0)));
        lines.push("| join kind=inner (".to_owned());
        lines.push(format!("    {}", rows(4)));
        lines.push(format!("    | summarize LastTime = max({time}) by Group"));
        lines.push(") on Group".to_owned());
        lines.push(format!("| where {time} >= LastTime - {span}"));
        lines.push("| project-away Group1, LastTime);".to_owned());
        let least = (bound.from > 1).then(|| format!("Number >= {}", bound.from));
        let most = bound.to.map(|to| format!("Number <= {to}"));
        let few = match (bound.to, bound.from) {
            (Some(to), from) if to == from => format!("Number == {to}"),
            _ => least.into_iter().chain(most).collect::<Vec<_>>().join(" and "),
        };
        lines.push(format!("let {} = {window}", self.name));
        lines.push("| join kind=inner (".to_owned());
        lines.push(format!("    {window}"));
        lines.push(format!("    | summarize Number = {count} by Group"));
        lines.push(format!("    | where {few}"));
        lines.push(") on Group".to_owned());
        lines.push("| project-away Group1;".to_owned());
        self.with(self.columns(), &[("Group", "string"), ("Number", "long")])
    }
}

/// Columns that a correlation says of itself
pub(super) fn is_own(name: &str) -> bool {
    matches!(name, "Group" | "Number" | "StartTime" | "Clients" | "Signal" | "Level")
}

/// A timespan as Kusto writes it
fn seconds(seconds: u32) -> String {
    match seconds {
        s if s % 60 != 0 => format!("{s}s"),
        s => crate::backend::settings::span(s / 60),
    }
}
