//! The steps that prepare the rows of a table.
//!
//! In: a table, the condition that selects its rows, and the steps of a signal. Out: all steps in
//! order: the cheap condition first, then the columns that the signal uses, and no other. Signals
//! that read one table share the prepared rows.

use std::collections::{BTreeMap, BTreeSet};

use super::lets::Lets;
use super::profile::Profile;
use crate::backend::Session;
use crate::ir::Rule;
use crate::mapping::{Rows, Table};
use crate::query::kusto::{Expression, Item, Let, Operator, Pipeline, Step};
use crate::taxonomy::EventKind;

/// The `let` name of the prepared table, for each log source that several signals read
pub(super) type Sources<'m> = BTreeMap<EventKind, (&'m Table, String)>;

/// Names the tables that several signals read and that have to be prepared
pub(super) fn shared<'r>(
    profile: Profile,
    rule: &'r Rule,
    session: &Session<'r>,
    lets: &mut Lets,
) -> Sources<'r> {
    let mut sources = Sources::new();
    for (at, signal) in rule.signals.iter().enumerate() {
        let kind = &signal.kind;
        let again = rule.signals[at + 1..].iter().any(|other| other.kind == *kind);
        if !again || sources.contains_key(kind) {
            continue;
        }
        let mut tables = profile.tables_of(session, signal);
        let Some(table) = tables.next().filter(|table| !table.prepare.is_empty()) else {
            continue;
        };
        let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = kind.name().chars().map(letter).collect();
        sources.insert(kind.clone(), (table, lets.name(&format!("all_{name}"))));
    }
    sources
}

/// The statements of the shared tables, with the columns that these rows use
///
/// Rows that use no prepared column come from the table itself.
pub(super) fn statements<'p>(
    sources: &Sources<'_>,
    lets: &mut Lets,
    signals: impl IntoIterator<Item = &'p mut Pipeline>,
) -> Vec<Let> {
    let mut signals: Vec<&mut Pipeline> = signals.into_iter().collect();
    let mut statements = Vec::new();
    for (table, name) in sources.values() {
        let mut used = BTreeSet::new();
        for rows in signals.iter().filter(|rows| rows.reads(name)) {
            rows.steps.iter().for_each(|step| step.collect_names(&mut used));
        }
        let prepared = needed(&table.prepare, used);
        let scope = condition_of_all(table).map(Step::filter);
        if prepared.is_empty() {
            for rows in signals.iter_mut().filter(|rows| rows.reads(name)) {
                **rows = Pipeline::of(&table.name, scope.clone()).then(rows.steps.drain(..));
            }
            continue;
        }
        let mut used = BTreeSet::new();
        prepared.iter().for_each(|step| step.collect_names(&mut used));
        let added: Vec<Item> = used.iter().filter_map(|name| table.added(name)).collect();
        let added = (!added.is_empty()).then(|| Step::extend(added).on_own_lines());
        state_lists(table, added.iter().chain(&prepared), lets);
        let (early, late) = split_early(scope.into_iter().collect(), &prepared);
        let rows = Pipeline::of(&table.name, early).then(added).then(prepared).then(late);
        statements.push(Let::new(name, rows));
    }
    statements
}

