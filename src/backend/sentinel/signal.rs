//! One signal as a tabular expression.
//!
//! In: a signal of a rule. Out: its rows: the table, one `where` per clause
//! with the label of each exclusion as a comment, and the projection that all signals share.

use std::borrow::Cow;

use super::arguments;
use super::asim;
use super::columns::{Detail, Projected, projection};
use super::context::{Context, Planning, any_word, words_of};
use super::cost;
use super::keys;
use super::novelty;
use super::predicate::expression;
use super::prepare::{self, Sources};
use crate::backend::{Session, missing_products, one_line};
use crate::definition::{Form, Level};
use crate::diagnostic::Cause;
use crate::ir::{Case, Clause, Expr, Relation, Role, Rule, Signal};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Column, Holds, Rows, Table};
use crate::pattern::Pattern;
use crate::query::kusto::{Expression, Item, Pipeline, Step};
use crate::taxonomy::{Field, FieldType};

/// The rows of a signal, the columns they have, and the table they come from
pub(super) struct SignalRows<'m> {
    pub(super) rows: Pipeline,
    pub(super) columns: Vec<Projected>,
    /// `None` when no table holds such events, which is refused
    pub(super) table: Option<&'m Table>,
}

/// Plans a signal over the first table that can say it
pub(super) fn rows<'r>(
    planning: &mut Planning<'_, 'r>,
    sources: &Sources<'_>,
    at: usize,
) -> SignalRows<'r> {
    let Planning { profile, detail, rule, .. } = *planning;
    let signal = &rule.signals[at];
    planning.session.enter(&signal.name);
    let tables = profile.tables_of(planning.session, signal);
    let lets = &mut *planning.lets;
    let before = lets.clone();
    let planned = planning.session.best_of(tables, |session, table| {
        lets.clone_from(&before);
        rows_of(&mut Planning { profile, detail, rule, lets, session }, sources, (at, table))
    });
    match planned {
        Some((table, (rows, columns))) => SignalRows { rows, columns, table: Some(table) },
        None => {
            let message =
                format!("{} has no table of {}", planning.session.target(), signal.events());
            let help = "Name the signal under `without:` of this target.";
            let cause = Cause::LogSource(signal.kind.to_string());
            planning.session.refuse(cause, signal.span, message, "no such table", help);
            SignalRows { rows: Pipeline::of("", []), columns: Vec::new(), table: None }
        }
    }
}

/// The rows of a signal over one table
fn rows_of(
    planning: &mut Planning<'_, '_>,
    sources: &Sources<'_>,
    (at, table): (usize, &Table),
) -> (Pipeline, Vec<Projected>) {
    let Planning { profile, detail, rule, .. } = *planning;
    let signal = &rule.signals[at];
    let session = &mut *planning.session;
    let scope = scope(table, rule, signal, session).map(Step::filter);
    let earlier = includes_earlier_names(table, signal);
    let lets = &mut *planning.lets;
    let mut context = Context { table, lets, session, earlier };
    let mut steps = clauses(&mut context, signal);
    if !signal.cases.is_empty() {
        steps.push(level(&mut context, rule.level, &signal.cases));
    }
    let mut steps = arguments::in_columns(table, signal, steps);
    let mut columns = projection((profile, detail, table), rule, signal);
    for column in columns.iter_mut().filter(|_| earlier) {
        column.value = table.earlier(&column.value).clone();
    }
    if let Some(new) = rule.new_terms.as_ref().filter(|new| new.signal == at) {
        novelty::add_terms(table, &mut columns, new);
    }
    keys::add_columns((planning, table), at, &mut columns);
    steps.push(Step::project(columns.iter().map(Projected::item)));
    let lets = &mut *planning.lets;
    let rows = prepare::rows((sources, lets), table, scope, steps);
    // A query that is too long leaves out what only makes it faster.
    if detail == Detail::Entities && rows.reads(&table.name) {
        return (rows.given(asim::arguments(table, signal, lets)), columns);
    }
    (rows, columns)
}

/// A step for each clause that the table's scope does not already cover: what is required, the cheapest
/// tests first, then the exclusions in the author's order
fn clauses(context: &mut Context<'_, '_>, signal: &Signal) -> Vec<Step> {
    let asked = signal.clauses.iter().position(asks_for_actions);
    let truth = context.table.truth().map(|(field, column)| (field, word_of_all(column)));
    let clauses = signal.clauses.iter().enumerate();
    let clauses = clauses.filter(|(at, _)| Some(*at) != asked);
    let (mut required, mut excluded) = (Vec::new(), Vec::new());
    for (clause, rest) in clauses.filter_map(|(_, one)| Some((one, beside_truth(one, truth)?))) {
        match clause.role {
            Role::Require => required.push(expression(context, &rest)),
            Role::Exclude => {
                let test = context.negated(|context| expression(context, &rest));
                let mut step = Step::filter(Expression::call("not", [test]));
                if !clause.label.is_empty() {
                    step.comments.push(format!("not: {}", one_line(&clause.label)));
                }
                excluded.push(step);
            }
        }
    }
    cost::cheapest_first(&mut required);
    required.into_iter().map(Step::filter).chain(excluded).collect()
}

