//! Correlations as Kusto.
//!
//! In: the correlations of a rule and the names and columns of its signals. Out: `let` statements,
//! each after the statements it uses. Three forms: "at least n events" needs no join, since in
//! order of time it compares each event with the event n - 1 rows before; "at most n" is counted
//! once per group, over the timespan before the group's last event; the rest is a join within a
//! time window.

use super::columns::{Projected, Role};
use super::context::Planning;
use super::keys::column_of;
use super::lets::Lets;
use crate::backend::Session;
use crate::diagnostic::Cause;
use crate::ir::{Bound, Correlation, CorrelationTest, Fields, Origin, Rule};
use crate::query::kusto::{Expression, Item, JoinKind, Let, Lines, Pipeline, Step, Type};

/// Named rows and their columns
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) name: String,
    pub(super) columns: Vec<Projected>,
}

/// The group of a row: its key values as one text
pub(super) const GROUP: (&str, Type, Role) = ("Group", Type::String, Role::Label);
/// The time of the first event
pub(super) const START: (&str, Type, Role) = ("StartTime", Type::DateTime, Role::Measure);
/// The number of events or values
pub(super) const NUMBER: (&str, Type, Role) = ("Number", Type::Long, Role::Measure);

/// The statements of every correlation, and the rows they name
pub(super) fn statements(
    planning: &mut Planning<'_, '_>,
    signals: &[Rows],
) -> (Vec<Let>, Vec<Rows>) {
    let (rule, time) = (planning.rule, planning.profile.time());
    let Planning { lets, session, .. } = planning;
    let mut done: Vec<Rows> = Vec::new();
    let mut statements = Vec::new();
    for one in &rule.correlations {
        let name = lets.name(&one.name);
        let origin = |origin: &Origin| match origin {
            Origin::Signal(at) => signals[*at].clone(),
            Origin::Correlation(at) => done[*at].clone(),
        };
        let origins: Vec<Rows> = one.origins.iter().map(origin).collect();
        refuse_events_seen_twice(rule, one, session);
        let used = Origin::Correlation(done.len());
        let used = rule.correlations.iter().any(|other| other.origins.contains(&used));
        let plan = Plan { rule, one, time, origins: &origins, name: &name, used };
        let mut own = Vec::new();
        let columns = match &one.test {
            CorrelationTest::InOrder => plan.in_order(&mut own),
            CorrelationTest::Together => plan.together(&mut own, lets, None),
            CorrelationTest::Events(bound) if bound.to.is_some() => {
                plan.rare(&mut own, lets, Expression::call("count", []), *bound)
            }
            CorrelationTest::Values(fields, bound) if bound.to.is_some() => {
                plan.rare(&mut own, lets, distinct(rule, fields), *bound)
            }
            CorrelationTest::Events(bound) => plan.events(&mut own, lets, bound.from),
            // INVARIANT: `unsupported` has refused these.
            CorrelationTest::Origins(_) | CorrelationTest::Numbers(..) => continue,
            CorrelationTest::Values(fields, bound) => {
                plan.together(&mut own, lets, Some((distinct(rule, fields), bound.from)))
            }
        };
        if let Some(first) = own.first_mut() {
            first.comments.push(crate::backend::one_line(&one.title));
        }
        statements.extend(own);
        done.push(Rows { name, columns });
    }
    (statements, done)
}

