//! The steps of a pipeline.
//!
//! In: rows and a step. Out: the rows that the next step sees. Names of computed columns are those that
//! Kusto's binder gives (`query::kusto`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compare::sorted;
use super::data::{Data, Row};
use super::node::{Cursor, Node};
use super::plan::{Scope, slot};
use super::run::Run;
use super::value::{Key, Value};
use super::{Fault, expand, group, join};
use crate::query::kusto::{
    Expression, Item, Name, Operator, Order, Slot, Step, Table, Type, called,
};

pub(super) fn step(run: &Run<'_>, lets: usize, data: Data, step: &Step) -> Result<Data, Fault> {
    match &step.operator {
        Operator::Where(condition) => filter(run, lets, &data, condition),
        Operator::Project(items) => {
            let computed = items_of(run, lets, &data, items)?;
            on_rows(&data, &computed)
        }
        Operator::Extend(items) => {
            let computed = items_of(run, lets, &data, items)?;
            extended(data, &computed)
        }
        Operator::Distinct(items) => {
            let computed = items_of(run, lets, &data, items)?;
            let mut made = on_rows(&data, &computed)?;
            let mut seen: BTreeSet<Vec<Option<Key>>> = BTreeSet::new();
            made.rows.retain(|row| seen.insert(row.iter().map(Value::key).collect()));
            Ok(made)
        }
        Operator::ProjectAway(names) => project_away(data, names),
        Operator::ProjectRename(pairs) => {
            let mut data = data;
            for (new, old) in pairs {
                let at = data.place(&old.text)?;
                data.header.columns[at].name.clone_from(&new.text);
            }
            Ok(data)
        }
        Operator::Summarize { aggregates, by } => {
            group::summarize(run, lets, data, (aggregates, by))
        }
        Operator::Join { kind, right, keys } => {
            let right = Arc::unwrap_or_clone(run.source(right, lets)?);
            join::join(data.settled(), right.settled(), *kind, keys)
        }
        Operator::MvExpand { item, to } => expand::expand(run, lets, data, (item, to.as_ref())),
        Operator::MvApply { item, steps } => expand::apply(run, lets, data, (item, steps)),
        Operator::Sort(keys) => sort(run, lets, data, keys),
        Operator::Unread { word, .. } => Err(Fault::new(format!("the step `{word}`"))),
    }
}

pub(super) fn filter(
    run: &Run<'_>,
    lets: usize,
    data: &Data,
    condition: &Expression,
) -> Result<Data, Fault> {
    let node = Scope { run, columns: &data.header, lets }.node(condition)?;
    let mut rows = Vec::new();
    for (at, row) in data.rows.iter().enumerate() {
        if node.on(Cursor { rows: &data.rows, at })?.is_true() {
            rows.push(row.clone());
        }
    }
    Ok(Data { header: data.header.clone(), rows })
}

/// A column that a step computes
pub(super) type Computed = (Slot, Node);

/// The columns of items, with the names that Kusto gives them
pub(super) fn items_of(
    run: &Run<'_>,
    lets: usize,
    data: &Data,
    items: &[Item],
) -> Result<Vec<Computed>, Fault> {
    let scope = Scope { run, columns: &data.header, lets };
    let planned = items.iter().map(|item| scope.plan(&item.value).map(|plan| (item, plan)));
    let planned = planned.collect::<Result<Vec<_>, _>>()?;
    let titles = planned.iter().map(|(item, (_, kind))| (title(item), *kind));
    let header = entitled(titles);
    let nodes = planned.into_iter().map(|(_, (node, _))| node);
    Ok(header.columns.into_iter().zip(nodes).collect())
}

/// The name of an item, and whether it is written out
fn title(item: &Item) -> (Option<String>, bool) {
    let written = item.name.as_ref().map(|name| name.text.clone());
    match written.or_else(|| item.value.as_name().map(ToOwned::to_owned)) {
        Some(name) => (Some(name), true),
        None => (called(&item.value), false),
    }
}

