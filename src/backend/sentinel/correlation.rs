//! Correlations as Kusto.
//!
//! In: the correlations of a rule and the names and columns of its signals. Out: `let` statements,
//! each after the statements it uses. Four forms: "at least n events" needs no join, since in
//! order of time it compares each event with the event n - 1 rows before; "at most n" is counted
//! once per group, over the timespan before the group's last event; events in order, and two in any
//! order, are joined one to one; the rest is counted in the window before each event.

use super::columns::{Detail, Projected, Role, Rows};
use super::context::{Planning, own_title};
use super::keys::Keys;
use super::lets::Lets;
use crate::backend::Session;
use crate::diagnostic::Cause;
use crate::ir::{Correlation, CorrelationTest, Fields, Key, Origin, Rule};
use crate::query::kusto::{Expression, Item, JoinKind, Let, Lines, Pipeline, Step, Type};

/// What a correlation without keys groups by: the same in every row
const GROUP: (&str, Type, Role) = ("Group", Type::String, Role::Label);
/// The time of the first event
pub(super) const START: (&str, Type, Role) = ("StartTime", Type::DateTime, Role::Measure);
/// The time of the last event
pub(super) const END: (&str, Type, Role) = ("EndTime", Type::DateTime, Role::Measure);
/// The number of events
pub(super) const EVENTS: (&str, Type, Role) = ("EventCount", Type::Long, Role::Measure);
/// The number of values
pub(super) const VALUES: (&str, Type, Role) = ("ValueCount", Type::Long, Role::Measure);

/// The rows of a correlation that are alerts
#[derive(Debug, Clone)]
pub(super) struct Correlated {
    pub(super) rows: Rows,
    /// The columns whose values the events of a group share
    pub(super) keys: Vec<String>,
    pub(super) alerts: Alerts,
}

/// Which of the rows of a run are alerts
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alerts {
    /// Each row: an event with those that complete it
    Each,
    /// The first row of a group, with the number of its events: this many more than its rows
    FirstOf(u64),
}

/// Whether the statements of correlations read the rows of a signal again, so that they are worth to be kept
///
/// Rarity reads them again as well, but of a whole log.
pub(super) fn reads_again(rule: &Rule, signal: usize) -> bool {
    let uses = rule.correlations.iter().filter(|one| one.origins.contains(&Origin::Signal(signal)));
    // Two events in any order are joined both ways.
    let reads = |one: &Correlation| match one.test {
        CorrelationTest::Together if one.origins.len() == 2 => 2,
        CorrelationTest::Together
        | CorrelationTest::InOrder
        | CorrelationTest::Events(_)
        | CorrelationTest::Origins(_)
        | CorrelationTest::Values(..)
        | CorrelationTest::Numbers(..) => 1,
    };
    uses.map(reads).sum::<usize>() + usize::from(rule.reports_signal(signal)) > 1
}

/// Whether the number that a correlation counts is shown: in an alert of its own, or in that of one that counts
/// its events
fn shows_number(rule: &Rule, at: usize) -> bool {
    let mut uses =
        rule.correlations.iter().filter(|one| one.origins.contains(&Origin::Correlation(at)));
    rule.reports_correlation(at)
        || uses.any(|one| matches!(one.test, CorrelationTest::Events(_)) || one.test.is_rare())
}

