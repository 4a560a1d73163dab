//! What of a column a text test compares.
//!
//! In: a column and the part of a field that is asked for. Out: an expression for that part, with
//! what the table writes in a way of its own put right.

use super::context::Context;
use super::fields::{Column, Holds, Type};
use super::profile::Profile;
use crate::ir::{Part, Relation};
use crate::pattern::Pattern;
use crate::query::kusto::Expression;

/// The part of a column that is compared; `fits` says whether a test could take a text for a fit
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
        // A dash is no value, and must not fit like one.
        Part::Whole if column.kind == Type::Dashed && fits("-") => undashed(&value),
        // Defender leaves the name empty where Sysmon writes that the default value was set.
        Part::Whole if column.name == "RegistryValueName" && fits("(Default)") => {
            let set = Expression::name("ActionType").compare("==", text("RegistryValueSet"));
            let default = Expression::all([is_empty(&value), set]);
            Expression::call("iff", [default, text("(Default)"), value])
        }
        Part::Whole | Part::Name | Part::Argument(_) | Part::Time(_) => value,
    }
}

/// A value without the dash that stands for none
pub(super) fn undashed(value: &Expression) -> Expression {
    let dash = value.clone().compare("==", Expression::text("-"));
    Expression::call("iff", [dash, Expression::text(""), value.clone()])
}

fn is_empty(value: &Expression) -> Expression {
    Expression::call("isempty", [value.clone()])
}

/// The name a registry key or value had before it was renamed or deleted
///
/// Defender keeps it in columns of its own (Azure Sentinel repository, ASIM parser of Microsoft
/// 365 Defender registry events); the parser itself does so for renamed keys only.
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

/// Whether a test could fit the text; says yes where it is not worth a closer look
pub(super) fn may_fit(relation: Relation, value: &Pattern, text: &str) -> bool {
    match relation {
        Relation::Equals => value.as_literal() == Some(text),
        Relation::Starts | Relation::Ends | Relation::Contains | Relation::Wildcard => {
            value.literals().all(|literal| text.contains(literal))
        }
    }
}
