//! Aggregate functions.
//!
//! In: the rows of a group. Out: one value. Null counts as nothing (Microsoft, "Null values").

use std::collections::BTreeSet;

use super::compare::sorted;
use super::data::Row;
use super::node::{Cursor, Node};
use super::value::{Key, Value};
use super::{Fault, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    CountDistinct,
    List,
    Set,
    Max,
    Min,
}

/// An aggregate: what it is of, which rows count, and how many values a list may have
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    kind: Kind,
    value: Option<Node>,
    condition: Option<Node>,
    most: usize,
}

impl Aggregate {
    /// The aggregate of a function with these arguments; `None` when it is not known here
    pub(super) fn of(name: &str, arguments: Vec<Node>) -> Option<Aggregate> {
        let (kind, has_condition) = match name {
            "count" | "countif" => (Kind::Count, name == "countif"),
            "count_distinct" => (Kind::CountDistinct, false),
            "count_distinctif" => (Kind::CountDistinct, true),
            "make_list_if" => (Kind::List, true),
            "make_set_if" => (Kind::Set, true),
            "max" => (Kind::Max, false),
            "min" => (Kind::Min, false),
            _ => return None,
        };
        let mut arguments = arguments.into_iter();
        // A number of rows is of no value.
        let value = if kind == Kind::Count { None } else { arguments.next() };
        let condition = if has_condition { arguments.next() } else { None };
        let most = match arguments.next() {
            None => usize::MAX,
            Some(Node::Value(number)) => usize::try_from(number.whole()?).ok()?,
            Some(_) => return None,
        };
        Some(Aggregate { kind, value, condition, most })
    }

    pub(super) fn on(&self, rows: &[Row], group: &[usize]) -> Outcome {
        let mut values: Vec<Value> = Vec::new();
        for at in group {
            let cursor = Cursor { rows, at: *at };
            if let Some(condition) = &self.condition
                && !condition.on(cursor)?.is_true()
            {
                continue;
            }
            match &self.value {
                Some(value) => values.push(value.on(cursor)?),
                None => values.push(Value::Bool(true)),
            }
        }
        values.retain(|value| !value.is_null());
        Ok(match self.kind {
            Kind::Count => Value::Long(values.len() as i64),
            Kind::CountDistinct => Value::Long(distinct(&values).len() as i64),
            Kind::List => list(values.iter().take(self.most)),
            Kind::Set => list(distinct(&values).into_iter().take(self.most)),
            Kind::Max => best(values, |new, old| sorted(new, old).is_gt()),
            Kind::Min => best(values, |new, old| sorted(new, old).is_lt()),
        })
    }
}

fn list<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    Value::dynamic(values.map(Value::to_json).collect::<Vec<_>>().into())
}

/// Each value once, in the order in which they come
fn distinct(values: &[Value]) -> Vec<&Value> {
    let mut seen: BTreeSet<Option<Key>> = BTreeSet::new();
    values.iter().filter(|value| seen.insert(value.key())).collect()
}

fn best(values: Vec<Value>, beats: impl Fn(&Value, &Value) -> bool) -> Value {
    let better = |old: Value, new: Value| if beats(&new, &old) { new } else { old };
    values.into_iter().reduce(better).unwrap_or(Value::Null)
}

/// The row of a group with the greatest or the least value of a node; of several, the first
pub(super) fn best_row(
    value: &Node,
    greatest: bool,
    rows: &[Row],
    group: &[usize],
) -> Result<Option<usize>, Fault> {
    let mut best: Option<(usize, Value)> = None;
    for at in group {
        let new = value.on(Cursor { rows, at: *at })?;
        let better = match &best {
            None => true,
            Some((_, old)) if old.is_null() => !new.is_null(),
            Some((_, old)) if greatest => sorted(&new, old).is_gt(),
            Some((_, old)) => !new.is_null() && sorted(&new, old).is_lt(),
        };
        if better {
            best = Some((*at, new));
        }
    }
    Ok(best.map(|(at, _)| at))
}