/// The number of distinct values, or combinations of values; Kusto text is never null, so a missing
/// value is empty text
fn distinct(rule: &Rule, fields: &[Fields]) -> Expression {
    let columns = fields.iter().map(|one| column_of(rule, one, Role::Counted));
    let columns: Vec<String> = columns.collect();
    let there = Expression::all(columns.iter().map(|column| is_there(column)));
    Expression::call("count_distinctif", [joined(&columns), there])
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

fn is_there(column: &str) -> Expression {
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
    pub(super) rule: &'p Rule,
    pub(super) one: &'p Correlation,
    pub(super) time: &'static str,
    pub(super) origins: &'p [Rows],
    pub(super) name: &'p str,
    /// Whether another correlation uses its events
    pub(super) used: bool,
}

impl Plan<'_> {
    /// The time column of an event
    pub(super) fn now(&self) -> Expression {
        Expression::name(self.time)
    }

    pub(super) fn span(&self) -> Expression {
        seconds(self.one.timespan)
    }

    /// The rows that have every key, with their group in a column
    pub(super) fn grouped(&self, rows: Pipeline) -> Pipeline {
        let keys = self.one.keys.iter().map(|key| column_of(self.rule, &key.fields, Role::Key));
        let keys: Vec<String> = keys.collect();
        let group = joined(&keys);
        let there = (!keys.is_empty())
            .then(|| Step::filter(Expression::all(keys.iter().map(|key| is_there(key)))));
        rows.then(there).then([Step::extend([Item::named("Group", group)])])
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
        added: &[(&str, Type, Role)],
    ) -> Vec<Projected> {
        for (name, kind, role) in added {
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
        let columns = self.with(self.columns(), &[GROUP, START]);
        if least <= 1 {
            let start = Step::extend([Item::named("StartTime", self.now())]);
            out.push(Let::new(self.name, self.grouped(self.all()).then([start])));
            return columns;
        }
        let before = |column: &str| {
            Expression::call("prev", [Expression::name(column), Expression::number(least - 1)])
        };
        let same = Expression::name("StartGroup").compare("==", Expression::name("Group"));
        let took = self.now().minus(Expression::name("StartTime"));
        let sorted = [
            Step::sort(["Group", self.time]),
            Step::extend([
                Item::named("StartTime", before(self.time)),
                Item::named("StartGroup", before("Group")),
            ]),
            Step::filter(Expression::all([same, took.compare("<=", self.span())])),
        ];
        if !self.used {
            // No correlation uses these rows, so one row of a group is enough.
            let rows = self.grouped(self.all()).then(sorted);
            out.push(Let::new(self.name, rows.then([Step::project_away(["StartGroup"])])));
            return columns;
        }
        let rows = self.named(out, lets, self.all());
        let by = ["Group", self.time];
        let start = Expression::call("min", [Expression::name("StartTime")]);
        let start = Step::summarize([Item::named("StartTime", start)], by);
        let away = by.map(|column| self.second(column));
        let joined = [
            Step::join(JoinKind::Inner, Pipeline::of(&rows, sorted).then([start]), by),
            Step::project_away(away.iter().map(String::as_str)),
        ];
        out.push(Let::new(self.name, Pipeline::of(&rows, joined)));
        columns
    }

    /// At most n events or values: counted per group over the window before its last event
    fn rare(
        &self,
        out: &mut Vec<Let>,
        lets: &mut Lets,
        count: Expression,
        bound: Bound,
    ) -> Vec<Projected> {
        let window = lets.name(&format!("{}_window", self.name));
        let rows = || self.grouped(self.all());
        let last = Expression::call("max", [self.now()]);
        let last = Step::summarize([Item::named("LastTime", last)], ["Group"]);
        let since = Expression::name("LastTime").minus(self.span());
        let near = rows().then([
            Step::join(JoinKind::Inner, rows().then([last]), ["Group"]),
            Step::filter(self.now().compare(">=", since)),
            Step::project_away(["Group1", "LastTime"]),
        ]);
        out.push(Let::new(&window, near.materialized()));
        let number = |operator, bound: u64| {
            Expression::name("Number").compare(operator, Expression::number(bound))
        };
        let few = match (bound.to, bound.from) {
            (Some(to), from) if to == from => number("==", to),
            (to, from) => {
                let least = (from > 1).then(|| number(">=", from));
                Expression::all(least.into_iter().chain(to.map(|to| number("<=", to))))
            }
        };
        let counted =
            [Step::summarize([Item::named("Number", count)], ["Group"]), Step::filter(few)];
        let joined = [
            Step::join(JoinKind::Inner, Pipeline::of(&window, counted), ["Group"]),
            Step::project_away(["Group1"]),
        ];
        out.push(Let::new(self.name, Pipeline::of(&window, joined)));
        self.with(self.columns(), &[GROUP, NUMBER])
    }
}

/// A timespan as Kusto writes it
fn seconds(seconds: u32) -> Expression {
    Expression::timespan(match seconds {
        s if s % 60 != 0 => format!("{s}s"),
        s => crate::backend::settings::span(s / 60),
    })
}
