//! Rows whose combination of values is new.
//!
//! In: the signal that `new_terms` names. Out: the columns of its terms, and the steps that keep
//! rows whose terms no row of the window before has.
//!
//! A scheduled rule judges the rows of a run, a hunting query those of the time range that a person
//! picks, which stands where Sentinel puts it: `{{StartTimeISO}}` and `{{EndTimeISO}}` (Azure Sentinel
//! repository, style guide of queries). Of the rows with the same terms the earliest is judged.

use super::columns::{Projected, Role, Rows};
use super::context::{EMPTY, Planning, exists};
use super::fresh::{begins, settled};
use super::keys;
use super::profile::Profile;
use super::schedule::{Run, Schedule};
use crate::backend::settings::span;
use crate::diagnostic::Cause;
use crate::ir::NewTerms;
use crate::manifest::{Direction, LossName};
use crate::mapping::{Column, Kind, Table};
use crate::query::kusto::{self, Expression, Item, JoinKind, Let, Pipeline, Step};

/// Adds the columns of new terms that the projection lacks
pub(super) fn add_terms(table: &Table, columns: &mut Vec<Projected>, new: &NewTerms) {
    for (column, name) in terms(table, columns, new) {
        if !columns.iter().any(|have| have.name == name) {
            let value = column.value.clone();
            columns.push(Projected::new(&name, kusto::Type::String, Role::Result, value));
        }
    }
}

/// Each new term's column in the table and its name in the result
fn terms<'t>(table: &'t Table, columns: &[Projected], new: &NewTerms) -> Vec<(&'t Column, String)> {
    let mut terms = Vec::new();
    for field in &new.fields {
        for column in table.columns(field) {
            let shown = columns.iter().find(|have| have.value == column.value);
            let name = match (shown, column.value.as_name()) {
                (Some(shown), _) => shown.name.clone(),
                (None, Some(name)) => name.to_owned(),
                (None, None) => keys::pascal(field.name(), "Term"),
            };
            terms.push((column, name));
        }
    }
    terms
}

/// New terms over the rows of a signal
#[derive(Debug)]
pub(super) struct Novelty<'n> {
    new: &'n NewTerms,
    profile: Profile,
    /// The `let` name of the rows
    name: String,
    terms: Vec<(&'n Column, String)>,
    /// The column of the time at which a row counts as seen
    seen: String,
    /// The `let` names of the time range of a hunting query
    range: [String; 2],
}

/// The time when a combination of terms was last seen before the run or the range
const LAST: &str = "LastSeen";

impl<'n> Novelty<'n> {
    /// Reads the terms; refuses terms that cannot be compared
    pub(super) fn of(
        planning: &mut Planning<'_, '_>,
        // Without a table the signal is refused already.
        (new, table): (&'n NewTerms, Option<&'n Table>),
        rows: &Rows,
    ) -> Novelty<'n> {
        let Planning { profile, rule, .. } = *planning;
        let session = &mut *planning.session;
        let signal = &rule.signals[new.signal];
        if rule.correlates(new.signal) {
            // Each row would need the window before that row, but the query has one window: the
            // one before the run.
            let message = format!("a correlation of new terms of `{}`", signal.name);
            let help = "Name the correlation under `without:` of this target.";
            let label = "no query of one run says what was new when";
            session.refuse(Cause::NewTerms, new.span, message, label, help);
        }
        for field in &new.fields {
            if table.is_some_and(|table| table.columns(field).is_empty()) {
                let message =
                    format!("{} has no column for the new term {field}", session.target());
                let cause = Cause::Field(field.name().to_owned());
                session.refuse(cause, new.span, message, "no such column", "");
            }
        }
        let terms = table.map_or_else(Vec::new, |table| terms(table, &rows.columns, new));
        if terms.iter().any(|(column, _)| column.kind == Kind::List) {
            let message = "a list as a new term".to_owned();
            let label = "each element would be a term of its own";
            session.refuse(Cause::NewTerms, new.span, message, label, "");
        }
        // An empty value is a new term, and a row without one of the terms is left out.
        session.lose_rarely(LossName::Empty, Direction::Narrower, new.span, EMPTY);
        // An alert is new at the time it is raised; the process in it may have run earlier.
        let raised = rows.columns.iter().find(|column| column.role == Role::Raised);
        let seen = raised.map_or(profile.time(), |column| &column.name).to_owned();
        let range = ["starttime", "endtime"].map(|name| planning.lets.name(name));
        Novelty { new, profile, name: rows.name.clone(), terms, seen, range }
    }

    /// The names of the columns that hold the terms
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|(_, name)| name.as_str())
    }

    /// A comment that describes the rows
    pub(super) fn note(&self) -> String {
        let keys: Vec<&str> = self.keys().collect();
        let (keys, window) = (keys.join(", "), span(self.new.window));
        format!("Only combinations of {keys} not seen in the last {window}")
    }

    /// The statements of the time range that a person picks
    pub(super) fn range(&self) -> [Let; 2] {
        let [start, end] = &self.range;
        [(start, "StartTimeISO"), (end, "EndTimeISO")].map(|(name, picked)| {
            Let::new(name, Expression::call("todatetime", [Expression::placeholder(picked)]))
        })
    }

    /// The rows whose combination of terms no row of the window before has
    ///
    /// Terms compare as stored. A row that lacks a term is dropped. Of several rows with the same
    /// terms the earliest stays, as in Elastic's `new_terms` rules.
    pub(super) fn rows(&self, schedule: Schedule, run: Run) -> Pipeline {
        let seen = || Expression::name(&self.seen);
        let there = self.terms.iter().map(|(column, name)| {
            let value = Expression::name(name);
            match column.kind {
                Kind::Number | Kind::Dashed => exists(column.kind, value),
                // The result column holds the value unchanged; `of` refuses a list.
                Kind::Text | Kind::Recased | Kind::List | Kind::Words | Kind::Truth => {
                    Expression::call("isnotempty", [value])
                }
            }
        });
        let window = || Expression::timespan(span(self.new.window));
        let [start, end] = self.range.each_ref().map(|name| Expression::name(name));
        let (judged, before) = match run {
            Run::Scheduled => (settled(schedule, seen()), seen().compare("<", begins(schedule))),
            Run::Hunting => {
                let since = seen().compare(">=", start.clone().minus(window()));
                let before = seen().compare("<", start.clone());
                (seen().between(start, end), Expression::all([since, before]))
            }
        };
        let last = Expression::call("max", [seen()]);
        let known = [Step::filter(before), Step::summarize([Item::named(LAST, last)], self.keys())];
        let time = Expression::name(self.profile.time());
        let earliest = Expression::call("arg_min", [time, Expression::star()]);
        let last = || Expression::name(LAST);
        let forgotten = last().compare("<", seen().minus(window()));
        let is_new = Expression::any([Expression::call("isnull", [last()]), forgotten]);
        let second: Vec<String> = self.keys().map(|key| format!("{key}1")).collect();
        let away = second.iter().map(String::as_str).chain([LAST]);
        Pipeline::of(
            &self.name,
            [
                Step::filter(judged),
                Step::filter(Expression::all(there)),
                Step::summarize([Item::plain(earliest)], self.keys()),
                Step::join(JoinKind::LeftOuter, Pipeline::of(&self.name, known), self.keys()),
                Step::filter(is_new),
                Step::project_away(away),
            ],
        )
    }
}
