//! Rows whose combination of values is new.
//!
//! In: the signal that `new_terms` names. Out: the columns of its terms, and the steps that keep
//! rows whose terms are absent from a baseline over the window.
//!
//! A hunting query splits its range as a scheduled rule does, since a term is new only against a
//! baseline: it shows the new terms of the last run, and takes the baseline from the window before
//! that run, however long the time range is that a person picks.

use super::columns::{Projected, Role};
use super::context::{Planning, exists};
use super::correlation::Rows;
use super::keys;
use super::profile::Profile;
use super::schedule::{Run, Schedule, ago};
use crate::backend::settings::span;
use crate::diagnostic::Cause;
use crate::ir::NewTerms;
use crate::mapping::{Column, Kind, Table};
use crate::query::kusto::{self, Expression, Item, JoinKind, Pipeline, Step};

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
}

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
        // An alert is new at the time it is raised; the process in it may have run earlier.
        let raised = rows.columns.iter().find(|column| column.role == Role::Raised);
        let seen = raised.map_or(profile.time(), |column| &column.name).to_owned();
        Novelty { new, profile, name: rows.name.clone(), terms, seen }
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

    /// The rows whose combination of terms is absent from the baseline
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
        let before = seen().compare("<", ago(schedule.frequency));
        let within = seen().compare(">=", ago(self.new.window));
        let bounded = schedule.period > self.new.window || run == Run::Hunting;
        let baseline = if bounded { Expression::all([within, before]) } else { before };
        let known = [Step::filter(baseline), Step::distinct(self.keys())];
        let known = Pipeline::of(&self.name, known);
        let earliest = Expression::call(
            "arg_min",
            [Expression::name(self.profile.time()), Expression::star()],
        );
        Pipeline::of(
            &self.name,
            [
                Step::filter(seen().compare(">=", ago(schedule.frequency))),
                Step::filter(Expression::all(there)),
                Step::join(JoinKind::LeftAnti, known, self.keys()),
                Step::summarize([Item::plain(earliest)], self.keys()),
            ],
        )
    }
}
