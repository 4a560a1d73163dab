//! A query with what is known of it before it runs.
//!
//! In: a rule, the artifacts emitted for it and their manifest. Out: an [`Asked`]: the tree of the query, the
//! tables and columns that it names, when it runs and how long it waits for rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{channel, family, windows};
use crate::ir;
use crate::manifest::{Artifact, Kept, Manifest, SignalOutput};
use crate::matcher::{Engine, Match, Memory, Options};
use crate::query::kusto::{
    self, Column, Expression, Item, Kind, Operator, Pipeline, Platform, Query, Schema, Source, Step,
};
use crate::taxonomy::{EventKind, Field};

/// The tables of alerts, whose time is not that of what they are about
pub(super) const ALERTS: &str = "SecurityAlert";

/// A query that may be executed
pub struct Asked<'r> {
    pub(super) rule: &'r ir::Rule,
    pub(super) manifest: &'r Manifest,
    pub(super) query: Query,
    pub(super) platform: Platform,
    /// The engine, with this rule only
    pub(super) engine: Arc<Engine>,
    /// The tables that it asks, with the columns that it names
    pub(super) tables: BTreeMap<String, Vec<Column>>,
    /// By correlation that it reports, the columns of its rows, of which the result may have more
    pub(super) columns: BTreeMap<String, BTreeSet<String>>,
}

impl<'r> Asked<'r> {
    /// Reads the query emitted for a rule
    ///
    /// # Errors
    /// Why it cannot be executed, as a clause without a period.
    pub fn read(
        rule: &'r ir::Rule,
        manifest: &'r Manifest,
        artifacts: &[Artifact],
        (platform, schema): (Platform, &Schema),
    ) -> Result<Self, String> {
        let text = artifacts.iter().find(|artifact| artifact.name.ends_with(".kql"));
        let text = text.ok_or("there is no query")?;
        let query = kusto::parse(&text.text).map_err(|finding| finding.message)?;
        let is_made =
            |table: &&String| windows::TABLES.contains(&table.as_str()) || family::is_known(table);
        let mut tables = manifest.signals.iter().flat_map(|signal| &signal.tables);
        if let Some(table) = tables.find(|table| !is_made(table)) {
            return Err(format!("no rows of {table} are made"));
        }
        let tables = named(&query, manifest, (platform, schema));
        for signal in &rule.signals {
            let kind = signal.kind.name();
            let family = family::of(kind);
            if family.is_none() && channel::of(kind).is_none() {
                return Err(format!("no rows of {kind} are made"));
            }
            let family = family.filter(|_| channel::of(kind).is_none());
            let mut fields = signal.fields().map(Field::name);
            let unseen = family.and_then(|family| fields.find(|field| !family.shows(field)));
            if let Some(field) = unseen {
                return Err(format!("no rows with {field} of {kind} are made"));
            }
        }
        let engine = Arc::new(Engine::new(std::slice::from_ref(rule), &Options::default()));
        let columns = of_correlations(&query, manifest, (platform, schema));
        Ok(Asked { rule, manifest, query, platform, engine, tables, columns })
    }

    /// A query in the place of this one, of the same rule; `None` when it names other columns of the tables
    ///
    /// # Errors
    /// Why the text is no query.
    pub fn instead(&self, text: &str, schema: &Schema) -> Result<Option<Asked<'r>>, String> {
        let query = kusto::parse(text).map_err(|finding| finding.message)?;
        let Asked { rule, manifest, platform, .. } = *self;
        if named(&query, manifest, (platform, schema)) != self.tables {
            return Ok(None);
        }
        let (engine, tables) = (Arc::clone(&self.engine), self.tables.clone());
        let columns = of_correlations(&query, manifest, (platform, schema));
        Ok(Some(Asked { rule, manifest, query, platform, engine, tables, columns }))
    }

    /// The rule, as it is emitted
    pub fn rule(&self) -> &'r ir::Rule {
        self.rule
    }

    /// The column with the time of an event
    pub(super) fn time(&self) -> &'static str {
        match self.platform {
            Platform::Sentinel => "TimeGenerated",
            Platform::AdvancedHunting => "Timestamp",
        }
    }

    /// What the engine finds in an event by itself
    pub(super) fn matches(&self, event: &Value, kind: Option<&EventKind>) -> Vec<Match> {
        let judged = self.engine.judge_value(event, kind, &mut Memory::default());
        judged.unwrap_or_default()
    }

    /// Whether the engine finds a signal, by its place in the rule, in an event
    pub(super) fn finds(&self, signal: usize, event: &Value, kind: Option<&EventKind>) -> bool {
        self.matches(event, kind).iter().any(|one| one.signal == signal)
    }

    /// What the manifest says of a signal
    pub(super) fn output(&self, signal: &str) -> Option<&'r SignalOutput> {
        self.manifest.signals.iter().find(|one| one.name == signal)
    }

    /// The time of a run to which rows up to `last` are complete, and `first` is still new
    ///
    /// # Errors
    /// When no run sees all of them.
    pub(super) fn run_after(
        &self,
        (first, last): (Timestamp, Timestamp),
    ) -> Result<Timestamp, String> {
        let (since, until) = match self.manifest.schedule.as_ref().map(|one| &one.keeps) {
            None | Some(Kept::All) => (None, 0),
            Some(Kept::Arrived { since }) => (Some(*since), 0),
            Some(Kept::Happened { since, until }) => (Some(*since), *until),
        };
        let late = |why: jiff::Error| why.to_string();
        let now = last.checked_add(minutes(until) + SignedDuration::from_secs(1)).map_err(late)?;
        match since {
            Some(since) if now.duration_since(first) >= minutes(since) => {
                Err("no run sees all of these events as new".to_owned())
            }
            Some(_) | None => Ok(now),
        }
    }
}

