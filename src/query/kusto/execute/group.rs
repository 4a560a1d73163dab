//! `summarize`.
//!
//! In: rows, keys and aggregates. Out: a row for each group: the keys, then the aggregates. Without keys
//! all rows are one group, even when there are none (Microsoft, "summarize operator").

use std::collections::BTreeMap;

use super::Fault;
use super::aggregate::{Aggregate, best_row};
use super::data::{Data, Row};
use super::function;
use super::node::{Cursor, Node};
use super::plan::{Planned, Scope, gives};
use super::run::Run;
use super::step::{Computed, entitled, items_of};
use super::value::{Key, Value};
use crate::query::kusto::{Expression, Item, Kind, Slot, Stage, Table, Type, called, named};

/// What gives the values of columns beside the keys
enum Part {
    /// A value of aggregates, which stand in a row of their own
    Value(Node, Vec<Aggregate>),
    /// The row with the greatest or least value: that value, and columns of the row
    Best { value: Node, greatest: bool, columns: Vec<Node> },
}

pub(super) fn summarize(
    run: &Run<'_>,
    lets: usize,
    data: Data,
    (aggregates, by): (&[Item], &[Item]),
) -> Result<Data, Fault> {
    let data = data.settled();
    let keys = items_of(run, lets, &data, by)?;
    let scope = Scope { run, columns: &data.header, lets };
    let (mut titles, mut parts) = (Vec::new(), Vec::new());
    for item in aggregates {
        let (part, columns) = part_of(scope, item, by)?;
        parts.push(part);
        titles.extend(columns);
    }
    let mut header = Table::default();
    keys.iter().for_each(|(slot, _)| header.columns.push(slot.clone()));
    let named = entitled(titles.into_iter());
    named.columns.iter().for_each(|slot| add(&mut header, slot));
    let mut rows = Vec::new();
    for (key, group) in groups(&data, &keys)? {
        let mut row = key;
        for part in &parts {
            part.on(&data.rows, &group, &mut row)?;
        }
        rows.push(row);
    }
    Ok(Data { header, rows })
}

fn add(header: &mut Table, slot: &Slot) {
    header.add(&slot.name, slot.kind);
}

/// The groups in the order in which their first rows come: their keys and the places of their rows
fn groups(data: &Data, keys: &[Computed]) -> Result<Vec<(Row, Vec<usize>)>, Fault> {
    let mut places: BTreeMap<Vec<Option<Key>>, usize> = BTreeMap::new();
    let mut groups: Vec<(Row, Vec<usize>)> = Vec::new();
    if keys.is_empty() {
        return Ok(vec![(Vec::new(), (0..data.rows.len()).collect())]);
    }
    for at in 0..data.rows.len() {
        let values = keys.iter().map(|(_, node)| node.on(Cursor { rows: &data.rows, at }));
        let values = values.collect::<Result<Row, _>>()?;
        let key: Vec<Option<Key>> = values.iter().map(Value::key).collect();
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, rows)) => rows.push(at),
            None => groups.push((values, vec![at])),
        }
    }
    Ok(groups)
}

/// The name of a column, whether it is written out, and its type
type Titled = ((Option<String>, bool), Option<Type>);

fn part_of(scope: Scope<'_, '_>, item: &Item, by: &[Item]) -> Result<(Part, Vec<Titled>), Fault> {
    let written = item.name.as_ref().map(|name| name.text.clone());
    if let Kind::Call { name, arguments } = &item.value.kind
        && let "arg_max" | "arg_min" = name.text.as_str()
        && let Some((value, others)) = arguments.split_first()
    {
        let (node, kind) = scope.plan(value)?;
        let mut columns = vec![node.clone()];
        let own = match written {
            Some(name) => (Some(name), true),
            None => (called(value), false),
        };
        let mut titles = vec![(own, kind)];
        for other in others {
            beside(scope, other, (value, by), &mut columns, &mut titles)?;
        }
        let greatest = name.text == "arg_max";
        return Ok((Part::Best { value: node, greatest, columns }, titles));
    }
    let mut aggregates = Vec::new();
    let (node, kind) = grouped(scope, &item.value, &mut aggregates)?;
    let title = match written {
        Some(name) => (Some(name), true),
        None => (called(&item.value), false),
    };
    Ok((Part::Value(node, aggregates), vec![(title, kind)]))
}

