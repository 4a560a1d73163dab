//! The state that all predicates of one query share.
//!
//! In: the table, the `let` names in use and the losses noted so far. Out: a [`Context`] for every
//! kind of test, and expressions that several kinds of test need.

use super::fields::Type;
use super::lets::Lets;
use super::profile::Profile;
use crate::backend::Losses;
use crate::ir::Test;
use crate::pattern::Pattern;
use crate::query::kusto::Expression;
use crate::taxonomy::EventKind;

/// The state that all predicates of one query share
pub(super) struct Context<'l, 'r> {
    pub(super) profile: Profile,
    pub(super) kind: &'l EventKind,
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
pub(super) fn exists(kind: Type, value: Expression) -> Expression {
    match kind {
        Type::Number => Expression::call("isnotnull", [value]),
        Type::Dashed => value.one_of("!in", vec![Expression::text(""), Expression::text("-")]),
        Type::List => Expression::call("array_length", [value]).compare(">", Expression::number(0)),
        Type::Text | Type::Recased | Type::Action | Type::Direction => {
            Expression::call("isnotempty", [value])
        }
    }
}

/// The condition with null replaced by false, so that its negation is true there
pub(super) fn never_null(condition: Expression) -> Expression {
    Expression::call("coalesce", [condition, Expression::truth(false)])
}

/// A test of `ActionType` for actions on a file or a registry key, in Defender's words
pub(super) fn actions_of(column: Expression, kind: &EventKind, values: &[Pattern]) -> Expression {
    let registry = *kind == EventKind::RegistryEvent;
    let names = |value: &Pattern| match (value.as_literal(), registry) {
        (Some("created"), false) => &["FileCreated"][..],
        (Some("modified"), false) => &["FileModified"],
        (Some("renamed"), false) => &["FileRenamed"],
        (_, false) => &["FileDeleted"],
        (Some("created"), true) => &["RegistryKeyCreated"],
        (Some("modified"), true) => &["RegistryValueSet"],
        (Some("renamed"), true) => &["RegistryKeyRenamed"],
        (_, true) => &["RegistryKeyDeleted", "RegistryValueDeleted"],
    };
    let mut names: Vec<&str> = values.iter().flat_map(names).copied().collect();
    names.sort_unstable();
    match &*names {
        [only] => column.compare("==", Expression::text(only)),
        names => column.one_of("in", names.iter().map(|name| Expression::text(name)).collect()),
    }
}
