//! `prev` and `row_number`: functions of the order of rows.
//!
//! In: a row among others. Out: a value of an earlier row, or its number from 1.

use super::node::Cursor;
use super::value::Value;

#[derive(Debug, Clone)]
pub(super) enum Window {
    /// The value of a column so many rows before, and what stands in for none
    Prev(usize, usize, Value),
    RowNumber,
}

impl Window {
    pub(super) fn on(&self, cursor: Cursor<'_>) -> Value {
        match self {
            Window::Prev(column, back, nothing) => {
                let row = cursor.at.checked_sub(*back).and_then(|at| cursor.rows.get(at));
                row.map_or_else(|| nothing.clone(), |row| row[*column].clone())
            }
            Window::RowNumber => Value::Long(cursor.at as i64 + 1),
        }
    }
}
