//! One test as a Kusto predicate.
//!
//! In: a [`Test`] on a kind of event; the session tells whether it is under a negation. Out: the
//! cheapest expression that is true for the same rows. Kusto text is never null; tests of numbers
//! and addresses can be null (Microsoft, null-values.md of the Kusto reference), so under a
//! negation a guard turns null into false.

use super::context::{Context, exists, never_null, note_empty, refuse};
use super::{address, cost, text};
use crate::backend::account;
use crate::diagnostic::Cause;
use crate::ir::{Expr, Numbers, Op, Part, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{self, Column, Holds, Kind};
use crate::query::kusto::{self, Expression};
use crate::taxonomy::{Field, FieldType};

/// An expression as a Kusto predicate; a test without a Kusto form is refused and becomes `false`
pub(super) fn expression(context: &mut Context<'_, '_>, expr: &Expr) -> Expression {
    let mut many = |parts: &[Expr]| -> Vec<Expression> {
        parts.iter().map(|part| expression(context, part)).collect()
    };
    match expr {
        Expr::All(parts) => {
            let mut tests = many(parts);
            cost::cheapest_first(&mut tests);
            Expression::all(tests)
        }
        Expr::Any(parts) => Expression::any(many(parts)),
        Expr::Not(part) => context.negated(|context| expression(context, part)).not(),
        Expr::Test(test) => predicate(context, test),
    }
}

fn predicate(context: &mut Context<'_, '_>, test: &Test) -> Expression {
    let field = &test.subject.field;
    if let (Op::Text(text), true) = (&test.op, *field == Field::EVERY) {
        return keywords(context, test, text);
    }
    if let Op::Text(text) = &test.op
        && field.kind() == FieldType::Account
        && test.subject.part == Part::Whole
    {
        return account(context, test, text);
    }
    let Some(column) = subject_column(context, test) else { return Expression::truth(false) };
    let value = || column.value.clone();
    note_presence(context, test, column.kind);
    match &test.op {
        Op::Text(text) => text::text(context, test, column, text),
        Op::Regex(patterns) => text::regex(context, test, column, patterns),
        Op::Segments(values) => text::segments(context, test, column, values),
        Op::Networks(networks) => address::networks_of(context, &column.value, networks),
        Op::Public => address::public(context, &column.value),
        Op::Numbers(ranges) => match column.kind {
            Kind::Number => numbers(context, (&column.value, &column.value), ranges),
            Kind::Text | Kind::Recased | Kind::Dashed => {
                let forms = (&mapping::number(value()), &mapping::real(value()));
                numbers(context, forms, ranges)
            }
            Kind::List | Kind::Words | Kind::Truth => {
                refuse(context, test, format!("{field} as a number"))
            }
        },
        Op::Exists => exists(column.kind, value()),
        Op::Null => match column.kind {
            Kind::Number => Expression::call("isnull", [value()]),
            Kind::Dashed => value().one_of("in", vec![Expression::text(""), Expression::text("-")]),
            // `isempty` is false for an empty list.
            Kind::List => {
                let length = Expression::call("array_length", [value()]);
                length.compare("==", Expression::number(0))
            }
            Kind::Text | Kind::Recased | Kind::Words | Kind::Truth => {
                Expression::call("isempty", [value()])
            }
        },
        Op::Same(_, other, _) => {
            match context.table.column(other, Holds::Whole) {
                Some(other) if other.kind != Kind::Number && column.kind != Kind::Number => {
                    // `=~` is documented for ASCII only (Microsoft, string operators).
                    let reason = "two fields are equal only in the same case, beyond ASCII";
                    let session = &mut context.session;
                    session.lose(LossName::Case, Direction::Narrower, test.span, reason);
                    let same = value().compare("=~", other.value.clone());
                    Expression::all([exists(column.kind, value()), same])
                }
                Some(other) => never_null(value().compare("==", other.value.clone())),
                None => absent(context, test),
            }
        }
    }
}

/// Notes the loss of a test that asks whether a value is there
fn note_presence(context: &mut Context<'_, '_>, test: &Test, kind: Kind) {
    match test.op {
        Op::Exists | Op::Same(..) => note_empty(context, (test, kind), Direction::Narrower),
        Op::Null => note_empty(context, (test, kind), Direction::Wider),
        Op::Text(_)
        | Op::Regex(_)
        | Op::Segments(_)
        | Op::Networks(_)
        | Op::Public
        | Op::Numbers(_) => {}
    }
}

/// The column of a test's subject; refuses the test when there is none
fn subject_column<'l>(context: &mut Context<'l, '_>, test: &Test) -> Option<&'l Column> {
    let (field, table) = (&test.subject.field, context.table);
    let whole = || table.column(field, Holds::Whole);
    let column = match test.subject.part {
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => whole(),
        // Without a column of its own, the part is extracted from the whole.
        Part::Name | Part::Extension => table.column(field, Holds::Name).or_else(whole),
    };
    let column = column.or_else(|| {
        // A path or an account exists when its name does.
        let asks = matches!(test.op, Op::Exists | Op::Null);
        asks.then(|| table.column(field, Holds::Name)).flatten()
    });
    if column.is_none() {
        absent(context, test);
    }
    column
}

fn absent(context: &mut Context<'_, '_>, test: &Test) -> Expression {
    let table = &context.table.name;
    let part = match test.subject.part {
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => "",
        Part::Name => " name",
        Part::Extension => " extension",
    };
    let message = format!("{table} has no column for the{part} {}", test.subject.field);
    let help = format!(
        "Leave the test out of this signal, or use a field that the table has: `rulecast show \
         mapping {}` shows them.",
        context.table.mapping
    );
    let cause = Cause::Field(test.subject.field.name().to_owned());
    context.session.refuse(cause, test.span, message, "no such column", &help);
    Expression::truth(false)
}

/// A test of `DOMAIN\name`, which a table keeps whole or in two columns
fn account(context: &mut Context<'_, '_>, test: &Test, text: &TextTest) -> Expression {
    let column = |holds| context.table.column(&test.subject.field, holds);
    if let Some(whole) = column(Holds::Whole) {
        return text::text(context, test, whole, text);
    }
    let [Some(domain), Some(name)] = [Holds::Domain, Holds::Name].map(column) else {
        return absent(context, test);
    };
    let Some(alternatives) = account::parts(text) else {
        return refuse(context, test, "wildcards over domain and name together".to_owned());
    };
    let mut expressions = Vec::new();
    for parts in alternatives {
        let mut all = Vec::new();
        for (column, part) in [(domain, parts.domain), (name, parts.name)] {
            all.extend(part.map(|part| text::text(context, test, column, &part)));
        }
        if parts.bare {
            all.push(Expression::call("isempty", [domain.value.clone()]));
        }
        expressions.push(Expression::all(all));
    }
    Expression::any(expressions)
}

/// A test of every value of the event, over the columns that keywords are searched in
fn keywords(context: &mut Context<'_, '_>, test: &Test, text: &TextTest) -> Expression {
    let table = context.table;
    if table.keywords.is_empty() {
        let message = format!("{} has no columns for keywords", table.name);
        return refuse(context, test, message);
    }
    let names: Vec<String> = table.keywords.iter().map(kusto::print_expression).collect();
    let reason = format!("keywords are searched in {}", names.join(" and "));
    let session = &mut context.session;
    session.lose(LossName::Keywords, Direction::Wider, test.span, &reason);
    let columns = table.keywords.iter().map(|value| Column::of_text(value.clone()));
    Expression::any(
        columns.map(|column| text::text(context, test, &column, text)).collect::<Vec<_>>(),
    )
}

/// A test of a column as whole numbers, and as numbers with a fraction where the limit has one
fn numbers(
    context: &Context<'_, '_>,
    (column, real): (&Expression, &Expression),
    ranges: &[Numbers],
) -> Expression {
    let singles =
        ranges.iter().filter(|range| range.is_one()).map(|range| Expression::number(range.from));
    let singles: Vec<Expression> = singles.collect();
    let mut parts = Vec::new();
    if !singles.is_empty() {
        let column = column.clone();
        parts.push(match context.session.is_positive() {
            true => column.equals_any(singles),
            // Of null, `in` is false; `==` is null, and so is its negation.
            false => column.one_of("in", singles),
        });
    }
    for range in ranges.iter().filter(|range| !range.is_one()) {
        if let Some((comparison, limit)) = range.fraction {
            let limit = Expression::real(limit.to_string());
            parts.push(context.guarded(real.clone().compare(comparison.sign(), limit)));
            continue;
        }
        let [from, to] = [range.from, range.to].map(Expression::number);
        let within = match (range.from, range.to) {
            (i64::MIN, _) => column.clone().compare("<=", to),
            (_, i64::MAX) => column.clone().compare(">=", from),
            (_, _) => column.clone().between(from, to),
        };
        // A comparison with null is null.
        parts.push(context.guarded(within));
    }
    Expression::any(parts)
}