/// The statements of every correlation, and the rows they name
pub(super) fn statements(
    planning: &mut Planning<'_, '_>,
    (signals, keys): (&[Rows], &Keys),
) -> (Vec<Let>, Vec<Correlated>) {
    let (rule, time) = (planning.rule, planning.profile.time());
    let Planning { detail, lets, session, .. } = planning;
    let mut done: Vec<Correlated> = Vec::new();
    let mut statements = Vec::new();
    for one in &rule.correlations {
        let name = lets.name(&one.name);
        let origin = |origin: &Origin| match origin {
            Origin::Signal(at) => signals[*at].clone(),
            Origin::Correlation(at) => done[*at].rows.clone(),
        };
        let origins: Vec<Rows> = one.origins.iter().map(origin).collect();
        refuse_events_seen_twice(rule, one, session);
        let used = rule.correlates_again(done.len());
        let events = *detail >= Detail::Events;
        let has_keys = |origin: &Origin| match origin {
            Origin::Signal(_) => false,
            Origin::Correlation(at) => {
                let known = &done[*at].keys;
                one.keys.iter().all(|key| known.contains(&keys.column(&key.fields, Role::Key)))
            }
        };
        let keyed = one.origins.iter().all(has_keys);
        let counts = shows_number(rule, done.len());
        let plan =
            Plan { one, time, origins: &origins, keys, name: &name, used, keyed, events, counts };
        let mut own = Vec::new();
        let (columns, alerts) = match &one.test {
            CorrelationTest::InOrder => (plan.in_order(&mut own), Alerts::Each),
            CorrelationTest::Together => (plan.together(&mut own, lets), Alerts::Each),
            CorrelationTest::Events(bound) if bound.to.is_some() => {
                (plan.rare_events(&mut own, *bound), Alerts::FirstOf(0))
            }
            CorrelationTest::Values(fields, bound) if bound.to.is_some() => {
                (plan.rare_values(&mut own, lets, (fields, *bound)), Alerts::FirstOf(0))
            }
            CorrelationTest::Events(bound) => {
                let columns = plan.events(&mut own, lets, bound.from);
                (columns, Alerts::FirstOf(bound.from.saturating_sub(1)))
            }
            // INVARIANT: `unsupported` has refused these.
            CorrelationTest::Origins(_) | CorrelationTest::Numbers(..) => continue,
            CorrelationTest::Values(fields, bound) => {
                (plan.values(&mut own, lets, fields, bound.from), Alerts::FirstOf(0))
            }
        };
        if let Some(first) = own.first_mut() {
            first.comments.extend(own_title(rule, &one.title));
        }
        statements.extend(own);
        let keys = plan.keys();
        done.push(Correlated { rows: Rows { name, columns }, keys, alerts });
    }
    (statements, done)
}

/// The values of columns as one text
fn joined(columns: &[String]) -> Expression {
    match columns {
        [] => Expression::text(""),
        [only] => Expression::name(only),
        columns => {
            let mut parts = Vec::new();
            for column in columns {
                parts.extend((!parts.is_empty()).then(Expression::unit_separator));
                parts.push(Expression::name(column));
            }
            Expression::call("strcat", parts)
        }
    }
}

pub(super) fn is_there(column: &str) -> Expression {
    Expression::call("isnotempty", [Expression::name(column)])
}

/// Two origins may return the same event; no column identifies it, so it would count twice
fn refuse_events_seen_twice(rule: &Rule, one: &Correlation, session: &mut Session<'_>) {
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
        let label = "two of its signals are of the same events";
        session.refuse(Cause::Correlation, one.span, message, label, help);
    }
}

/// A correlation that is becoming a statement
pub(super) struct Plan<'p> {
    pub(super) one: &'p Correlation,
    pub(super) time: &'static str,
    pub(super) origins: &'p [Rows],
    keys: &'p Keys,
    pub(super) name: &'p str,
    /// Whether another correlation uses its events
    pub(super) used: bool,
    /// Whether its rows are those of correlations that have tested its keys
    pub(super) keyed: bool,
    /// Whether the result shows also the events before the completing one
    pub(super) events: bool,
    /// Whether the result shows how many events or values were counted
    pub(super) counts: bool,
}

