//! The state that all predicates of one query share.
//!
//! In: the table, the `let` names in use and the losses noted so far. Out: a [`Context`] for every
//! kind of test, and expressions that several kinds of test need.

use super::lets::Lets;
use crate::backend::Losses;
use crate::ir::{Test, TextTest};
use crate::mapping::{Column, Kind, Table};
use crate::query::kusto::Expression;

/// The state that all predicates of one query share
pub(super) struct Context<'l, 'r> {
    pub(super) table: &'l Table,
    pub(super) lets: &'l mut Lets,
    pub(super) losses: &'l mut Losses<'r>,
    /// Whether the current test is under an even number of negations
    pub(super) positive: bool,
    /// Whether the rows can include renamed or deleted registry keys, which need their earlier name
    pub(super) earlier: bool,
}

pub(super) fn refuse(context: &mut Context<'_, '_>, test: &Test, message: String) -> Expression {
    context.losses.refuse(test.span, message, "no exact form in Kusto", "");
    Expression::truth(false)
}

/// A condition: the column has a value
pub(super) fn exists(kind: Kind, value: Expression) -> Expression {
    match kind {
        Kind::Number => Expression::call("isnotnull", [value]),
        Kind::Dashed => value.one_of("!in", vec![Expression::text(""), Expression::text("-")]),
        Kind::List => Expression::call("array_length", [value]).compare(">", Expression::number(0)),
        Kind::Text | Kind::Recased | Kind::Words | Kind::Truth => {
            Expression::call("isnotempty", [value])
        }
    }
}

/// The condition with null replaced by false, so that its negation is true there
pub(super) fn never_null(condition: Expression) -> Expression {
    Expression::call("coalesce", [condition, Expression::truth(false)])
}

/// A test of a column that holds the table's words for the values of a field
pub(super) fn words_of(column: &Column, text: &TextTest) -> Expression {
    let values: Vec<&str> = text.literals().collect();
    one_of(column, column.words_for(&values))
}

/// A test that a column holds any of the table's words for a field
pub(super) fn any_word(column: &Column) -> Expression {
    let values: Vec<&str> = column.words.iter().map(|(value, _)| value.as_str()).collect();
    one_of(column, column.words_for(&values))
}

fn one_of(column: &Column, words: Vec<&str>) -> Expression {
    let value = column.value.clone();
    match &*words {
        [only] => value.compare("==", Expression::text(only)),
        words => value.one_of("in", words.iter().map(|word| Expression::text(word)).collect()),
    }
}
