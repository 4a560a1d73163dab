//! Events one after another within a timespan.
//!
//! In: the rows of a correlation's origins. Out: a row for each completing event, with the nearest
//! earlier event of each other origin. The earlier event is taken whole, under the name of its signal
//! where the later event shows the same part, so that no row mixes two events. Joins are those of
//! [`super::window`].

use super::columns::{Projected, Role, Rows};
use super::correlation::{Plan, START, each_once};
use super::keys::pascal;
use super::lets::Lets;
use super::window::BIN;
use crate::mapping::results;
use crate::query::kusto::{Expression, Item, JoinKind, Let, Lines, Pipeline, Step, Type};
use crate::taxonomy::FieldType;

/// Numbers events of one time, which a later correlation counts
const ROW: &str = "RowNumber";

/// One step of a chain: the rows of an origin, and the chain before it
struct Link<'l> {
    rows: &'l Rows,
    earlier: &'l Rows,
    /// The origin of the last event of the chain before
    called: &'l str,
    /// Whether the chain before is one event
    first: bool,
    last: bool,
    /// Whether the earlier event may not be of the same time
    strict: bool,
}

/// A column about the earlier event that neither event has
fn free(link: &Link<'_>, what: &str) -> String {
    let wanted = pascal(link.called, what);
    let has = |rows: &Rows, name: &str| rows.columns.iter().any(|column| column.name == name);
    let taken = |name: &str| results().has(name) || has(link.rows, name) || has(link.earlier, name);
    let numbered = (2..).map(|number: u32| format!("{wanted}{number}"));
    let mut names = [wanted.clone()].into_iter().chain(numbered);
    names.find(|name| !taken(name)).unwrap_or(wanted)
}

/// A column of an earlier event in the row of a later one
fn shown(column: &Projected, name: &str) -> Projected {
    let is_same = *name == column.name;
    let role = if is_same { column.role } else { Role::Earlier };
    let correlated = is_same && column.correlated;
    Projected { correlated, ..Projected::own(name, column.kind, role) }
}

fn name(name: &str) -> Expression {
    Expression::name(name)
}

