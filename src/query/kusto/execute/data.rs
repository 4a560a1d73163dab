//! Rows between the steps of a query.
//!
//! In: rows of tables. Out: [`Data`]: columns with types, and rows. The time at which a row arrived
//! stands in a column of its own, which `ingestion_time()` alone sees, and which is gone once a row is no
//! longer one of its table (Microsoft, "ingestion_time()": it must be invoked on a table).

use std::borrow::Borrow;
use std::sync::Arc;

use super::value::Value;
use super::{Fault, time};
use crate::query::kusto::{Column, Slot, Table, Type};

/// The name of the column with the time of arrival; no query can write it
pub(super) const ARRIVED: &str = "$arrived";

/// The values of a row by the names of their columns
pub(super) type Values = serde_json::Map<String, serde_json::Value>;

/// A row
pub(super) type Row = Vec<Value>;

/// Columns and rows
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub(super) header: Table,
    pub(super) rows: Vec<Row>,
}

/// The rows of the tables that a query may ask
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<(String, Arc<Data>)>);

impl Rows {
    /// Adds a table: its columns, and for each row the time of arrival and the values by name
    pub(crate) fn add(
        &mut self,
        name: &str,
        columns: &[Column],
        rows: impl Iterator<Item = (jiff::Timestamp, impl Borrow<Values>)>,
    ) {
        let slot = |column: &Column| Slot { name: column.name.clone(), kind: Some(column.kind) };
        let arrived = Slot { name: ARRIVED.to_owned(), kind: Some(Type::DateTime) };
        let all = columns.iter().map(slot).chain([arrived]).collect();
        let rows = rows.map(|(arrived, row)| {
            let value = |column: &Column| match row.borrow().get(&column.name) {
                Some(json) => Value::of_json(json, column.kind),
                None => Value::nothing(Some(column.kind)),
            };
            let arrived = Value::Time(time::of_timestamp(arrived));
            columns.iter().map(value).chain([arrived]).collect()
        });
        let header = Table { columns: all, ..Table::default() };
        self.0.push((name.to_owned(), Arc::new(Data { header, rows: rows.collect() })));
    }

    /// The rows that a run sees: those that have arrived, and whose time its period reaches
    pub(crate) fn seen(&self, (from, now): (jiff::Timestamp, jiff::Timestamp), time: &str) -> Rows {
        let (from, now) = (time::of_timestamp(from), time::of_timestamp(now));
        let tables = self.0.iter().map(|(name, data)| {
            let places = [data.header.place_of(ARRIVED), data.header.place_of(time)];
            let is_seen = |row: &&Row| {
                let at = |place: Option<usize>| match place.map(|at| &row[at]) {
                    Some(Value::Time(ticks)) => *ticks,
                    Some(_) | None => now,
                };
                at(places[0]) <= now && at(places[1]) >= from
            };
            let rows = data.rows.iter().filter(is_seen).cloned().collect();
            (name.clone(), Arc::new(Data { header: data.header.clone(), rows }))
        });
        Rows(tables.collect())
    }

    pub(super) fn table(&self, name: &str) -> Result<Arc<Data>, Fault> {
        let entry = self.0.iter().find(|(known, _)| known == name);
        let (_, data) = entry.ok_or_else(|| Fault::new(format!("`{name}` has no rows here")))?;
        Ok(Arc::clone(data))
    }
}

/// The text of a value in a column of this type
pub(crate) fn text_of(json: &serde_json::Value, kind: Type) -> Arc<str> {
    Value::of_json(json, kind).to_text()
}

impl Data {
    /// The rows without the time of their arrival
    pub(super) fn settled(mut self) -> Data {
        if let Some(at) = self.header.place_of(ARRIVED) {
            self.header.columns.remove(at);
            self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
        self
    }

    /// The place of a column
    pub(super) fn place(&self, name: &str) -> Result<usize, Fault> {
        let place = self.header.place_of(name);
        place.ok_or_else(|| Fault::new(format!("there is no column `{name}`")))
    }

    /// The names of its columns
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.header.columns.iter().map(|slot| slot.name.as_str()).filter(|name| *name != ARRIVED)
    }

    /// The values of each row
    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = Vec<serde_json::Value>> {
        self.rows.iter().map(|row| row.iter().map(Value::to_json).collect())
    }

    /// The texts of a column, row by row; `None` without such a column
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<Arc<str>>> {
        let at = self.header.place_of(name)?;
        Some(self.rows.iter().map(|row| row[at].to_text()).collect())
    }

    /// The instants of a column, row by row, as ticks; null is the least
    pub(crate) fn instants(&self, name: &str) -> Option<Vec<i64>> {
        let at = self.header.place_of(name)?;
        let ticks = |row: &Row| if let Value::Time(ticks) = row[at] { ticks } else { i64::MIN };
        Some(self.rows.iter().map(ticks).collect())
    }
}