/// The rows of a table after these steps
pub(super) fn rows(
    (sources, lets): (&Sources<'_>, &mut Lets),
    table: &Table,
    scope: Option<Step>,
    steps: Vec<Step>,
) -> Pipeline {
    let mut used = BTreeSet::new();
    scope.iter().chain(&steps).for_each(|step| step.collect_names(&mut used));
    let prepared = needed(&table.prepare, used.clone());
    prepared.iter().for_each(|step| step.collect_names(&mut used));
    let added: Vec<Item> = used.iter().filter_map(|name| table.added(name)).collect();
    let added = (!added.is_empty()).then(|| Step::extend(added).on_own_lines());
    state_lists(table, added.iter().chain(&prepared), lets);
    let shared = sources.get(&table.events).filter(|(of, _)| std::ptr::eq(*of, table));
    if let Some((_, name)) = shared {
        let all = condition_of_all(table);
        let of_all = all.iter().flat_map(Expression::conjuncts).collect::<Vec<_>>();
        let scope = scope.and_then(|scope| scope.parted(|test| !of_all.contains(&test)).0);
        return Pipeline::of(name, []).then(scope).then(added).then(steps);
    }
    let mut asked = BTreeSet::new();
    scope.iter().for_each(|step| step.collect_names(&mut asked));
    let only_adds = table.prepare.iter().all(|step| matches!(step.operator, Operator::Extend(_)));
    let prepared: Vec<Step> = added.into_iter().chain(prepared).collect();
    let mut made = prepared.iter().flat_map(items).filter_map(|item| item.name.as_ref());
    let rows = Pipeline::of(&table.name, []);
    let (early, steps) = split_early(steps, &prepared);
    match only_adds && !made.any(|name| asked.contains(&name.text)) {
        true => rows.then(scope).then(early).then(prepared).then(steps),
        false => rows.then(early).then(prepared).then(scope).then(steps),
    }
}

/// The condition that selects the rows of a table, where it is the same for every signal
fn condition_of_all(table: &Table) -> Option<Expression> {
    match &table.rows {
        Rows::Where(condition) => Some(condition.clone()),
        Rows::With(_) | Rows::All => None,
    }
}

/// Collects the names that a prepared step makes; of a step that takes a value apart, all its names
fn touch(step: &Step, touched: &mut BTreeSet<String>) {
    let made = |item: &Item| item.name.as_ref().map(|name| name.text.clone());
    if let Operator::Extend(items) = &step.operator {
        touched.extend(items.iter().filter_map(made));
        return;
    }
    step.collect_names(touched);
    if let Operator::MvApply { steps, .. } = &step.operator {
        steps.iter().for_each(|step| touch(step, touched));
    }
    if let Operator::Summarize { aggregates, .. } = &step.operator {
        touched.extend(aggregates.iter().filter_map(made));
    }
}

/// The filters that can stand before the prepared columns, and the other steps
///
/// Such a filter names nothing that another step makes or a prepared step takes apart, so that rows which
/// it drops are never prepared.
fn split_early(steps: Vec<Step>, prepared: &[Step]) -> (Vec<Step>, Vec<Step>) {
    let mut touched = BTreeSet::new();
    let adds = |step: &&Step| matches!(step.operator, Operator::Extend(_));
    let made = prepared.iter().chain(steps.iter().filter(adds));
    made.for_each(|step| touch(step, &mut touched));
    if prepared.is_empty() {
        return (Vec::new(), steps);
    }
    let is_early = |test: &Expression| test.names().is_disjoint(&touched);
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for step in steps {
        let (first, rest) = step.parted(is_early);
        early.extend(first);
        late.extend(rest);
    }
    (early, late)
}

/// States the lists of a mapping that these steps name
///
/// No other list and no signal has the name of one: theirs begin with a lower-case letter.
fn state_lists<'s>(table: &Table, steps: impl IntoIterator<Item = &'s Step>, lets: &mut Lets) {
    let mut used = BTreeSet::new();
    steps.into_iter().for_each(|step| step.collect_names(&mut used));
    for (name, values) in table.lists.iter().filter(|(name, _)| used.contains(name)) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        lets.list(name, &values);
    }
}

/// The steps without the added columns that nothing uses
fn needed(prepare: &[Step], mut used: BTreeSet<String>) -> Vec<Step> {
    let mut kept = Vec::new();
    for step in prepare.iter().rev() {
        let mut step = step.clone();
        if let Operator::Extend(items) = &mut step.operator {
            items.retain(|item| item.name.as_ref().is_none_or(|name| used.contains(&name.text)));
            if items.is_empty() {
                continue;
            }
        }
        step.collect_names(&mut used);
        kept.push(step);
    }
    kept.reverse();
    kept
}

fn items(step: &Step) -> &[Item] {
    if let Operator::Extend(items) = &step.operator { items } else { &[] }
}