impl Plan<'_> {
    /// The time column of an event
    pub(super) fn now(&self) -> Expression {
        Expression::name(self.time)
    }

    pub(super) fn span(&self) -> Expression {
        seconds(self.one.timespan)
    }

    /// The columns that the events of a group share
    pub(super) fn keys(&self) -> Vec<String> {
        match &*self.one.keys {
            [] => vec![GROUP.0.to_owned()],
            keys => {
                let column = |key: &Key| self.keys.column(&key.fields, Role::Key);
                keys.iter().map(column).collect()
            }
        }
    }

    /// The columns of the counted values
    pub(super) fn counted(&self, fields: &[Fields]) -> Vec<String> {
        fields.iter().map(|one| self.keys.column(one, Role::Counted)).collect()
    }

    /// The number of distinct values, or combinations of values; Kusto text is never null, so a missing
    /// value is empty text
    pub(super) fn distinct(&self, fields: &[Fields]) -> Expression {
        let columns = self.counted(fields);
        let there = Expression::all(columns.iter().map(|column| is_there(column)));
        Expression::call("count_distinctif", [joined(&columns), there])
    }

    /// The columns that the events of a group share, and others
    pub(super) fn by(&self, others: &[&str]) -> Vec<String> {
        self.keys().into_iter().chain(others.iter().map(|name| (*name).to_owned())).collect()
    }

    /// The rows that have every key
    pub(super) fn grouped(&self, rows: Pipeline) -> Pipeline {
        rows.then(match (self.one.keys.is_empty(), self.keyed) {
            (true, _) => Some(Step::extend([Item::named(GROUP.0, Expression::text(""))])),
            (false, true) => None,
            (false, false) => {
                Some(Step::filter(Expression::all(self.keys().iter().map(|key| is_there(key)))))
            }
        })
    }

    /// What the rows have beside the columns of their events
    fn group(&self) -> &'static [(&'static str, Type, Role)] {
        if self.one.keys.is_empty() { &[GROUP] } else { &[] }
    }

    /// The rows of all origins
    pub(super) fn all(&self) -> Pipeline {
        match self.origins {
            [only] => Pipeline::of(&only.name, []),
            origins => {
                let legs = origins.iter().map(|rows| Pipeline::of(&rows.name, []));
                Pipeline::union(legs.collect(), Lines::Fit)
            }
        }
    }

    /// The columns of all origins, each once
    pub(super) fn columns(&self) -> Vec<Projected> {
        each_once(self.origins.iter().flat_map(|rows| rows.columns.iter().cloned()))
    }

    pub(super) fn with(
        &self,
        mut columns: Vec<Projected>,
        added: &[(&str, Type, Role)],
    ) -> Vec<Projected> {
        for (name, kind, role) in self.group().iter().chain(added) {
            if !columns.iter().any(|have| have.name == *name) {
                columns.push(Projected::own(name, *kind, *role));
            }
        }
        columns
    }

    /// Binds the grouped rows of all origins to a materialized `let`, since they are used twice
    pub(super) fn named(&self, out: &mut Vec<Let>, lets: &mut Lets, rows: Pipeline) -> String {
        let name = lets.name(&format!("{}_rows", self.name));
        out.push(Let::new(&name, self.grouped(rows).materialized()));
        name
    }

    /// The name that Kusto gives a column from the right side of a join
    pub(super) fn second(&self, column: &str) -> String {
        format!("{column}1")
    }

    /// At least `least` events, from the first to the last within the timespan
    ///
    /// Of simultaneous events each completes the correlation, whatever their order after sorting.
    fn events(&self, out: &mut Vec<Let>, lets: &mut Lets, least: u64) -> Vec<Projected> {
        let columns = self.with(self.columns(), &[START]);
        if least <= 1 {
            let start = Step::extend([Item::named(START.0, self.now())]);
            out.push(Let::new(self.name, self.grouped(self.all()).then([start])));
            return columns;
        }
        let before = |column: &str| {
            Expression::call("prev", [Expression::name(column), Expression::number(least - 1)])
        };
        let by = self.by(&[self.time]);
        let starts: Vec<String> = self.keys().iter().map(|key| format!("Start{key}")).collect();
        let compared = || starts.iter().zip(&by);
        let same = compared()
            .map(|(start, key)| Expression::name(start).compare("==", Expression::name(key)));
        let took = self.now().minus(Expression::name(START.0)).compare("<=", self.span());
        let earlier = compared().map(|(start, key)| Item::named(start, before(key)));
        let sorted = [
            Step::sort(by.iter().map(String::as_str)),
            Step::extend([Item::named(START.0, before(self.time))].into_iter().chain(earlier)),
            Step::filter(Expression::all(same.chain([took]))),
        ];
        if !self.used {
            // No correlation uses these rows, so one row of a group is enough.
            let rows = self.grouped(self.all()).then(sorted);
            let away = Step::project_away(starts.iter().map(String::as_str));
            out.push(Let::new(self.name, rows.then([away])));
            return columns;
        }
        let rows = self.named(out, lets, self.all());
        let by = || by.iter().map(String::as_str);
        let start = Expression::call("min", [Expression::name(START.0)]);
        let start = Step::summarize([Item::named(START.0, start)], by());
        let away: Vec<String> = by().map(|column| self.second(column)).collect();
        let joined = [
            Step::join(JoinKind::Inner, Pipeline::of(&rows, sorted).then([start]), by()),
            Step::project_away(away.iter().map(String::as_str)),
        ];
        out.push(Let::new(self.name, Pipeline::of(&rows, joined)));
        columns
    }
}

/// Columns, of those with one name the first
pub(super) fn each_once(columns: impl IntoIterator<Item = Projected>) -> Vec<Projected> {
    let mut all: Vec<Projected> = Vec::new();
    for column in columns {
        if !all.iter().any(|have| have.name == column.name) {
            all.push(column);
        }
    }
    all
}

/// A timespan as Kusto writes it
fn seconds(seconds: u32) -> Expression {
    Expression::timespan(match seconds {
        s if s % 60 != 0 => format!("{s}s"),
        s => crate::backend::settings::span(s / 60),
    })
}
