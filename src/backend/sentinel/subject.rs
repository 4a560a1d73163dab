//! The left side of a text test.
//!
//! In: a column and the part of a field that the test compares. Out: an expression for that part.
//! It corrects the table's own notations: IIS's plus signs and dashes, Defender's empty name of a
//! default registry value, and the earlier names of renamed or deleted keys.

use super::context::Context;
use super::fields::{Column, Holds, Type};
use super::profile::Profile;
use crate::ir::{Part, Relation, TextTest};
use crate::pattern::Pattern;
use crate::query::kusto::Expression;

/// The compared part of a column; `fits` says whether the test could match a text
pub(super) fn left(
    context: &Context<'_, '_>,
    column: Column,
    part: Part,
    fits: impl Fn(&str) -> bool,
) -> Expression {
    let text = Expression::text;
    let value = match column.name {
        _ if context.earlier => earlier(context.profile, column.value),
        // IIS writes a blank as a plus sign.
        "csUserAgent" if fits(" ") => {
            Expression::call("replace_string", [column.value.clone(), text("+"), text(" ")])
        }
        _ => column.value.clone(),
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
        Part::Whole if column.kind == Type::Dashed && fits("-") => undashed(&value),
        // When the default value is set, Defender leaves the name empty; Sysmon writes `(Default)`.
        Part::Whole if column.name == "RegistryValueName" && fits("(Default)") => {
            let set = Expression::name("ActionType").compare("==", text("RegistryValueSet"));
            let default = Expression::all([is_empty(&value), set]);
            Expression::call("iff", [default, text("(Default)"), value])
        }
        Part::Whole | Part::Name | Part::Argument(_) | Part::Time(_) => value,
    }
}

/// The value, or empty text in place of `-`
pub(super) fn undashed(value: &Expression) -> Expression {
    let dash = value.clone().compare("==", Expression::text("-"));
    Expression::call("iff", [dash, Expression::text(""), value.clone()])
}

fn is_empty(value: &Expression) -> Expression {
    Expression::call("isempty", [value.clone()])
}

/// The name a registry key or value had before it was renamed or deleted
///
/// Defender keeps the earlier name in separate columns (Azure Sentinel repository, ASIM parser of
/// Microsoft 365 Defender registry events). The parser fills its own column for renamed keys only.
pub(super) fn earlier(profile: Profile, column: &Expression) -> Expression {
    let named = Expression::name;
    let either = |condition, then, other| Expression::call("iff", [condition, then, other]);
    match (column.as_name(), profile) {
        (Some("RegistryKey"), Profile::Asim) => {
            let previous = named("RegistryPreviousKey");
            either(is_empty(&previous), column.clone(), previous)
        }
        (Some("RegistryKey"), Profile::Defender | Profile::Xdr) => {
            let renamed = Expression::text("RegistryKeyRenamed");
            let renamed = named("ActionType").compare("==", renamed);
            let gone = Expression::any([renamed, is_empty(column)]);
            either(gone, named("PreviousRegistryKey"), column.clone())
        }
        (Some("RegistryValueName"), _) => {
            either(is_empty(column), named("PreviousRegistryValueName"), column.clone())
        }
        (_, _) => column.clone(),
    }
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