impl Asked<'_> {
    /// Runs to which all rows are too old, or still too new, and what it means that one reports them
    pub(super) fn runs_beside(
        &self,
        (_, last): (Timestamp, Timestamp),
    ) -> Vec<(Timestamp, &'static str)> {
        let after = |since: u32| last + minutes(since) + SignedDuration::from_secs(1);
        let old = "match of a row that an earlier run has reported";
        match self.manifest.schedule.as_ref().map(|one| &one.keeps) {
            None | Some(Kept::All) => Vec::new(),
            Some(Kept::Arrived { since }) => vec![(after(*since), old)],
            // The last alert is raised a minute after what it is about.
            Some(Kept::Happened { since, until: 0..=2 }) => vec![(after(*since), old)],
            Some(Kept::Happened { since, .. }) => {
                let new = "match of a row before all of its time have arrived";
                vec![(after(*since), old), (after(0), new)]
            }
        }
    }
}

/// The tables of a rule's signals, each with the columns that a query names
fn named(
    query: &Query,
    manifest: &Manifest,
    (platform, schema): (Platform, &Schema),
) -> BTreeMap<String, Vec<Column>> {
    let mut names = BTreeSet::new();
    query.lets.iter().for_each(|one| of_pipeline(&one.value, &mut names));
    of_pipeline(&query.result, &mut names);
    names.extend(["TimeGenerated", "Timestamp"]);
    let tables = manifest.signals.iter().flat_map(|signal| &signal.tables);
    let columns = tables.map(|table| {
        let mut columns = schema.columns(table, platform);
        columns.retain(|column| names.contains(column.name.as_str()));
        (table.clone(), columns)
    });
    columns.collect()
}

/// By correlation that a query reports, the columns of its rows
fn of_correlations(
    query: &Query,
    manifest: &Manifest,
    of: (Platform, &Schema),
) -> BTreeMap<String, BTreeSet<String>> {
    let reported = manifest.correlations.iter().filter(|one| one.reported);
    let columns = reported.filter_map(|one| {
        let columns = kusto::columns_of(query, &one.name, of)?;
        Some((one.name.clone(), columns.into_iter().map(|column| column.name).collect()))
    });
    columns.collect()
}

/// Adds the names in an expression
fn of_expression<'q>(expression: &'q Expression, names: &mut BTreeSet<&'q str>) {
    let mut all = |parts: &[&'q Expression]| {
        parts.iter().for_each(|part| of_expression(part, names));
    };
    match &expression.kind {
        Kind::Literal(_) | Kind::Star => {}
        Kind::Name(name) => drop(names.insert(name)),
        Kind::Call { arguments, .. } => arguments.iter().for_each(|one| of_expression(one, names)),
        Kind::Given(_, value) | Kind::Member(value, _) => all(&[value]),
        Kind::Element { value, index, .. } => all(&[value, index]),
        Kind::Chain { first, rest } | Kind::Arithmetic { first, rest } => {
            all(&[first]);
            rest.iter().for_each(|(_, part)| of_expression(part, names));
        }
        Kind::Compare { left, right, .. } => all(&[left, right]),
        Kind::OneOf { value, list, .. } => {
            all(&[value]);
            list.iter().for_each(|one| of_expression(one, names));
        }
        Kind::Between { value, bounds, .. } => all(&[value, &bounds[0], &bounds[1]]),
        Kind::Pipeline(pipeline) => of_pipeline(pipeline, names),
    }
}

fn of_pipeline<'q>(pipeline: &'q Pipeline, names: &mut BTreeSet<&'q str>) {
    match &pipeline.source {
        Source::Union(legs, _) => legs.iter().for_each(|leg| of_expression(leg, names)),
        Source::Expression(source) => of_expression(source, names),
    }
    pipeline.steps.iter().for_each(|step| of_step(step, names));
}

fn of_step<'q>(step: &'q Step, names: &mut BTreeSet<&'q str>) {
    let items = |items: &'q [Item], names: &mut BTreeSet<&'q str>| {
        items.iter().for_each(|item| of_expression(&item.value, names));
    };
    match &step.operator {
        Operator::Where(condition) => of_expression(condition, names),
        Operator::Project(all) | Operator::Extend(all) | Operator::Distinct(all) => {
            items(all, names);
        }
        Operator::ProjectAway(all) => names.extend(all.iter().map(|name| name.text.as_str())),
        Operator::ProjectRename(pairs) => {
            names.extend(pairs.iter().map(|(_, old)| old.text.as_str()));
        }
        Operator::Summarize { aggregates, by } => {
            items(aggregates, names);
            items(by, names);
        }
        Operator::Join { right, keys, .. } => {
            of_expression(right, names);
            names.extend(keys.iter().map(|name| name.text.as_str()));
        }
        Operator::MvExpand { item, .. } => of_expression(&item.value, names),
        Operator::MvApply { item, steps } => {
            of_expression(&item.value, names);
            steps.iter().for_each(|step| of_step(step, names));
        }
        Operator::Sort(keys) => keys.iter().for_each(|(key, _)| of_expression(key, names)),
        Operator::Unread { .. } => {}
    }
}

/// A span of so many minutes, in which a manifest counts
pub(super) fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(count.into())
}
