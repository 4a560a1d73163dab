//! Lays out expressions.
//!
//! In: an [`Expression`]. Out: a [`Doc`] that may break at the words of a condition: at `and` and
//! `or`, inside `not` and a list of values, whose lines are filled. Anything else that is too wide stays on its line.

use super::{list_of, pipeline};
use crate::query::kusto::tree::{Expression, Kind, Literal, Name};
use crate::query::layout::Doc;

/// How tightly an expression binds; a part that binds less tightly needs brackets
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Test,
    Sum,
    Product,
    Whole,
}

fn binding(expression: &Expression) -> Binding {
    let first = |rest: &[(Name, Expression)]| rest.first().map(|(word, _)| word.text.clone());
    match &expression.kind {
        Kind::Chain { rest, .. } if first(rest).as_deref() == Some("or") => Binding::Or,
        Kind::Chain { .. } => Binding::And,
        Kind::Compare { .. } | Kind::OneOf { .. } | Kind::Between { .. } => Binding::Test,
        Kind::Arithmetic { rest, .. } => match first(rest).as_deref() {
            Some("*" | "/") => Binding::Product,
            _ => Binding::Sum,
        },
        Kind::Literal(_)
        | Kind::Name(_)
        | Kind::Star
        | Kind::Call { .. }
        | Kind::Given(..)
        | Kind::Member(..)
        | Kind::Element { .. }
        | Kind::Pipeline(_) => Binding::Whole,
    }
}

/// An expression that needs no brackets around it
pub(super) fn value(expression: &Expression) -> Doc {
    match &expression.kind {
        Kind::Chain { first, rest } => chain(first, rest, 4),
        Kind::OneOf { operator, value, list } => {
            let head = operand(value, Binding::Sum).flat();
            let list = Doc::filled(list.iter().map(|value| argument(value).flat()));
            let open = Doc::text(format!(" {} (", operator.text));
            bracketed([head, open], list)
        }
        Kind::Call { name, arguments } => call(name, arguments),
        Kind::Given(name, value) => {
            let value = list_of(value).map_or_else(|| self::value(value), dynamic);
            Doc::all([Doc::text(format!("{}=", name.text)), value])
        }
        Kind::Pipeline(rows) => Doc::all([Doc::text("("), pipeline(rows), Doc::text(")")]).flat(),
        Kind::Literal(Literal::Written(_, text)) => Doc::text(text),
        Kind::Literal(Literal::Dynamic(values)) => dynamic(values).flat(),
        Kind::Name(name) => Doc::text(name),
        Kind::Star => Doc::text("*"),
        Kind::Member(value, name) => {
            Doc::all([operand(value, Binding::Whole), Doc::text(format!(".{}", name.text))]).flat()
        }
        Kind::Element { value, index, .. } => {
            let index = [Doc::text("["), self::value(index), Doc::text("]")];
            Doc::all([operand(value, Binding::Whole)].into_iter().chain(index)).flat()
        }
        Kind::Arithmetic { first, rest } => {
            let own = binding(expression);
            let tighter = if own == Binding::Sum { Binding::Product } else { Binding::Whole };
            let mut parts = vec![operand(first, own)];
            for (word, part) in rest {
                let word = Doc::text(format!(" {} ", word.text));
                parts.extend([word, operand(part, tighter)]);
            }
            Doc::all(parts).flat()
        }
        Kind::Compare { operator, left, right } => {
            let word = Doc::text(format!(" {} ", operator.text));
            Doc::all([operand(left, Binding::Sum), word, operand(right, Binding::Sum)]).flat()
        }
        Kind::Between { operator, value, bounds } => {
            let [low, high] = [&bounds[0], &bounds[1]].map(|bound| operand(bound, Binding::Sum));
            let word = Doc::text(format!(" {} (", operator.text));
            let parts = [operand(value, Binding::Sum), word, low, Doc::text(" .. "), high];
            Doc::all(parts.into_iter().chain([Doc::text(")")])).flat()
        }
    }
}

/// An argument or a value of a list, where rows need no brackets
pub(super) fn argument(expression: &Expression) -> Doc {
    if let Kind::Pipeline(rows) = &expression.kind { pipeline(rows) } else { value(expression) }
}

/// The value of a column; only `iff` and `case` may break, with a line for each branch
pub(super) fn branches(expression: &Expression) -> Doc {
    if let Kind::Call { name, arguments } = &expression.kind
        && matches!(&*name.text, "iff" | "case")
    {
        let pairs = arguments.chunks(2).map(|pair| {
            let pair = pair.iter().map(|argument| value(argument).flat());
            Doc::list(pair).group()
        });
        return bracketed([Doc::text(format!("{}(", name.text))], Doc::list(pairs));
    }
    value(expression).flat()
}

fn call(name: &Name, arguments: &[Expression]) -> Doc {
    match (&*name.text, arguments) {
        ("not", [condition]) => {
            let inner = as_chain(condition).map(|(first, rest)| chain(first, rest, 0));
            bracketed([Doc::text("not(")], inner.unwrap_or_else(|| value(condition)))
        }
        ("materialize", [rows]) => {
            Doc::all([Doc::text("materialize("), argument(rows), Doc::text(")")])
        }
        (name, arguments @ [Expression { kind: Kind::Given(..), .. }, ..]) => {
            bracketed([Doc::text(format!("{name}("))], Doc::list(arguments.iter().map(argument)))
        }
        (name, arguments) => {
            let list = Doc::list(arguments.iter().map(argument));
            Doc::all([Doc::text(format!("{name}(")), list, Doc::text(")")]).flat()
        }
    }
}

/// A list of values, whose lines are filled
pub(super) fn dynamic(values: &[String]) -> Doc {
    let inner = Doc::all([Doc::soft(), Doc::filled(values.iter().map(Doc::text))]).nest(4);
    Doc::all([Doc::text("dynamic(["), inner, Doc::soft(), Doc::text("])")]).group()
}

/// Puts `inner` between `open` and a closing bracket, broken or on one line
fn bracketed(open: impl IntoIterator<Item = Doc>, inner: Doc) -> Doc {
    let inner = Doc::all([Doc::soft(), inner]).nest(4);
    let parts = open.into_iter().chain([inner, Doc::soft(), Doc::text(")")]);
    Doc::all(parts).group()
}

/// Tests with a word between each two; the word leads its line, which is indented by `depth`
fn chain(first: &Expression, rest: &[(Name, Expression)], depth: usize) -> Doc {
    let mut others = Vec::new();
    for (word, part) in rest {
        others.extend([Doc::line(), Doc::text(format!("{} ", word.text)), link(part)]);
    }
    Doc::all([link(first), Doc::all(others).nest(depth)]).group()
}

/// A part of a chain; a chain inside the chain gets brackets even where precedence would do, for
/// the reader
fn link(part: &Expression) -> Doc {
    match as_chain(part) {
        Some((first, rest)) => bracketed([Doc::text("(")], chain(first, rest, 0)),
        None => value(part),
    }
}

fn as_chain(part: &Expression) -> Option<(&Expression, &[(Name, Expression)])> {
    if let Kind::Chain { first, rest } = &part.kind { Some((first, rest)) } else { None }
}

fn operand(expression: &Expression, least: Binding) -> Doc {
    match binding(expression) < least {
        true => Doc::all([Doc::text("("), value(expression), Doc::text(")")]),
        false => value(expression),
    }
}
