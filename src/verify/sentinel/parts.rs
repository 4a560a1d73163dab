//! Which columns of a correlation's rows show which of its events.
//!
//! In: a query, a correlation of its rule, and what a run returned. Out: the columns that show the completing event,
//! those that show one before it, and the one that counts. A result has the columns of all its rows: only those of
//! the correlation's own count. What the query's columns are called is read here again, and not asked of the
//! compiler, which is to be checked.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::Asked;
use super::evidence::Evidence;
use crate::ir::{Correlation, CorrelationTest, Origin};
use crate::query::kusto::execute::Data;
use crate::query::kusto::{Item, Kind, Operator, Pipeline, Source};

/// The columns of a correlation in the result of a query
#[derive(Clone, Copy)]
pub(super) struct Columns<'t> {
    pub(super) asked: &'t Asked<'t>,
    pub(super) one: &'t Correlation,
}

/// The columns that show an event of one of some signals
pub(super) struct Part<'d> {
    pub(super) signals: Vec<usize>,
    /// By signal, its table and the columns
    pub(super) shown: BTreeMap<usize, (&'d str, Evidence<'d>)>,
}

/// The columns that show an event before the completing one
pub(super) struct Earlier<'d> {
    /// The signals of which the completing event is one
    pub(super) before: Vec<usize>,
    pub(super) part: Part<'d>,
}

impl<'t> Columns<'t> {
    /// Those that show the completing event
    pub(super) fn completing<'d>(self, data: &'d Data) -> Part<'d>
    where
        't: 'd,
    {
        let own = |name: &'d str, shown: &BTreeSet<&str>| shown.contains(name).then_some(name);
        self.part(data, self.one.ends.clone(), own)
    }

    /// Those that show an event before it
    pub(super) fn earlier<'d>(self, data: &'d Data) -> Vec<Earlier<'d>>
    where
        't: 'd,
    {
        let earlier = self.before().into_iter().filter_map(|(origin, before)| {
            let (name, signals) = self.rows_of(origin)?;
            let others = self.one.origins.iter().filter(|other| **other != origin);
            let others = others.flat_map(|other| self.asked.rule.ends_of(*other));
            let later: BTreeSet<&str> =
                others.filter_map(|signal| self.shown_by(signal)).flatten().collect();
            let prefix = called(name);
            let part = self.part(data, signals, |name, shown| {
                let earlier = name.strip_prefix(&*prefix).filter(|rest| shown.contains(*rest));
                let alone = || (shown.contains(name) && !later.contains(name)).then_some(name);
                earlier.or_else(alone)
            });
            Some(Earlier { before, part })
        });
        earlier.collect()
    }

    /// Origins whose event a row shows beside the completing one, each with the signals of which that one is
    fn before(self) -> Vec<(Origin, Vec<usize>)> {
        match (&self.one.test, &*self.one.origins) {
            (CorrelationTest::InOrder, [first, ..]) => vec![(*first, self.one.ends.clone())],
            (CorrelationTest::Together, [one, other]) => {
                let ends = |origin| self.asked.rule.ends_of(origin);
                vec![(*one, ends(*other)), (*other, ends(*one))]
            }
            _ => Vec::new(),
        }
    }

    /// The name of an origin and the signals that its rows are of, unless it is a chain or a pair itself
    fn rows_of(self, origin: Origin) -> Option<(&'t str, Vec<usize>)> {
        let rule = self.asked.rule;
        match origin {
            Origin::Signal(at) => Some((&rule.signals[at].name, vec![at])),
            Origin::Correlation(at) => {
                let one = &rule.correlations[at];
                one.test.counts().then(|| (&*one.name, one.ends.clone()))
            }
        }
    }

    /// The column with the number of events that the last one of a chain follows
    pub(super) fn followed(self) -> Option<String> {
        let [.., before, _] = &*self.one.origins else { return None };
        let name = match *before {
            Origin::Signal(at) => &self.asked.rule.signals[at].name,
            Origin::Correlation(at) => &self.asked.rule.correlations[at].name,
        };
        let column = called(name) + "Count";
        (self.one.test == CorrelationTest::InOrder && self.has(&column)).then_some(column)
    }

    /// The columns of a result that show an event of each of these signals; `of` says which column of a signal one
    /// of the result is
    fn part<'d>(
        self,
        data: &'d Data,
        signals: Vec<usize>,
        of: impl Fn(&'d str, &BTreeSet<&str>) -> Option<&'d str>,
    ) -> Part<'d>
    where
        't: 'd,
    {
        let shown = |signal: &usize| {
            let output = self.asked.output(&self.asked.rule.signals[*signal].name)?;
            let [table] = &*output.tables else { return None };
            let (columns, shown) = (self.asked.tables.get(table)?, self.shown_by(*signal)?);
            let has = |name: &&str| self.has(name);
            let called = |name| Some(name).filter(has).and_then(|name| of(name, &shown));
            let evidence = Evidence::of_part(data, table, columns, called);
            Some((*signal, (table.as_str(), evidence)))
        };
        let shown = signals.iter().filter_map(shown).collect();
        Part { signals, shown }
    }

    /// Whether its rows have a column; a result has those of all rows
    pub(super) fn has(self, name: &str) -> bool {
        self.asked.columns.get(&self.one.name).is_some_and(|columns| columns.contains(name))
    }

    /// The columns that a signal shows
    fn shown_by(self, signal: usize) -> Option<BTreeSet<&'t str>> {
        let output = self.asked.output(&self.asked.rule.signals[signal].name)?;
        let rows = output.rows.as_ref()?;
        let named = self.asked.query.lets.iter().find(|one| one.name.text == *rows)?;
        let Operator::Project(items) = &inside(&named.value).steps.last()?.operator else {
            return None;
        };
        let name = |item: &'t Item| match &item.name {
            Some(name) => Some(name.text.as_str()),
            None => item.value.as_name(),
        };
        Some(items.iter().filter_map(name).collect())
    }
}

/// The rows that `materialize` keeps, if it does
fn inside(rows: &Pipeline) -> &Pipeline {
    let Source::Expression(source) = &rows.source else { return rows };
    let Kind::Call { name, arguments } = &source.kind else { return rows };
    match arguments.first().map(|one| &one.kind) {
        Some(Kind::Pipeline(kept)) if name.text == "materialize" => kept,
        Some(_) | None => rows,
    }
}

/// What columns about the event of an origin begin with: `rare_page` is `RarePage`
fn called(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}