impl Plan<'_> {
    /// Events of each origin in the order of the origins
    pub(super) fn in_order(&self, out: &mut Vec<Let>) -> Vec<Projected> {
        let mut earlier = self.origins[0].clone();
        let last = self.origins.len() - 1;
        for (at, rows) in self.origins.iter().enumerate().skip(1) {
            let name =
                if at == last { self.name.to_owned() } else { format!("{}_{at}", self.name) };
            let (first, last) = (at == 1, at == last);
            let called = &self.origins[at - 1].name;
            let link = Link { rows, earlier: &earlier, called, first, last, strict: false };
            let (steps, columns) = self.link(&link);
            out.push(Let::new(&name, steps));
            earlier = Rows { name, columns };
        }
        earlier.columns
    }

    /// Events of two origins in any order: those of one time are in the order of the origins
    pub(super) fn pair(
        &self,
        out: &mut Vec<Let>,
        lets: &mut Lets,
        [one, other]: [&Rows; 2],
    ) -> Vec<Projected> {
        let mut legs = Vec::new();
        let mut columns = Vec::new();
        for (rows, earlier, strict) in [(other, one, false), (one, other, true)] {
            let called = &earlier.name;
            let link = Link { rows, earlier, called, first: true, last: true, strict };
            let (steps, own) = self.link(&link);
            let leg = lets.name(&format!("{}_after_{}", rows.name, earlier.name));
            out.push(Let::new(&leg, steps));
            legs.push(Pipeline::of(&leg, []));
            columns.extend(own);
        }
        out.push(Let::new(self.name, Pipeline::union(legs, Lines::Fit)));
        each_once(columns)
    }

    /// The columns of an earlier event, each with its name in the row of the later event
    ///
    /// A part that the later event has too stands under the name of the earlier signal. The host is the
    /// same where events of one host are joined.
    fn carried(&self, link: &Link<'_>) -> Vec<(Projected, String)> {
        let Link { rows, earlier, .. } = link;
        let keys = self.keys();
        let part = |name: &str| results().column(name).map(|column| column.shows);
        let has = |name: &str| rows.columns.iter().any(|column| column.name == name);
        let shows = |name: &str| {
            part(name).is_some_and(|of| rows.columns.iter().any(|own| part(&own.name) == Some(of)))
        };
        let of_host = self.one.keys.iter().flat_map(|key| key.fields.values());
        let same_host = of_host.clone().next().is_some()
            && of_host.clone().all(|field| field.kind() == FieldType::Host);
        let mut carried: Vec<(Projected, String)> = Vec::new();
        for column in &earlier.columns {
            let is_host = part(&column.name) == Some(crate::ir::Column::Host);
            let own = match column.role {
                Role::Label | Role::Measure => continue,
                Role::Key | Role::Counted | Role::Earlier if has(&column.name) => continue,
                Role::Key | Role::Counted | Role::Earlier => column.name.clone(),
                Role::Result | Role::Raised | Role::Identity if is_host && same_host => continue,
                Role::Result | Role::Raised | Role::Identity if column.name == self.time => {
                    continue;
                }
                Role::Result | Role::Raised | Role::Identity => {
                    match has(&column.name) || shows(&column.name) {
                        true if column.correlated && !has(&column.name) => column.name.clone(),
                        true if !self.events => continue,
                        true => pascal(link.called, &column.name),
                        false => column.name.clone(),
                    }
                }
            };
            if !keys.contains(&own) && !has(&own) && !carried.iter().any(|(_, taken)| *taken == own)
            {
                carried.push((column.clone(), own));
            }
        }
        carried
    }

    /// The rows of the earlier part of a chain, with what the later event takes of them
    fn earlier(&self, link: &Link<'_>, time: &str, carried: &[(Projected, String)]) -> Pipeline {
        let keys = self.keys();
        let start = if link.first { self.now() } else { name(START.0) };
        let own = [
            Item::named(BIN, self.bin(self.now())),
            Item::named(time, self.now()),
            Item::named(START.0, start),
        ];
        let carried = carried.iter().map(|(column, own)| Item::named(own, name(&column.name)));
        let items = keys.iter().map(|key| Item::column(key)).chain(own).chain(carried);
        self.grouped(Pipeline::of(&link.earlier.name, [])).then([Step::project(items)])
    }

    /// Joins the events of an origin to the earlier part of the chain
    fn link(&self, link: &Link<'_>) -> (Pipeline, Vec<Projected>) {
        let Link { rows, first, last, strict, .. } = link;
        let [time, count] = ["Time", "Count"].map(|what| free(link, what));
        let carried = self.carried(link);
        let mut steps = Vec::new();
        // This correlation sets what an inner correlation says of its own events.
        let inner = rows.columns.iter().filter(|column| column.role == Role::Measure);
        let inner: Vec<&str> = inner.map(|column| column.name.as_str()).collect();
        if !inner.is_empty() {
            steps.push(Step::project_away(inner));
        }
        // Another correlation counts these rows, so simultaneous events must stay separate.
        let row = (*last && self.used).then_some(ROW);
        if let Some(row) = row {
            let number = Item::named(row, Expression::call("row_number", []));
            steps.extend([Step::sort([self.time]), Step::extend([number])]);
        }
        steps.extend(self.expanded());
        let joined = self.by(&[BIN]);
        let keys = self.keys();
        let right = self.earlier(link, &time, &carried);
        steps.push(Step::join(JoinKind::Inner, right, joined.iter().map(String::as_str)));
        steps.push(Step::filter(self.before(&time, *first, *strict)));
        let number = Item::named(&count, Expression::call("count", []));
        let latest = Expression::call("arg_max", [name(START.0), Expression::star()]);
        let mut columns = self.with(rows.columns.clone(), &[]);
        columns.retain(|column| column.role != Role::Measure);
        columns.extend(carried.iter().map(|(column, own)| shown(column, own)));
        let clients = self.clients(&columns);
        let sums = [number].into_iter().chain(clients.clone()).chain([Item::plain(latest)]);
        // Later correlations group by these columns, so they keep simultaneous events separate.
        let kept = rows.columns.iter().filter(|column| column.correlated);
        let kept =
            kept.map(|column| &*column.name).filter(|name| !keys.iter().any(|key| key == name));
        let by = keys.iter().map(String::as_str).chain([self.time]).chain(kept).chain(row);
        steps.push(Step::summarize(sums, by).on_own_lines());
        let second: Vec<String> = joined.iter().map(|column| self.second(column)).collect();
        let away = second.iter().map(String::as_str).chain([BIN]).chain(row);
        steps.push(Step::project_away(away));
        columns.push(Projected::own(&time, Type::DateTime, Role::Earlier));
        columns.push(Projected::own(&count, Type::Long, Role::Earlier));
        let mut columns = self.with(columns, &[START]);
        if clients.is_some() {
            columns = self.with(columns, &[super::window::CLIENTS]);
        }
        (self.grouped(Pipeline::of(&rows.name, [])).then(steps), columns)
    }

    /// Whether the earlier event, and the first one of its chain, are in the window before an event
    fn before(&self, time: &str, first: bool, strict: bool) -> Expression {
        let since = || self.now().minus(self.span());
        let near = match strict {
            true => Expression::all([
                name(time).compare(">=", since()),
                name(time).compare("<", self.now()),
            ]),
            false => name(time).between(since(), self.now()),
        };
        let chain = (!first).then(|| name(START.0).compare(">=", since()));
        Expression::all([near].into_iter().chain(chain))
    }
}
