//! `mv-expand` and `mv-apply`.
//!
//! In: rows with a list. Out: a row for each item of the list, or what inner steps make of the items of
//! each row. A row without a list stays, with null (Microsoft, "mv-expand operator").

use super::data::{ARRIVED, Data, Row};
use super::node::Cursor;
use super::plan::Scope;
use super::run::Run;
use super::step::step;
use super::value::Value;
use super::{Fault, time};
use crate::query::kusto::{Item, Name, Step, Type, called};

/// The name of the column that an item expands
fn name_of(item: &Item) -> String {
    let written = item.name.as_ref().map(|name| name.text.clone());
    written.or_else(|| called(&item.value)).unwrap_or_else(|| "Column1".to_owned())
}

/// The items of each row
fn lists(run: &Run<'_>, lets: usize, data: &Data, item: &Item) -> Result<Vec<Vec<Value>>, Fault> {
    let node = Scope { run, columns: &data.header, lets }.node(&item.value)?;
    let list = |at| {
        let value = node.on(Cursor { rows: &data.rows, at })?;
        match (value.list(), &value) {
            (Some(list), _) => Ok(list.iter().map(|one| Value::dynamic(one.clone())).collect()),
            (None, Value::Null) => Ok(Vec::new()),
            (None, _) => Err(Fault::new("the parts of what is no list")),
        }
    };
    (0..data.rows.len()).map(list).collect()
}

fn put(data: &mut Data, row: &mut Row, name: &str, value: Value) {
    match data.header.place_of(name).and_then(|at| row.get_mut(at)) {
        Some(old) => *old = value,
        None => row.push(value),
    }
}

pub(super) fn expand(
    run: &Run<'_>,
    lets: usize,
    mut data: Data,
    (item, to): (&Item, Option<&Name>),
) -> Result<Data, Fault> {
    let (name, lists) = (name_of(item), lists(run, lets, &data, item)?);
    let kind = match to {
        None => Type::Dynamic,
        Some(to) => Type::named(&to.text).ok_or_else(|| Fault::new("an unknown type"))?,
    };
    data.header.set(&name, Some(kind));
    let mut made = Vec::new();
    for (row, mut list) in std::mem::take(&mut data.rows).into_iter().zip(lists) {
        if list.is_empty() {
            list.push(Value::Null);
        }
        for value in list {
            let mut row = row.clone();
            put(&mut data, &mut row, &name, of_kind(value, kind)?);
            made.push(row);
        }
    }
    data.rows = made;
    Ok(data)
}

fn of_kind(value: Value, kind: Type) -> Result<Value, Fault> {
    match kind {
        Type::Dynamic => Ok(value),
        Type::String => Ok(Value::Text(value.to_text())),
        Type::DateTime => Ok(time::instant(&value.to_text()).map_or(Value::Null, Value::Time)),
        Type::Long => Ok(value.plain().whole().map_or(Value::Null, Value::Long)),
        Type::Bool | Type::Decimal | Type::Guid | Type::Int | Type::Real | Type::TimeSpan => {
            Err(Fault::new(format!("`mv-expand` to {kind}")))
        }
    }
}

/// Runs the inner steps on the items of each row; their columns are added to the row
pub(super) fn apply(
    run: &Run<'_>,
    lets: usize,
    mut data: Data,
    (item, steps): (&Item, &[Step]),
) -> Result<Data, Fault> {
    let (name, lists) = (name_of(item), lists(run, lets, &data, item)?);
    let mut inner = data.header.clone();
    inner.set(&name, Some(Type::Dynamic));
    let mut rows = Vec::new();
    let outer = data.header.clone();
    // The columns are known without any row.
    let empty = Data { header: inner.clone(), rows: Vec::new() };
    let made = steps.iter().try_fold(empty, |items, one| step(run, lets, items, one))?;
    for slot in made.header.columns.iter().filter(|slot| slot.name != ARRIVED) {
        data.header.set(&slot.name, slot.kind);
    }
    for (row, list) in std::mem::take(&mut data.rows).into_iter().zip(lists) {
        if list.is_empty() {
            // Microsoft does not say what is left of such a row.
            return Err(Fault::new("`mv-apply` of an empty list"));
        }
        let mut items = Data { header: outer.clone(), rows: Vec::new() };
        for value in list {
            let mut row = row.clone();
            put(&mut items, &mut row, &name, value);
            items.rows.push(row);
        }
        items.header = inner.clone();
        let made = steps.iter().try_fold(items, |items, one| step(run, lets, items, one))?;
        for new in made.rows {
            let mut all = row.clone();
            for (slot, value) in made.header.columns.iter().zip(new) {
                if slot.name != ARRIVED {
                    put(&mut data, &mut all, &slot.name, value);
                }
            }
            rows.push(all);
        }
    }
    data.rows = rows;
    Ok(data)
}
