//! Looks up the names of a query and computes its types.
//!
//! In: a [`Query`]. Out: the columns of its result, or all findings. Afterwards every name is known
//! to be a column, a name that `let` has set, or a table of the platform, and every operator and
//! function is known to take its operands and arguments.
//!
//! INVARIANT: one mistake is one finding. An expression with a finding has no type, and an unknown
//! table has every column, so that no mistake is reported twice.

mod call;
mod expression;
mod group;
mod item;
mod step;

pub(crate) use item::called;

use super::schema::Schema;
use super::table::{Slot, Table};
use super::tree::{Expression, Let, Pipeline, Place, Query, Source};
use super::{Column, Finding, Platform, Type};

pub(super) fn bind(
    query: &Query,
    (platform, schema): (Platform, &Schema),
) -> Result<Vec<Column>, Vec<Finding>> {
    let mut binder = Binder { platform, schema, lets: Vec::new(), findings: Vec::new() };
    for Let { name, value, .. } in &query.lets {
        let value = binder.pipeline(value);
        if binder.lets.iter().any(|(known, _)| *known == name.text) {
            binder.find(&name.place, format!("`let` has set `{}` already", name.text));
        }
        binder.lets.push((name.text.clone(), value));
    }
    let result = match binder.pipeline(&query.result) {
        Value::Table(table) => table,
        // The result has no type because of a finding that is already reported.
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

/// The result of an expression; a scalar has no type after a finding
#[derive(Debug, Clone)]
enum Value {
    Scalar(Option<Type>),
    Table(Table),
}

/// The rows that an expression may use
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    /// The table with these rows, if any
    table: Option<&'a Table>,
    /// Whether the expression is computed over groups of rows, so that aggregate functions are
    /// allowed
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

struct Binder<'s> {
    platform: Platform,
    schema: &'s Schema,
    lets: Vec<(String, Value)>,
    findings: Vec<Finding>,
}

impl Binder<'_> {
    fn find(&mut self, place: &Place, message: String) {
        self.findings.push(Finding { message, place: place.clone() });
    }

    /// Binds a pipeline that may give a value or rows
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

    /// Binds an expression that must give rows
    fn table(&mut self, expression: &Expression) -> Table {
        let value = self.value(expression, Scope::NOTHING);
        match value {
            Value::Table(table) => table,
            Value::Scalar(None) => Table::unknown(),
            Value::Scalar(Some(kind)) => {
                self.find(&expression.place, format!("a table is expected, and this is {kind}"));
                Table::unknown()
            }
        }
    }

    /// Resolves a name that is no column: a name that `let` has set, or a table
    fn named(&mut self, name: &str, place: &Place) -> Value {
        if let Some((_, value)) = self.lets.iter().rev().find(|(known, _)| known == name) {
            return value.clone();
        }
        let columns = self.schema.columns(name, self.platform).into_iter();
        let columns: Vec<Slot> =
            columns.map(|column| Slot { name: column.name, kind: Some(column.kind) }).collect();
        if !columns.is_empty() {
            return Value::Table(Table { columns, ..Table::default() });
        }
        let what = match self.schema.has(name) {
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
