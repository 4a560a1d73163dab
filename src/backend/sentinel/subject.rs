//! The left side of a text test.
//!
//! In: a column and the part of a field that the test compares. Out: an expression for that part.
//! It corrects the table's own notations, which the mapping names: dashes for missing values, signs
//! for blanks, empty texts with a meaning, and values from before a renaming or a deletion.

use super::context::Context;
use crate::ir::{Part, Relation, TextTest};
use crate::mapping::{Column, Holds, Kind};
use crate::pattern::Pattern;
use crate::query::kusto::Expression;

/// The compared part of a column; `fits` says whether the test could match a text
pub(super) fn left(
    context: &Context<'_, '_>,
    column: &Column,
    part: Part,
    fits: impl Fn(&str) -> bool,
) -> Expression {
    let text = Expression::text;
    let value = match (&column.earlier, &column.blank) {
        (Some(earlier), _) if context.earlier => earlier.clone(),
        (_, Some(blank)) if fits(" ") => {
            Expression::call("replace_string", [column.value.clone(), text(blank), text(" ")])
        }
        (_, _) => column.value.clone(),
    };
    let extract = |pattern: &str, value| {
        Expression::call("extract", [text(pattern), Expression::number(1), value])
    };
    let whole = column.holds == Holds::Whole;
    match part {
        Part::Extension if whole => extract(r"\.([^.\\/]*)$", value),
        Part::Extension => extract(r"\.([^.]*)$", value),
        Part::Name if whole => extract(r"([^\\/]*)$", value),
        Part::Key => Expression::call("strcat", [value, text(r"\")]),
        // A dash stands for a missing value, so the test must not match it.
        Part::Whole if column.kind == Kind::Dashed && fits("-") => undashed(&value),
        Part::Whole => match &column.empty {
            Some((means, rows)) if fits(means) => {
                let empty = Expression::call("isempty", [value.clone()]);
                let condition = Expression::all([empty, rows.clone()]);
                Expression::call("iff", [condition, text(means), value])
            }
            Some(_) | None => value,
        },
        Part::Name | Part::Argument(_) | Part::Time(_) => value,
    }
}

/// The value, or empty text in place of `-`
pub(super) fn undashed(value: &Expression) -> Expression {
    let dash = value.clone().compare("==", Expression::text("-"));
    Expression::call("iff", [dash, Expression::text(""), value.clone()])
}

/// Whether a test could match the text; may be true for a text that does not match
pub(super) fn may_fit(test: &TextTest, text: &str) -> bool {
    match test.relation {
        Relation::Equals => test.has(text),
        Relation::Starts | Relation::Ends | Relation::Contains | Relation::Wildcard => {
            let fits = |value: &Pattern| value.literals().all(|literal| text.contains(literal));
            test.values.iter().any(fits)
        }
    }
}
