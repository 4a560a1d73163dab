//! Joins events within a timespan.
//!
//! In: the rows of a correlation's origins. Out: a join by Microsoft's documented pattern for time
//! windows (Kusto reference, join-time-window.md): the later event is expanded to every time bin
//! that its window touches, the earlier event has one bin, and the join is on bin and group.

use super::columns::{Projected, Role};
use super::correlation::{GROUP, NUMBER, Plan, Rows, START};
use super::lets::Lets;
use crate::query::kusto::{Expression, Item, JoinKind, Let, Lines, Pipeline, Step, Type};

/// The clients of web requests, each with its user agent
const CLIENTS: (&str, Type, Role) = ("Clients", Type::String, Role::Measure);
const BY: [&str; 2] = ["Group", "TimeKey"];

fn name(name: &str) -> Expression {
    Expression::name(name)
}

impl Plan<'_> {
    /// The time bin of an event; a bin is as long as the timespan
    fn bin(&self, time: Expression) -> Expression {
        Expression::call("bin", [time, self.span()])
    }

    /// Expands an event to the time bins that the window before it touches
    fn expanded(&self) -> [Step; 2] {
        let (first, last) = (self.bin(self.now().minus(self.span())), self.bin(self.now()));
        let bins = Expression::call("range", [first, last, self.span()]);
        [Step::extend([Item::named("TimeKey", bins)]), Step::expand("TimeKey", Type::DateTime)]
    }

    /// Keeps pairs whose other event is in the window before this event
    fn near(&self) -> Step {
        let since = self.now().minus(self.span());
        Step::filter(name("OtherTime").between(since, self.now()))
    }

    /// Every origin, or at least so many distinct values, within the timespan
    ///
    /// The rows are the completing events. A column that a completing event lacks shows the largest
    /// value of the other events.
    pub(super) fn together(
        &self,
        out: &mut Vec<Let>,
        lets: &mut Lets,
        values: Option<(Expression, u64)>,
    ) -> Vec<Projected> {
        let counts_values = values.is_some();
        let (counted, least) = match values {
            Some(counted) => counted,
            None => {
                let origins = Expression::call("count_distinct", [name("Origin")]);
                (origins, self.origins.len() as u64)
            }
        };
        let rows = if counts_values { self.all() } else { self.marked() };
        let rows = self.named(out, lets, rows);
        let said = |column: &Projected| matches!(column.role, Role::Label | Role::Measure);
        let shown: Vec<Projected> =
            self.columns().into_iter().filter(|column| !said(column)).collect();
        let others: Vec<&str> = self.missing(&shown).map(|column| column.name.as_str()).collect();
        let clients = self.clients(&shown);
        let found = self.found(&rows, counted, &others, clients.clone());
        let found =
            found.then([Step::filter(name("Number").compare(">=", Expression::number(least)))]);
        let mut steps = vec![Step::join(JoinKind::Inner, found, ["Group", self.time])];
        if !others.is_empty() {
            let fill = others.iter().map(|column| {
                let other = name(&self.second(column));
                Item::named(column, Expression::call("coalesce", [name(column), other]))
            });
            steps.push(Step::extend(fill).on_own_lines());
        }
        let mut away = vec![self.second("Group"), self.second(self.time)];
        away.extend((!counts_values).then(|| "Origin".to_owned()));
        away.extend(others.iter().map(|column| self.second(column)));
        steps.push(Step::project_away(away.iter().map(String::as_str)));
        out.push(Let::new(self.name, Pipeline::of(&rows, steps)));
        let added = [GROUP, START, NUMBER, CLIENTS];
        self.with(shown, &added[..if clients.is_some() { 4 } else { 3 }])
    }

    /// The rows of all origins, each with the number of its origin
    fn marked(&self) -> Pipeline {
        let marked = |(at, rows): (usize, &Rows)| {
            let origin = Expression::number(at as u64);
            Pipeline::of(&rows.name, [Step::extend([Item::named("Origin", origin)])])
        };
        Pipeline::union(self.origins.iter().enumerate().map(marked).collect(), Lines::Fit)
    }

    /// The columns that some origin lacks, which a completing event may fill from another event
    ///
    /// Keys and counted values are always those of the completing event.
    fn missing<'c>(&self, shown: &'c [Projected]) -> impl Iterator<Item = &'c Projected> {
        let everywhere = |column: &Projected| {
            let has = |rows: &Rows| rows.columns.iter().any(|have| have.name == column.name);
            self.origins.iter().all(has)
        };
        shown.iter().filter(move |column| {
            let shows = column.role == Role::Result && column.kind == Type::String;
            shows && !everywhere(column)
        })
    }

    /// Summarizes the window before each distinct time of a group
    fn found(
        &self,
        rows: &str,
        counted: Expression,
        others: &[&str],
        clients: Option<Item>,
    ) -> Pipeline {
        let other = [
            Step::extend([
                Item::named("OtherTime", self.now()),
                Item::named("TimeKey", self.bin(self.now())),
            ]),
            Step::project_away([self.time]),
        ];
        let start = Expression::call("min", [name("OtherTime")]);
        let mut sums = vec![Item::named("StartTime", start), Item::named("Number", counted)];
        let largest = |column: &&str| Item::named(column, Expression::call("max", [name(column)]));
        sums.extend(others.iter().map(largest));
        sums.extend(clients);
        Pipeline::of(rows, [Step::distinct(["Group", self.time])]).then(self.expanded()).then([
            Step::join(JoinKind::Inner, Pipeline::of(rows, other), BY),
            self.near(),
            Step::summarize(sums, ["Group", self.time]).on_own_lines(),
        ])
    }

    /// All clients with their user agents, as one text of at most 100 lines
    fn clients(&self, columns: &[Projected]) -> Option<Item> {
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        (has("ClientIP") && has("UserAgent")).then(|| {
            let parts = [name("ClientIP"), Expression::text(" "), name("UserAgent")];
            let client = Expression::call("strcat", parts);
            let there = Expression::call("isnotempty", [name("ClientIP")]);
            let set = Expression::call("make_set_if", [client, there, Expression::number(100)]);
            let text = Expression::call("strcat_array", [set, Expression::text("\n")]);
            Item::named(CLIENTS.0, text)
        })
    }

    /// Events of each origin in the order of the origins
    ///
    /// The columns are those of the last event, then those that only earlier events have.
    pub(super) fn in_order(&self, out: &mut Vec<Let>) -> Vec<Projected> {
        let mut earlier = self.origins[0].clone();
        let last = self.origins.len() - 1;
        for (at, rows) in self.origins.iter().enumerate().skip(1) {
            let name =
                if at == last { self.name.to_owned() } else { format!("{}_{at}", self.name) };
            let link = Link { rows, earlier: &earlier, first: at == 1, last: at == last };
            let (steps, columns) = self.link(&link);
            out.push(Let::new(&name, steps));
            earlier = Rows { name, columns };
        }
        earlier.columns
    }

    /// Joins the events of an origin to the earlier part of the chain
    fn link(&self, link: &Link<'_>) -> (Pipeline, Vec<Projected>) {
        let Link { rows, earlier, first, last } = link;
        let start = if *first { "OtherTime" } else { "OtherStart" };
        let mine = |column: &&Projected| {
            let taken = rows.columns.iter().any(|have| have.name == column.name);
            !taken && !matches!(column.role, Role::Label | Role::Measure)
        };
        let new: Vec<Projected> = earlier.columns.iter().filter(mine).cloned().collect();
        let mut steps = Vec::new();
        // Drop an inner correlation's StartTime, Number and Clients; this one sets its own.
        let named = |role| {
            let of_role = rows.columns.iter().filter(move |column| column.role == role);
            of_role.map(|column| column.name.as_str())
        };
        if named(Role::Measure).next().is_some() {
            steps.push(Step::project_away(named(Role::Measure)));
        }
        // Another correlation counts these rows, so simultaneous events must stay separate.
        let row = (*last && self.used).then_some("RowNumber");
        if let Some(row) = row {
            let number = Item::named(row, Expression::call("row_number", []));
            steps.extend([Step::sort([self.time]), Step::extend([number])]);
        }
        steps.extend(self.expanded());
        let mut right = vec![
            Item::column("Group"),
            Item::named("TimeKey", self.bin(self.now())),
            Item::named("OtherTime", self.now()),
        ];
        right.extend((!first).then(|| Item::named("OtherStart", name("StartTime"))));
        right.extend(new.iter().map(|column| Item::column(&column.name)));
        let right = self.grouped(Pipeline::of(&earlier.name, [])).then([Step::project(right)]);
        steps.extend([Step::join(JoinKind::Inner, right, BY), self.near()]);
        if !first {
            let since = self.now().minus(self.span());
            steps.push(Step::filter(name("OtherStart").compare(">=", since)));
        }
        let all = self.with(rows.columns.clone(), &[GROUP]);
        let all: Vec<Projected> = all.into_iter().chain(new).collect();
        let clients = self.clients(&all);
        let latest = Expression::call("arg_max", [name(start), Expression::star()]);
        let sums = clients.clone().into_iter().chain([Item::plain(latest)]);
        // Later correlations group by these columns, so they keep simultaneous events separate.
        let kept = rows.columns.iter();
        let kept = kept.filter(|column| matches!(column.role, Role::Key | Role::Counted));
        let kept = kept.map(|column| column.name.as_str());
        let by = ["Group", self.time].into_iter().chain(kept).chain(row);
        steps.push(Step::summarize(sums, by).on_own_lines());
        steps.push(Step::rename("StartTime", start));
        let other = (!first).then_some("OtherTime");
        let away = ["Group1", "TimeKey", "TimeKey1"].into_iter().chain(other).chain(row);
        steps.push(Step::project_away(away));
        let mut columns = self.with(all, &[START]);
        if clients.is_some() {
            columns = self.with(columns, &[CLIENTS]);
        }
        (self.grouped(Pipeline::of(&rows.name, [])).then(steps), columns)
    }
}

/// One step of a chain: the rows of an origin, and the chain before it
struct Link<'l> {
    rows: &'l Rows,
    earlier: &'l Rows,
    first: bool,
    last: bool,
}
