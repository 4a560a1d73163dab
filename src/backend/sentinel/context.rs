//! The state that the parts of one query share while they are planned.
//!
//! In: the rule, the `let` names in use and the session. Out: [`Planning`] for signals and
//! correlations, a [`Context`] for every kind of test, and expressions that several kinds of test
//! need.

use super::columns::Detail;
use super::lets::Lets;
use super::profile::Profile;
use crate::backend::{Session, compared, one_line, presence};
use crate::diagnostic::Cause;
use crate::ir::{Rule, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Column, Kind, Table};
use crate::query::kusto::Expression;

/// A query that is being planned
pub(super) struct Planning<'l, 'r> {
    pub(super) profile: Profile,
    pub(super) detail: Detail,
    pub(super) rule: &'r Rule,
    pub(super) lets: &'l mut Lets,
    pub(super) session: &'l mut Session<'r>,
}

/// The title of a signal or of a correlation on one line; nothing where it is that of the rule
pub(super) fn own_title(rule: &Rule, title: &str) -> Option<String> {
    Some(one_line(title)).filter(|own| *title != *rule.metadata.title.value && !own.is_empty())
}

/// The state that the predicates of one signal share
pub(super) struct Context<'l, 'r> {
    pub(super) table: &'l Table,
    pub(super) lets: &'l mut Lets,
    pub(super) session: &'l mut Session<'r>,
    /// Whether the rows can include renamed or deleted registry keys, which need their earlier name
    pub(super) earlier: bool,
}

impl<'r> Context<'_, 'r> {
    /// Plans a part of an expression that is under one more negation
    pub(super) fn negated<T>(&mut self, plan: impl FnOnce(&mut Context<'_, 'r>) -> T) -> T {
        let Context { table, earlier, .. } = *self;
        let lets = &mut *self.lets;
        self.session.negated(|session| plan(&mut Context { table, lets, session, earlier }))
    }

    /// A condition that may be null; under a negation null becomes false, since the negation of
    /// null is null
    pub(super) fn guarded(&self, condition: Expression) -> Expression {
        if self.session.is_positive() { condition } else { never_null(condition) }
    }
}

/// Why Kusto cannot say what a rule says of an empty text
pub(super) const EMPTY: &str = "an empty value cannot be told from a missing one in Kusto";

/// Notes that a test tells an empty value from a missing one, which a column does not
pub(super) fn note_empty(
    context: &mut Context<'_, '_>,
    (test, kind): (&Test, Kind),
    direction: Direction,
) {
    let is_seen = match kind {
        Kind::Text | Kind::Recased | Kind::Dashed => {
            presence::may_be_empty(&context.table.events, test)
        }
        Kind::Number => presence::is_asked(test),
        Kind::List | Kind::Words | Kind::Truth => false,
    };
    if is_seen {
        context.session.lose_rarely(LossName::Empty, direction, test.span, EMPTY);
    }
}

pub(super) fn refuse(context: &mut Context<'_, '_>, test: &Test, message: String) -> Expression {
    context.session.refuse(compared(test), test.span, message, "no exact form in Kusto", "");
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

/// A test of a column that holds the table's words for the values of a field; refuses a value that
/// the table has no word for
pub(super) fn words_of(
    column: &Column,
    (test, text): (&Test, &TextTest),
    session: &mut Session<'_>,
) -> Expression {
    let values: Vec<&str> = text.literals().collect();
    if let Some(unknown) = values.iter().find(|value| column.words_for(&[value]).is_empty()) {
        let message = format!("{} has no word for `{unknown}`", column.name);
        let field = test.subject.field.name().to_owned();
        let cause = Cause::Value { value: unknown.to_string(), field };
        session.refuse(cause, test.span, message, "no row of the table is one", "");
    }
    one_of(column, column.words_for(&values))
}

/// A test that a column holds any of the table's words for a field
pub(super) fn any_word(column: &Column) -> Expression {
    let values: Vec<&str> = column.words.iter().map(|(value, _)| value.as_str()).collect();
    one_of(column, column.words_for(&values))
}

fn one_of(column: &Column, words: Vec<&str>) -> Expression {
    column.value.clone().equals_any(words.into_iter().map(Expression::text).collect())
}
