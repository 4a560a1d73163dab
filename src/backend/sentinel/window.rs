//! Counts in the window before each event.
//!
//! In: the rows of a correlation's origins. Out: a join by Microsoft's documented pattern for time
//! windows (Kusto reference, join-time-window.md): the later event is expanded to every time bin
//! that its window touches, the earlier event has one bin, and the join is on bin and keys.

use super::columns::{Projected, Role, Rows};
use super::correlation::{Plan, START, VALUES, is_there};
use super::keys::pascal;
use super::lets::Lets;
use crate::ir::Fields;
use crate::query::kusto::{Expression, Item, JoinKind, Let, Lines, Pipeline, Step, Type};

/// The time bins of an event
pub(super) const BIN: &str = "TimeKey";
/// The clients of web requests, each with its user agent
pub(super) const CLIENTS: (&str, Type, Role) = ("Clients", Type::String, Role::Measure);
/// The time of another event, and what says which origin it is of
const OTHER: &str = "OtherTime";
const ORIGIN: &str = "Origin";
const EVENT: &str = "Event";
/// The most values or events that an alert shows
const SHOWN: u32 = 100;
const SHOWN_EVENTS: u32 = 10;

fn name(name: &str) -> Expression {
    Expression::name(name)
}

/// A set of the values for which a condition holds
fn set(value: Expression, condition: Expression, most: u32) -> Expression {
    Expression::call("make_set_if", [value, condition, Expression::number(most)])
}

