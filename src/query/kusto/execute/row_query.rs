//! A query over one table, asked of one row after another.
//!
//! In: a query, then rows. Out: what it returns of each. Steps that look at a row by itself are planned once;
//! a query with another step is run anew for each row.

use super::Fault;
use super::data::{Data, Rows, Values};
use super::node::{Cursor, Node};
use super::plan::Scope;
use super::run::Run;
use super::step::{Computed, extended, items_of, on_rows};
use crate::query::kusto::{Column, Operator, Query};
use jiff::Timestamp;

/// A query over one table
pub(crate) struct RowQuery {
    table: String,
    columns: Vec<Column>,
    query: Query,
    /// Its steps; `None` when one of them looks at several rows
    steps: Option<Vec<Planned>>,
}

/// A step that looks at a row by itself
enum Planned {
    Where(Node),
    Extend(Vec<Computed>),
    Project(Vec<Computed>),
}

impl RowQuery {
    /// The query, over rows with these columns
    ///
    /// # Errors
    /// What of it is not executed.
    pub(crate) fn new(table: &str, columns: Vec<Column>, query: Query) -> Result<RowQuery, Fault> {
        let steps = plan(table, &columns, &query)?;
        Ok(RowQuery { table: table.to_owned(), columns, query, steps })
    }

    /// What it returns of a row with these values
    ///
    /// # Errors
    /// What was not executed.
    pub(crate) fn on(&self, row: &Values) -> Result<Data, Fault> {
        let rows = one(&self.table, &self.columns, Some(row));
        let Some(steps) = &self.steps else {
            return Run::new(&self.query, &rows, Timestamp::UNIX_EPOCH).result();
        };
        let mut data = std::sync::Arc::unwrap_or_clone(rows.table(&self.table)?);
        for step in steps {
            match step {
                Planned::Where(condition) => {
                    let at = Cursor { rows: &data.rows, at: 0 };
                    if !data.rows.is_empty() && !condition.on(at)?.is_true() {
                        data.rows.clear();
                    }
                }
                Planned::Extend(computed) => data = extended(data, computed)?,
                Planned::Project(computed) => data = on_rows(&data, computed)?,
            }
        }
        Ok(data)
    }
}

/// The steps of a query, planned; `None` when one of them looks at several rows
fn plan(table: &str, columns: &[Column], query: &Query) -> Result<Option<Vec<Planned>>, Fault> {
    let rows = one(table, columns, None);
    let run = Run::new(query, &rows, Timestamp::UNIX_EPOCH);
    let lets = query.lets.len();
    let mut data = std::sync::Arc::unwrap_or_clone(rows.table(table)?);
    let mut steps = Vec::new();
    for step in &query.result.steps {
        steps.push(match &step.operator {
            Operator::Where(condition) => {
                Planned::Where(Scope { run: &run, columns: &data.header, lets }.node(condition)?)
            }
            Operator::Extend(items) => {
                let computed = items_of(&run, lets, &data, items)?;
                data = extended(data, &computed)?;
                Planned::Extend(computed)
            }
            Operator::Project(items) => {
                let computed = items_of(&run, lets, &data, items)?;
                data = on_rows(&data, &computed)?;
                Planned::Project(computed)
            }
            Operator::Distinct(_)
            | Operator::ProjectAway(_)
            | Operator::ProjectRename(_)
            | Operator::Summarize { .. }
            | Operator::Join { .. }
            | Operator::MvExpand { .. }
            | Operator::MvApply { .. }
            | Operator::Sort(_)
            | Operator::Unread { .. } => return Ok(None),
        });
    }
    Ok(Some(steps))
}

/// The table with one row or with none
fn one(table: &str, columns: &[Column], row: Option<&Values>) -> Rows {
    let mut rows = Rows::default();
    rows.add(table, columns, row.into_iter().map(|row| (Timestamp::UNIX_EPOCH, row)));
    rows
}