/// The columns that stand beside the best value; `*` is all that are not spent otherwise
fn beside(
    scope: Scope<'_, '_>,
    other: &Expression,
    (value, by): (&Expression, &[Item]),
    columns: &mut Vec<Node>,
    titles: &mut Vec<Titled>,
) -> Result<(), Fault> {
    if other.kind != Kind::Star {
        let (node, kind) = scope.plan(other)?;
        columns.push(node);
        titles.push(((called(other), false), kind));
        return Ok(());
    }
    let spent = by.iter().map(|key| &key.value).chain([value]);
    let spent: Vec<&str> = spent.filter_map(Expression::as_name).collect();
    let all = scope.columns.columns.iter().enumerate();
    for (at, slot) in all.filter(|(_, slot)| !spent.contains(&slot.name.as_str())) {
        columns.push(Node::Column(at));
        titles.push(((Some(slot.name.clone()), false), slot.kind));
    }
    Ok(())
}

/// An expression over groups: each aggregate in it becomes a column of a row of aggregates
fn grouped(
    scope: Scope<'_, '_>,
    expression: &Expression,
    aggregates: &mut Vec<Aggregate>,
) -> Result<Planned, Fault> {
    let Kind::Call { name, arguments } = &expression.kind else {
        return if matches!(expression.kind, Kind::Literal(_)) {
            scope.plan(expression)
        } else {
            Err(Fault::new("a value of rows and aggregates together"))
        };
    };
    let unknown = || Fault::new(format!("the function `{}`", name.text));
    let signatures = named(&name.text);
    let signature = *signatures.first().ok_or_else(unknown)?;
    if !signatures.iter().any(|one| one.takes(arguments.len())) {
        return Err(unknown());
    }
    if signature.stage == Stage::Aggregate {
        let planned = arguments.iter().map(|one| scope.plan(one));
        let (nodes, kinds): (Vec<Node>, Vec<Option<Type>>) =
            planned.collect::<Result<Vec<Planned>, _>>()?.into_iter().unzip();
        aggregates.push(Aggregate::of(&name.text, nodes).ok_or_else(unknown)?);
        let kind = gives(&signature.gives, &name.text, &kinds);
        return Ok((Node::Column(aggregates.len() - 1), kind));
    }
    let planned = arguments.iter().map(|one| grouped(scope, one, aggregates));
    let (nodes, kinds): (Vec<Node>, Vec<Option<Type>>) =
        planned.collect::<Result<Vec<Planned>, _>>()?.into_iter().unzip();
    let function = function::named(&name.text).ok_or_else(unknown)?;
    Ok((Node::Call(function, nodes), gives(&signature.gives, &name.text, &kinds)))
}

impl Part {
    /// Adds its values to the row of a group
    fn on(&self, rows: &[Row], group: &[usize], made: &mut Row) -> Result<(), Fault> {
        match self {
            Part::Value(node, aggregates) => {
                let values = aggregates.iter().map(|one| one.on(rows, group));
                let row = values.collect::<Result<Row, _>>()?;
                made.push(node.on(Cursor { rows: &[row], at: 0 })?);
            }
            Part::Best { value, greatest, columns } => {
                let best = best_row(value, *greatest, rows, group)?;
                for column in columns {
                    made.push(match best {
                        Some(at) => column.on(Cursor { rows, at })?,
                        None => return Err(Fault::new("the best of no rows")),
                    });
                }
            }
        }
        Ok(())
    }
}
