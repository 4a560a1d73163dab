//! `join`.
//!
//! In: two tables and the names of their keys. Out: pairs of rows with equal keys, and what the kind of
//! the join keeps besides. Letter case counts. A key that is null is a fault: Microsoft does not say what
//! it equals.
//!
//! Source: Microsoft, "join operator".

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::data::{Data, Row};
use super::value::{Key, Value};
use crate::query::kusto::{JoinKind, Name};

pub(super) fn join(left: Data, right: Data, kind: JoinKind, keys: &[Name]) -> Result<Data, Fault> {
    let places =
        |data: &Data| keys.iter().map(|key| data.place(&key.text)).collect::<Result<Vec<_>, _>>();
    let (left_keys, right_keys) = (places(&left)?, places(&right)?);
    let mut of_key: BTreeMap<Vec<Key>, Vec<usize>> = BTreeMap::new();
    for (at, row) in right.rows.iter().enumerate() {
        of_key.entry(key_of(row, &right_keys)?).or_default().push(at);
    }
    let header = match kind {
        JoinKind::LeftAnti | JoinKind::LeftSemi => left.header.clone(),
        JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftOuter => {
            left.header.clone().join(&right.header)
        }
    };
    let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
    let mut rows: Vec<Row> = Vec::new();
    for row in left.rows {
        let key = key_of(&row, &left_keys)?;
        // Kusto takes any of the left rows with one key; here it is the first.
        if kind == JoinKind::InnerUnique && !seen.insert(key.clone()) {
            continue;
        }
        let others = of_key.get(&key).map_or(&[][..], Vec::as_slice);
        match kind {
            JoinKind::LeftAnti if others.is_empty() => rows.push(row),
            JoinKind::LeftSemi if !others.is_empty() => rows.push(row),
            JoinKind::LeftAnti | JoinKind::LeftSemi => {}
            JoinKind::LeftOuter if others.is_empty() => {
                let nothing = right.header.columns.iter().map(|slot| Value::nothing(slot.kind));
                rows.push(row.into_iter().chain(nothing).collect());
            }
            JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftOuter => {
                let pairs = others.iter().map(|at| row.iter().chain(&right.rows[*at]).cloned());
                rows.extend(pairs.map(Iterator::collect::<Row>));
            }
        }
    }
    Ok(Data { header, rows })
}

/// The key of a row
fn key_of(row: &Row, places: &[usize]) -> Result<Vec<Key>, Fault> {
    let key = |at: &usize| row[*at].key().ok_or_else(|| Fault::new("`join` on a key that is null"));
    places.iter().map(key).collect()
}
