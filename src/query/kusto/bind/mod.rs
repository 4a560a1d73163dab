//! Names and types of a query, looked up and computed.
//!
//! In: a [`Query`] as it is written. Out: the columns of its result, or all findings. Afterwards
//! every name is known to be a column, a name that `let` has set, or a table of the platform, and
//! every operator and function is known to take what it is given.
//!
//! INVARIANT: one mistake is one finding. What follows from it has no type, and a table that is
//! not known has any column, so that nothing is said twice.

mod call;
mod expression;
mod group;
mod item;
mod step;

use super::schema;
use super::table::{Slot, Table};
use super::tree::{Expression, Let, Pipeline, Place, Query, Source};
use super::{Column, Finding, Platform, Type};

pub(super) fn bind(query: &Query, platform: Platform) -> Result<Vec<Column>, Vec<Finding>> {
    let mut binder = Binder { platform, lets: Vec::new(), findings: Vec::new() };
    for Let { name, value, .. } in &query.lets {
        let value = binder.pipeline(value);
        if binder.lets.iter().any(|(known, _)| *known == name.text) {
            binder.find(&name.place, format!("`let` has set `{}` already", name.text));
        }
        binder.lets.push((name.text.clone(), value));
    }
    let result = match binder.pipeline(&query.result) {
        Value::Table(table) => table,
        // What it would be is known after the finding is mended.
        Value::Scalar(None) => Table::unknown(),
        Value::Scalar(Some(_)) => {
            binder.find(&query.result.place, "the query gives a value and no rows".to_owned());
            Table::unknown()
        }
    };
    let mut findings = binder.findings;
    findings.sort_by_key(|finding| (finding.place.start, finding.place.end));
    if findings.is_empty() { Ok(result.into_columns()) } else { Err(findings) }
}

/// What an expression gives; a value after a finding has no type
#[derive(Debug, Clone)]
enum Value {
    Scalar(Option<Type>),
    Table(Table),
}

/// What an expression sees
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    /// The rows it is computed of, if any
    table: Option<&'a Table>,
    /// Whether it is computed of groups of them, so that aggregate functions may stand there
    grouped: bool,
}

impl<'a> Scope<'a> {
    const NOTHING: Scope<'static> = Scope { table: None, grouped: false };

    fn rows(table: &'a Table) -> Scope<'a> {
        Scope { table: Some(table), grouped: false }
    }

    fn groups(table: &'a Table) -> Scope<'a> {
        Scope { table: Some(table), grouped: true }
    }
}

struct Binder {
    platform: Platform,
    lets: Vec<(String, Value)>,
    findings: Vec<Finding>,
}

impl Binder {
    fn find(&mut self, place: &Place, message: String) {
        self.findings.push(Finding { message, place: place.clone() });
    }

    /// A pipeline where both a value and rows may stand
    fn pipeline(&mut self, pipeline: &Pipeline) -> Value {
        match &pipeline.source {
            Source::Expression(value) if pipeline.steps.is_empty() => {
                self.value(value, Scope::NOTHING)
            }
            Source::Expression(_) | Source::Union(..) => Value::Table(self.rows(pipeline)),
        }
    }

    fn rows(&mut self, pipeline: &Pipeline) -> Table {
        let mut table = match &pipeline.source {
            Source::Expression(source) => self.table(source),
            Source::Union(legs, _) => {
                let tables: Vec<Table> = legs.iter().map(|leg| self.table(leg)).collect();
                Table::union(&tables)
            }
        };
        for step in &pipeline.steps {
            table = self.step(table, step);
        }
        table
    }

    /// An expression where only rows may stand
    fn table(&mut self, expression: &Expression) -> Table {
        let found = self.value(expression, Scope::NOTHING);
        match found {
            Value::Table(table) => table,
            Value::Scalar(None) => Table::unknown(),
            Value::Scalar(Some(kind)) => {
                self.find(&expression.place, format!("a table is expected, and this is {kind}"));
                Table::unknown()
            }
        }
    }

    /// What a name that is no column stands for
    fn named(&mut self, name: &str, place: &Place) -> Value {
        if let Some((_, value)) = self.lets.iter().rev().find(|(known, _)| known == name) {
            return value.clone();
        }
        let columns = schema::columns(name, self.platform);
        let columns: Vec<Slot> =
            columns.map(|row| Slot { name: row.column.to_owned(), kind: Some(row.kind) }).collect();
        if !columns.is_empty() {
            return Value::Table(Table { columns, ..Table::default() });
        }
        let what = match schema::is_known(name) {
            true => format!("`{name}` is not a table of {}", self.platform),
            false => format!(
                "`{name}` is not a table of {} that is known here, nor set by `let`",
                self.platform
            ),
        };
        self.find(place, what);
        Value::Scalar(None)
    }
}
