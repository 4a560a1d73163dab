//! At most so many events or values: rarity.
//!
//! In: the rows of a correlation's origins and a bound. Out: the events of the groups that keep to it, each
//! group judged over the timespan that ends with its last event, or over the window that the rule names. The
//! rows of the signals are read again for each use: a log is too large to be kept in memory.

use super::columns::{Projected, Role};
use super::correlation::{EVENTS, Plan, VALUES, is_there};
use super::lets::Lets;
use crate::definition::Window;
use crate::ir::{Bound, Fields};
use crate::query::kusto::{Expression, Item, JoinKind, Let, Pipeline, Step, Type};

/// The time of the last event of a group
const LAST_TIME: &str = "LastTime";
/// The time of the last event that has a value
const LAST_SEEN: &str = "LastSeen";

/// The beginning of the window in which an event is
const WINDOW: &str = "Window";

/// What is counted
struct Number {
    /// The column of the number
    column: (&'static str, Type, Role),
    count: Expression,
    /// The least that a group can have: each has an event, and an event may have no value
    least: u64,
}

impl Plan<'_> {
    /// At most n events
    pub(super) fn rare_events(&self, out: &mut Vec<Let>, bound: Bound) -> Vec<Projected> {
        let number = Number { column: EVENTS, count: Expression::call("count", []), least: 1 };
        if self.one.window != Window::Last {
            return self.rare_in_windows(out, number, bound);
        }
        let rows = self.grouped(self.all());
        self.rare(out, (rows, self.time), number, bound)
    }

    /// At most n values: each is counted by the last event that has it, so that few rows are compared
    pub(super) fn rare_values(
        &self,
        out: &mut Vec<Let>,
        lets: &mut Lets,
        (fields, bound): (&[Fields], Bound),
    ) -> Vec<Projected> {
        if self.one.window != Window::Last {
            let count = self.distinct(fields);
            let number = Number { column: VALUES, count, least: 0 };
            return self.rare_in_windows(out, number, bound);
        }
        let columns = self.counted(fields);
        let by = self.by(&columns.iter().map(String::as_str).collect::<Vec<_>>());
        let last = Item::named(LAST_SEEN, latest(self.time));
        let last = Step::summarize([last], by.iter().map(String::as_str));
        let name = lets.name(&format!("{}_values", self.name));
        out.push(Let::new(&name, self.grouped(self.all()).then([last]).materialized()));
        let there = Expression::all(columns.iter().map(|column| is_there(column)));
        let count = Expression::call("countif", [there]);
        let number = Number { column: VALUES, count, least: 0 };
        self.rare(out, (Pipeline::of(&name, []), LAST_SEEN), number, bound)
    }

    /// The events of the groups in which few rows, each at its time, are near the last one
    fn rare(
        &self,
        out: &mut Vec<Let>,
        (rows, time): (Pipeline, &str),
        number: Number,
        bound: Bound,
    ) -> Vec<Projected> {
        let keys = self.keys();
        let keys = || keys.iter().map(String::as_str);
        let since = || Expression::name(LAST_TIME).minus(self.span());
        let last = Step::summarize([Item::named(LAST_TIME, latest(time))], keys());
        let groups = rows.clone().then([
            Step::join(JoinKind::Inner, rows.then([last]), keys()),
            Step::filter(Expression::name(time).compare(">=", since())),
            number.counted(keys().chain([LAST_TIME])),
            Step::filter(few(&number, bound)),
        ]);
        let second: Vec<String> = keys().map(|key| self.second(key)).collect();
        let all = self.with_group();
        let steps = [
            Step::join(JoinKind::Inner, groups, keys()),
            Step::filter(self.now().compare(">=", since())),
            Step::project_away(second.iter().map(String::as_str).chain([LAST_TIME])),
        ];
        out.push(Let::new(self.name, all.then(steps)));
        self.with(self.columns(), &[number.column])
    }

    /// The events of the groups in which few are seen, at all or in a window
    fn rare_in_windows(&self, out: &mut Vec<Let>, number: Number, bound: Bound) -> Vec<Projected> {
        let window = (self.one.window == Window::Each).then(|| {
            let number = Expression::call("bin", [self.now(), self.span()]);
            Step::extend([Item::named(WINDOW, number)])
        });
        let by = self.by(if window.is_some() { &[WINDOW] } else { &[] });
        let by = || by.iter().map(String::as_str);
        let groups = self
            .grouped(self.all())
            .then(window.clone())
            .then([number.counted(by()), Step::filter(few(&number, bound))]);
        let all = self.with_group().then(window.clone());
        let of_window = window.is_some().then_some(WINDOW);
        if !self.counts {
            let away = of_window.map(|column| Step::project_away([column]));
            let steps = [Step::join(JoinKind::LeftSemi, groups, by())];
            out.push(Let::new(self.name, all.then(steps).then(away)));
            return self.with(self.columns(), &[]);
        }
        let second: Vec<String> = by().map(|key| self.second(key)).collect();
        let away = second.iter().map(String::as_str).chain(of_window);
        let steps = [Step::join(JoinKind::Inner, groups, by()), Step::project_away(away)];
        out.push(Let::new(self.name, all.then(steps)));
        self.with(self.columns(), &[number.column])
    }

    /// The rows of all origins, to be joined with groups: no group is without a key, so that the join drops
    /// the rows that have none
    fn with_group(&self) -> Pipeline {
        if self.one.keys.is_empty() { self.grouped(self.all()) } else { self.all() }
    }
}

fn latest(time: &str) -> Expression {
    Expression::call("max", [Expression::name(time)])
}

impl Number {
    /// The step that counts by these columns
    fn counted<'n>(&self, by: impl IntoIterator<Item = &'n str>) -> Step {
        Step::summarize([Item::named(self.column.0, self.count.clone())], by)
    }
}

/// Whether a number is within the bound
fn few(number: &Number, bound: Bound) -> Expression {
    let is = |operator, bound: u64| {
        Expression::name(number.column.0).compare(operator, Expression::number(bound))
    };
    match (bound.to, bound.from) {
        (Some(to), from) if to == from => is("==", to),
        (to, from) => {
            let least = (from > number.least).then(|| is(">=", from));
            Expression::all(least.into_iter().chain(to.map(|to| is("<=", to))))
        }
    }
}
