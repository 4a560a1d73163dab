//! The state that the parts of one query share while they are planned.
//!
//! In: the rule, the `let` names in use and the session. Out: [`Planning`] for signals and
//! correlations, a [`Context`] for every kind of test, and expressions that several kinds of test
//! need.

use super::fields::Type;
use super::lets::Lets;
use super::profile::Profile;
use crate::backend::Session;
use crate::ir::{Rule, Test};
use crate::pattern::Pattern;
use crate::query::kusto::Expression;
use crate::taxonomy::EventKind;

/// A query that is being planned
pub(super) struct Planning<'l, 'r> {
    pub(super) profile: Profile,
    pub(super) rule: &'r Rule,
    pub(super) lets: &'l mut Lets,
    pub(super) session: &'l mut Session<'r>,
}

/// The state that the predicates of one signal share
pub(super) struct Context<'l, 'r> {
    pub(super) profile: Profile,
    pub(super) kind: EventKind,
    pub(super) lets: &'l mut Lets,
    pub(super) session: &'l mut Session<'r>,
    /// Whether the rows can include renamed or deleted registry keys, which need their earlier name
    pub(super) earlier: bool,
}

impl<'r> Context<'_, 'r> {
    /// Plans a part of an expression that is under one more negation
    pub(super) fn negated<T>(&mut self, plan: impl FnOnce(&mut Context<'_, 'r>) -> T) -> T {
        let Context { profile, kind, earlier, .. } = *self;
        let lets = &mut *self.lets;
        self.session.negated(|session| plan(&mut Context { profile, kind, lets, session, earlier }))
    }

    /// A condition that may be null; under a negation null becomes false, since the negation of
    /// null is null
    pub(super) fn guarded(&self, condition: Expression) -> Expression {
        if self.session.is_positive() { condition } else { never_null(condition) }
    }
}

pub(super) fn refuse(context: &mut Context<'_, '_>, test: &Test, message: String) -> Expression {
    context.session.refuse(test.span, message, "no exact form in Kusto", "");
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
pub(super) fn actions_of(column: Expression, kind: EventKind, values: &[Pattern]) -> Expression {
    let registry = kind == EventKind::RegistryEvent;
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