impl Plan<'_> {
    /// The time bin of an event; a bin is as long as the timespan
    pub(super) fn bin(&self, time: Expression) -> Expression {
        Expression::call("bin", [time, self.span()])
    }

    /// Expands an event to the time bins that the window before it touches
    pub(super) fn expanded(&self) -> [Step; 2] {
        let (first, last) = (self.bin(self.now().minus(self.span())), self.bin(self.now()));
        let bins = Expression::call("range", [first, last, self.span()]);
        [Step::extend([Item::named(BIN, bins)]), Step::expand(BIN, Type::DateTime)]
    }

    /// At least so many distinct values within the timespan; the rows are the completing events
    pub(super) fn values(
        &self,
        out: &mut Vec<Let>,
        lets: &mut Lets,
        fields: &[Fields],
        least: u64,
    ) -> Vec<Projected> {
        let rows = self.named(out, lets, self.all());
        let mut sums = vec![Item::named(VALUES.0, self.distinct(fields))];
        let mut added = vec![START, VALUES];
        let sets: Vec<(String, String)> =
            self.counted(fields).into_iter().map(|column| (format!("{column}s"), column)).collect();
        for (plural, column) in &sets {
            sums.push(Item::named(plural, set(name(column), is_there(column), SHOWN)));
            added.push((plural, Type::Dynamic, Role::Measure));
        }
        self.reached(out, &rows, (sums, VALUES.0, least), &[]);
        self.with_clients(&added)
    }

    /// Every origin within the timespan; the rows are the completing events
    ///
    /// The events of each origin stand in a column of their own, whole, so that no two are mixed.
    pub(super) fn together(&self, out: &mut Vec<Let>, lets: &mut Lets) -> Vec<Projected> {
        if let [first, second] = self.origins {
            return self.pair(out, lets, [first, second]);
        }
        let rows = self.named(out, lets, self.marked());
        let origins = Expression::call("count_distinct", [name(ORIGIN)]);
        let mut sums = vec![Item::named(ORIGIN, origins)];
        let shown = self.origins.iter().filter(|_| self.events);
        let shown: Vec<String> = shown.map(|one| pascal(&one.name, "Events")).collect();
        for (at, column) in shown.iter().enumerate() {
            let is_it = name(ORIGIN).compare("==", Expression::number(at as u64));
            sums.push(Item::named(column, set(name(EVENT), is_it, SHOWN_EVENTS)));
        }
        let least = self.origins.len() as u64;
        let origin = self.second(ORIGIN);
        let mut away = vec![ORIGIN, &origin];
        away.extend(self.events.then_some(EVENT));
        self.reached(out, &rows, (sums, &origin, least), &away);
        let mut added = vec![START];
        added.extend(shown.iter().map(|one| (one.as_str(), Type::Dynamic, Role::Measure)));
        self.with_clients(&added)
    }

    /// The rows of all origins, each with the number of its origin and with its event
    fn marked(&self) -> Pipeline {
        let marked = |(at, rows): (usize, &Rows)| {
            let said = rows.columns.iter().filter(|column| column.role == Role::Result);
            let parts = said.flat_map(|one| [Expression::text(&one.name), name(&one.name)]);
            let event = Item::named(EVENT, Expression::call("bag_pack", parts));
            let origin = Item::named(ORIGIN, Expression::number(at as u64));
            let items = [origin].into_iter().chain(self.events.then_some(event));
            Pipeline::of(&rows.name, [Step::extend(items).on_own_lines()])
        };
        Pipeline::union(self.origins.iter().enumerate().map(marked).collect(), Lines::Own)
    }

    /// Keeps the events in whose window a number is reached, with what is summed up there
    fn reached(
        &self,
        out: &mut Vec<Let>,
        rows: &str,
        (sums, number, least): (Vec<Item>, &str, u64),
        away: &[&str],
    ) {
        let by = self.by(&[self.time]);
        let by = || by.iter().map(String::as_str);
        let second: Vec<String> = by().map(|column| self.second(column)).collect();
        let enough = name(number).compare(">=", Expression::number(least));
        let away = second.iter().map(String::as_str).chain(away.iter().copied());
        let steps = [
            Step::join(JoinKind::Inner, self.found(rows, sums), by()),
            Step::filter(enough),
            Step::project_away(away),
        ];
        out.push(Let::new(self.name, Pipeline::of(rows, steps)));
    }

    /// Sums up the window before each distinct time of a group
    fn found(&self, rows: &str, sums: Vec<Item>) -> Pipeline {
        let other = [
            Step::extend([Item::named(OTHER, self.now()), Item::named(BIN, self.bin(self.now()))]),
            Step::project_away([self.time]),
        ];
        let start = Expression::call("min", [name(OTHER)]);
        let sums = [Item::named(START.0, start)].into_iter().chain(sums);
        let sums = sums.chain(self.clients(&self.columns()));
        let since = self.now().minus(self.span());
        let (by, joined) = (self.by(&[self.time]), self.by(&[BIN]));
        let by = || by.iter().map(String::as_str);
        Pipeline::of(rows, [Step::distinct(by())]).then(self.expanded()).then([
            Step::join(
                JoinKind::Inner,
                Pipeline::of(rows, other),
                joined.iter().map(String::as_str),
            ),
            Step::filter(name(OTHER).between(since, self.now())),
            Step::summarize(sums, by()).on_own_lines(),
        ])
    }

    /// The columns of the events, without what an inner correlation says of its own, and these
    fn with_clients(&self, added: &[(&str, Type, Role)]) -> Vec<Projected> {
        let said = |column: &Projected| matches!(column.role, Role::Label | Role::Measure);
        let shown = self.columns();
        let clients = self.clients(&shown).is_some();
        let shown = shown.into_iter().filter(|column| !said(column)).collect();
        let columns = self.with(shown, added);
        if clients { self.with(columns, &[CLIENTS]) } else { columns }
    }

    /// All clients with their user agents, as one text of at most 100 lines
    pub(super) fn clients(&self, columns: &[Projected]) -> Option<Item> {
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        (has("ClientIP") && has("UserAgent")).then(|| {
            let parts = [name("ClientIP"), Expression::text(" "), name("UserAgent")];
            let client = Expression::call("strcat", parts);
            let set = set(client, is_there("ClientIP"), SHOWN);
            let text = Expression::call("strcat_array", [set, Expression::text("\n")]);
            Item::named(CLIENTS.0, text)
        })
    }
}