/// The rows of the table that are events of the signal's kind; `None` for all of them
fn scope(
    table: &Table,
    rule: &Rule,
    signal: &Signal,
    session: &mut Session<'_>,
) -> Option<Expression> {
    if let Some(product) = signal.product.filter(|_| table.products.is_empty()) {
        let reason = table.unknown_product.replace("{product}", product.name());
        session.lose(LossName::Product, Direction::Wider, signal.span, &reason);
    }
    if signal.is_of_any_product() && !table.products.is_empty() {
        let reason = missing_products(&table.name, &table.products);
        session.lose(LossName::Product, Direction::Narrower, signal.span, &reason);
    }
    let truth = table.truth();
    let asked = truth.is_some_and(|(field, column)| requires(signal, field, word_of_all(column)));
    if let Some((field, because)) = truth.and_then(|(f, c)| Some((f, c.only_false.as_ref()?)))
        && !asked
    {
        let message = format!("{field} is not required to be false");
        let cause = Cause::Field(field.name().to_owned());
        session.refuse(cause, signal.span, message, because, "");
    }
    let because = truth.and_then(|(_, column)| column.only_true.as_ref());
    if let Some(because) = because.filter(|_| rule.form != Form::Definition && !asked) {
        session.lose(LossName::Inbound, Direction::Narrower, signal.span, because);
    }
    let of_truth = || truth?.1.rows_of_true.clone().filter(|_| asked);
    match &table.rows {
        Rows::Where(condition) => {
            Some(Expression::all([condition.clone()].into_iter().chain(of_truth())))
        }
        Rows::With(field) => {
            let column = table.column(field, Holds::Whole)?;
            let asked = signal.clauses.iter().find(|clause| asks_for_actions(clause));
            let asked = asked.and_then(|clause| {
                let test = clause.expr.as_test()?;
                Some((test, test.op.as_text()?))
            });
            Some(match asked {
                Some(asked) => words_of(column, asked, session),
                None => any_word(column),
            })
        }
        Rows::All => of_truth(),
    }
}

/// Whether the rows can include renamed or deleted things, whose values are those before the event
fn includes_earlier_names(table: &Table, signal: &Signal) -> bool {
    let asked = signal.clauses.iter().filter(|clause| asks_for_actions(clause));
    let mut asked = asked.filter_map(|clause| clause.expr.as_test()?.op.as_text());
    table.has_earlier() && asked.all(|text| text.has("renamed"))
}

/// Whether the clause restricts the action; the first such clause becomes the table's scope
fn asks_for_actions(clause: &Clause) -> bool {
    let Some(test) = clause.expr.as_test() else { return false };
    clause.role == Role::Require
        && test.subject.field.kind() == FieldType::Action
        && test.op.as_text().is_some()
}

/// The value that a field has in all rows of the table's scope, in the words of rules
fn word_of_all(column: &Column) -> &'static str {
    if column.only_false.is_some() { "false" } else { "true" }
}

/// A clause without its test of the field that the table's scope decides; `None` when no other
/// test is left
fn beside_truth<'c>(
    clause: &'c Clause,
    truth: Option<(&Field, &'static str)>,
) -> Option<Cow<'c, Expr>> {
    let Some((field, word)) = truth else { return Some(Cow::Borrowed(&clause.expr)) };
    let parts = clause.conjuncts();
    let rest = parts.iter().copied().filter(|part| !equals(part, field, word));
    let rest: Vec<&Expr> = rest.collect();
    match &*rest {
        _ if excludes_other(clause, field, word) => None,
        _ if rest.len() == parts.len() => Some(Cow::Borrowed(&clause.expr)),
        [] => None,
        [only] => Some(Cow::Borrowed(only)),
        rest => Some(Cow::Owned(Expr::All(rest.iter().map(|part| (*part).clone()).collect()))),
    }
}

/// Whether a signal requires that a field has this one of its two values
fn requires(signal: &Signal, field: &Field, word: &str) -> bool {
    let mut parts = signal.clauses.iter().flat_map(Clause::conjuncts);
    signal.clauses.iter().any(|clause| excludes_other(clause, field, word))
        || parts.any(|part| equals(part, field, word))
}

/// Whether a clause excludes events with the other value of a field, which the table's scope drops
/// already
fn excludes_other(clause: &Clause, field: &Field, word: &str) -> bool {
    let other = if word == "true" { "false" } else { "true" };
    clause.role == Role::Exclude && equals(&clause.expr, field, other)
}

/// Whether an expression requires that a field equals `wanted`, and tests no other value
fn equals(expr: &Expr, field: &Field, wanted: &str) -> bool {
    let Some(test) = expr.as_test() else { return false };
    let Some(text) = test.op.as_text() else { return false };
    let says = |value: &Pattern| {
        value.as_literal().is_some_and(|literal| match text.case {
            Case::Insensitive => literal.eq_ignore_ascii_case(wanted),
            Case::Sensitive => literal == wanted,
        })
    };
    let equals = text.relation == Relation::Equals && text.values.iter().all(says);
    equals && test.subject.field == *field
}

/// A `Level` column: the level of the first case that matches, or `default`
fn level(context: &mut Context<'_, '_>, default: Level, cases: &[(Level, Expr)]) -> Step {
    let mut arguments = Vec::new();
    for (level, expr) in cases {
        arguments.push(expression(context, expr));
        arguments.push(Expression::text(level.as_str()));
    }
    let function = if cases.len() == 1 { "iff" } else { "case" };
    arguments.push(Expression::text(default.as_str()));
    Step::extend([Item::named("Level", Expression::call(function, arguments))])
}