/// Columns with their names: a name that is taken gets a number
pub(super) fn entitled(
    titles: impl Iterator<Item = ((Option<String>, bool), Option<Type>)>,
) -> Table {
    let (mut header, mut number) = (Table::default(), 0);
    for (title, kind) in titles {
        match title {
            (Some(name), true) => header.columns.push(slot(&name, kind)),
            (Some(name), false) => header.add(&name, kind),
            (None, _) => {
                number += 1;
                header.add(&format!("Column{number}"), kind);
            }
        }
    }
    header
}

/// The rows with these columns alone
pub(super) fn on_rows(data: &Data, computed: &[Computed]) -> Result<Data, Fault> {
    let columns = computed.iter().map(|(slot, _)| slot.clone()).collect();
    let row = |at| {
        let values = computed.iter().map(|(_, node)| node.on(Cursor { rows: &data.rows, at }));
        values.collect::<Result<Row, Fault>>()
    };
    let rows = (0..data.rows.len()).map(row).collect::<Result<Vec<Row>, Fault>>()?;
    Ok(Data { header: Table { columns, ..Table::default() }, rows })
}

/// The rows with more columns
pub(super) fn extended(mut data: Data, computed: &[Computed]) -> Result<Data, Fault> {
    let made = on_rows(&data, computed)?;
    for (at, slot) in made.header.columns.iter().enumerate() {
        data.header.set(&slot.name, slot.kind);
        let place = data.place(&slot.name)?;
        for (row, new) in data.rows.iter_mut().zip(&made.rows) {
            match row.get_mut(place) {
                Some(old) => old.clone_from(&new[at]),
                None => row.push(new[at].clone()),
            }
        }
    }
    Ok(data)
}

fn project_away(mut data: Data, names: &[Name]) -> Result<Data, Fault> {
    for name in names {
        let at = data.place(&name.text)?;
        data.header.columns.remove(at);
        data.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }
    Ok(data)
}

/// Descending unless the query says otherwise (Microsoft, "sort operator")
fn sort(
    run: &Run<'_>,
    lets: usize,
    mut data: Data,
    keys: &[(Expression, Option<Order>)],
) -> Result<Data, Fault> {
    let scope = Scope { run, columns: &data.header, lets };
    let nodes = keys
        .iter()
        .map(|(key, order)| scope.node(key).map(|node| (node, *order == Some(Order::Ascending))));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    let mut places: Vec<(Vec<Value>, usize)> = Vec::new();
    for at in 0..data.rows.len() {
        let values = nodes.iter().map(|(node, _)| node.on(Cursor { rows: &data.rows, at }));
        places.push((values.collect::<Result<_, _>>()?, at));
    }
    places.sort_by(|(left, _), (right, _)| {
        let each = left.iter().zip(right).zip(&nodes).map(|((left, right), (_, ascending))| {
            let order = sorted(left, right);
            if *ascending { order } else { order.reverse() }
        });
        each.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    data.rows = places.into_iter().map(|(_, at)| data.rows[at].clone()).collect();
    data.header.sorted = true;
    Ok(data)
}

/// The rows of several tables; a name with two types is a column for each
pub(super) fn union(legs: &[Arc<Data>]) -> Result<Data, Fault> {
    let legs: Vec<Data> = legs.iter().map(|leg| (**leg).clone().settled()).collect();
    let headers: Vec<Table> = legs.iter().map(|leg| leg.header.clone()).collect();
    let header = Table::union(&headers);
    let mut all = Data { header, rows: Vec::new() };
    for leg in legs {
        let place = |slot: &Slot| {
            let apart = slot.kind.map(|kind| format!("{}_{kind}", slot.name));
            let plain = all.header.columns.iter().position(|known| known == slot);
            let position = plain.or_else(|| all.header.place_of(&apart?));
            position.ok_or_else(|| Fault::new(format!("`union` of the column `{}`", slot.name)))
        };
        let places = leg.header.columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        for row in leg.rows {
            let nothing = all.header.columns.iter().map(|slot| Value::nothing(slot.kind));
            let mut made: Row = nothing.collect();
            for (at, value) in places.iter().zip(row) {
                made[*at] = value;
            }
            all.rows.push(made);
        }
    }
    Ok(all)
}
