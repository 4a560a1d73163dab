//! The rows that are alerts, and their columns.
//!
//! In: the [`Plan`] of a rule. Out: a union of its reported signals and correlations, cut to what is new
//! to a run, and the columns that every alert has.

use std::collections::BTreeSet;

use super::columns::{Detail, Projected, Role, identified};
use super::correlation::{Alerts, Correlated, END, EVENTS};
use super::fresh::Fresh;
use super::gather::Gathered;
use super::query::Plan;
use super::schedule::Run;
use crate::definition::Level;
use crate::ir::Correlation;
use crate::query::kusto::{Expression, Item, Let, Lines, Pipeline, Step, Type};

impl Plan<'_> {
    /// The rows of all signals and correlations that are reported
    pub(super) fn reported(&self, run: Run) -> Pipeline {
        let mut legs: Vec<Pipeline> = Vec::new();
        let mut columns: Vec<&Projected> = Vec::new();
        let signals = self.signals.iter().enumerate();
        for (at, (rows, _)) in signals.filter(|(at, _)| self.rule.reports_signal(*at)) {
            let new = self.rule.new_terms.as_ref().filter(|new| new.signal == at);
            legs.push(match (&self.new, new) {
                (Some((_, fresh)), Some(_)) => Pipeline::of(fresh, []),
                _ => {
                    columns.extend(&rows.columns);
                    match self.gathered_with(at) {
                        Some(all) if all.signals.first() != Some(&at) => continue,
                        all => Pipeline::of(all.map_or(&*rows.name, Gathered::name), []),
                    }
                }
            });
        }
        for (at, correlated, one) in self.reported_correlations() {
            let steps = (!self.ends_in_alerts(at)).then(|| self.alerts(correlated, one, run));
            legs.push(Pipeline::of(&correlated.rows.name, steps.into_iter().flatten()));
        }
        let rows = match <[Pipeline; 1]>::try_from(legs) {
            Ok([only]) => only,
            Err(legs) => {
                let long = legs.iter().any(|leg| !leg.steps.is_empty());
                Pipeline::union(legs, if long { Lines::Own } else { Lines::Fit })
            }
        };
        rows.then(if columns.is_empty() { None } else { self.recent(columns, run) })
    }

    /// The statements of the correlations; those that end in alerts with the steps that make them
    pub(super) fn correlated(&self, run: Run) -> Vec<Let> {
        let mut statements = self.correlations.0.clone();
        for (_, correlated, one) in
            self.reported_correlations().filter(|(at, ..)| self.ends_in_alerts(*at))
        {
            let mut named = statements.iter_mut();
            if let Some(own) = named.find(|own| own.name.text == correlated.rows.name) {
                own.value.steps.extend(self.alerts(correlated, one, run));
            }
        }
        statements
    }

    /// Whether the rows of a correlation are read for its alerts alone, beside those of others
    fn ends_in_alerts(&self, at: usize) -> bool {
        let signals = (0..self.rule.signals.len()).filter(|at| self.rule.reports_signal(*at));
        let alerts = signals.count() + self.reported_correlations().count();
        alerts > 1 && !self.rule.correlates_again(at)
    }

    /// The steps that make alerts of a correlation's rows
    fn alerts(&self, of: &Correlated, one: &Correlation, run: Run) -> Vec<Step> {
        let (once, counted) = self.once(of);
        let labels = Step::extend(counted.into_iter().chain([
            Item::named("Signal", Expression::text(&one.name)),
            Item::named("Level", Expression::text(one.level.as_str())),
        ]));
        self.recent(of.rows.columns.iter(), run).into_iter().chain(once).chain([labels]).collect()
    }

    /// The step that keeps the first row of each group of a run, with how long the group goes on, and
    /// the number of its events
    fn once(&self, of: &Correlated) -> (Option<Step>, Option<Item>) {
        let Alerts::FirstOf(before) = of.alerts else { return (None, None) };
        let time = || Expression::name(self.profile.time());
        let mut sums = vec![Item::named(END.0, Expression::call("max", [time()]))];
        let count = Item::named(EVENTS.0, Expression::call("count", []));
        sums.extend((before > 0).then_some(count));
        sums.push(Item::plain(Expression::call("arg_min", [time(), Expression::star()])));
        let whole = Expression::name(EVENTS.0).plus(Expression::number(before));
        let counted = (before > 0).then(|| Item::named(EVENTS.0, whole));
        (Some(Step::summarize(sums, of.keys.iter().map(String::as_str))), counted)
    }

    /// The correlations that are reported, each with its place
    fn reported_correlations(&self) -> impl Iterator<Item = (usize, &Correlated, &Correlation)> {
        let all = self.correlations.1.iter().zip(&self.rule.correlations).enumerate();
        let reported = all.filter(|(at, _)| self.rule.reports_correlation(*at));
        reported.map(|(at, (rows, one))| (at, rows, one))
    }

    /// Keeps the rows that are new to a run, so that a longer lookback does not report a row twice
    ///
    /// `None` where the rows of the tables have been filtered.
    fn recent<'c>(
        &self,
        columns: impl IntoIterator<Item = &'c Projected>,
        run: Run,
    ) -> Option<Step> {
        if run == Run::Hunting || self.fresh != Fresh::Settled {
            return None;
        }
        self.fresh.filter(self.schedule, self.seen(columns))
    }

    /// The time at which rows with these columns became known
    pub(super) fn seen<'c>(&self, columns: impl IntoIterator<Item = &'c Projected>) -> Expression {
        let time = Expression::name(self.profile.time());
        // The time of an alert decides, since the process in it is older than the alert.
        let raised = columns.into_iter().find(|column| column.role == Role::Raised);
        match raised {
            Some(raised) => Expression::call("coalesce", [Expression::name(&raised.name), time]),
            None => time,
        }
    }

    /// The levels that rows of the result may have
    pub(super) fn levels(&self) -> Vec<Level> {
        let signals = self.rule.signals.iter().enumerate();
        let signals = signals.filter(|(at, _)| self.rule.reports_signal(*at));
        let mut levels = Vec::new();
        for (_, signal) in signals {
            levels.push(self.rule.level);
            levels.extend(signal.cases.iter().map(|(level, _)| *level));
        }
        levels.extend(self.reported_correlations().map(|(_, _, one)| one.level));
        levels
    }

    /// The step that makes the columns of entities out of others
    pub(super) fn identified(&self) -> Option<Step> {
        let items: Vec<Item> = self.made().iter().map(Projected::item).collect();
        (!items.is_empty()).then(|| Step::extend(items).on_own_lines())
    }

    /// The columns of entities that are made of others
    fn made(&self) -> Vec<Projected> {
        match self.detail {
            Detail::Entities => identified(&self.shown()),
            Detail::Events | Detail::Least => Vec::new(),
        }
    }

    /// The columns of the result, each once
    pub(super) fn columns(&self) -> Vec<String> {
        self.shown().into_iter().chain(self.made().into_iter().map(|column| column.name)).collect()
    }

    /// What [`Plan::once`] says of a group
    fn measures(&self, of: &Correlated) -> Vec<Projected> {
        let Alerts::FirstOf(before) = of.alerts else { return Vec::new() };
        let counted = (before > 0).then_some(EVENTS);
        let own = |(name, kind, role): (&str, Type, Role)| Projected::own(name, kind, role);
        [END].into_iter().chain(counted).map(own).collect()
    }

    /// The columns that an alert shows beside its entities: where it comes from, and what a correlation
    /// has counted
    pub(super) fn details(&self) -> Vec<String> {
        let mut details = vec!["Signal".to_owned(), "Level".to_owned()];
        for (_, of, _) in self.reported_correlations() {
            details.extend(of.keys.iter().cloned());
            let added = self.measures(of);
            let all = of.rows.columns.iter().chain(&added);
            let told =
                all.filter(|column| column.role == Role::Measure && column.kind != Type::Dynamic);
            details.extend(told.map(|column| column.name.clone()));
        }
        let mut seen = BTreeSet::new();
        details.retain(|name| seen.insert(name.clone()));
        details
    }

    /// The columns of the signals and correlations, each once
    fn shown(&self) -> Vec<String> {
        let signals = self.signals.iter().enumerate();
        let signals = signals.filter(|(at, _)| self.rule.reports_signal(*at));
        let mut shown: Vec<Projected> =
            signals.flat_map(|(_, (rows, _))| rows.columns.iter().cloned()).collect();
        for (_, of, _) in self.reported_correlations() {
            shown.extend(of.rows.columns.iter().cloned());
            shown.extend(self.measures(of));
            let label = |name| Projected::own(name, Type::String, Role::Label);
            shown.extend(["Signal", "Level"].map(label));
        }
        let mut columns: Vec<String> = Vec::new();
        let severity = self.severity.then(|| "Severity".to_owned());
        for name in shown.into_iter().map(|column| column.name).chain(severity) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        columns
    }
}
