//! Parses expressions.
//!
//! In: the grammar's pairs, one for each level of precedence. Out: [`Expression`]s: a level with
//! a single part is that part, and brackets round a value are gone.
//!
//! INVARIANT: chains are lists, not trees, so a chain of any length is as deep as one part of it.

use pest::iterators::Pair;

use super::{Parts, Rule, name, pipeline, place};
use crate::query::kusto::tree::{Expression, Item, Kind, Literal, Name, Pipeline, Source};
use crate::query::kusto::{Finding, Type};

/// `Name = expression`, or an expression alone
pub(super) fn item(pair: Pair<'_, Rule>) -> Result<Item, Finding> {
    let mut parts = Parts::of(pair);
    let first = parts.next()?;
    if first.as_rule() != Rule::name {
        return Ok(Item { name: None, value: expression(first)? });
    }
    Ok(Item { name: Some(name(&first)), value: expression(parts.next()?)? })
}

pub(super) fn expression(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    chain(pair, both, |first, rest| Kind::Chain { first, rest })
}

fn both(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    chain(pair, test, |first, rest| Kind::Chain { first, rest })
}

fn sum(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    chain(pair, product, |first, rest| Kind::Arithmetic { first, rest })
}

fn product(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    chain(pair, operand, |first, rest| Kind::Arithmetic { first, rest })
}

/// Reads parts with an operator between each two; a single part is returned as it is
fn chain(
    pair: Pair<'_, Rule>,
    part: fn(Pair<'_, Rule>) -> Result<Expression, Finding>,
    kind: fn(Box<Expression>, Vec<(Name, Expression)>) -> Kind,
) -> Result<Expression, Finding> {
    let place = place(&pair);
    let mut parts = Parts::of(pair);
    let first = part(parts.next()?)?;
    let mut rest = Vec::new();
    while let Some(operator) = parts.if_any() {
        rest.push((name(&operator), part(parts.next()?)?));
    }
    match rest.is_empty() {
        true => Ok(first),
        false => Ok(Expression { place, kind: kind(Box::new(first), rest) }),
    }
}

fn test(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    let place = place(&pair);
    let mut parts = Parts::of(pair);
    let left = sum(parts.next()?)?;
    let Some(word) = parts.if_any() else { return Ok(left) };
    let (operator, left) = (name(&word), Box::new(left));
    let kind = if word.as_rule() == Rule::lister {
        Kind::OneOf { operator, value: left, list: parts.map(bracketed)? }
    } else if word.as_rule() == Rule::kw_between {
        let bounds = Box::new([sum(parts.next()?)?, sum(parts.next()?)?]);
        Kind::Between { operator, value: left, bounds }
    } else {
        Kind::Compare { operator, left, right: Box::new(sum(parts.next()?)?) }
    };
    Ok(Expression { place, kind })
}

/// A pipeline in brackets or in a list; without steps it is its source
fn bracketed(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    let read = pipeline(pair)?;
    match (read.source, read.steps.is_empty()) {
        (Source::Expression(value), true) => Ok(value),
        (source, _) => {
            let place = read.place.clone();
            let pipeline = Pipeline { source, ..read };
            Ok(Expression { place, kind: Kind::Pipeline(Box::new(pipeline)) })
        }
    }
}

fn operand(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    let start = place(&pair).start;
    let mut parts = Parts::of(pair);
    let mut value = head(parts.next()?)?;
    // A path is as deep a tree as it is long, and `MAX_DEPTH` does not count its parts.
    let mut length = 0;
    while let Some(pair) = parts.if_any() {
        let place = start..place(&pair).end;
        length += 1;
        if length > MAX_PATH {
            let message = format!("a path of more than {MAX_PATH} parts is not read here");
            return Err(Finding { message, place });
        }
        let member = pair.as_rule() == Rule::member;
        let part = Parts::of(pair).next()?;
        let kind = match member {
            true => Kind::Member(Box::new(value), name(&part)),
            false => {
                let called = part.as_str().trim_matches('"').to_owned();
                let index = Box::new(expression(part)?);
                Kind::Element { value: Box::new(value), index, called }
            }
        };
        value = Expression { place, kind };
    }
    Ok(value)
}

/// The longest path into a dynamic value that is read
const MAX_PATH: usize = 20;

/// The types of literals
const LITERALS: &[(Rule, Type)] = &[
    (Rule::text, Type::String),
    (Rule::timespan, Type::TimeSpan),
    (Rule::real, Type::Real),
    (Rule::number, Type::Long),
    (Rule::truth, Type::Bool),
];

/// A literal, a name, a call, or a pipeline in brackets
pub(super) fn head(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    let place = place(&pair);
    let literal = LITERALS.iter().find(|(rule, _)| *rule == pair.as_rule());
    let kind = if let Some((_, kind)) = literal {
        Kind::Literal(Literal::Written(*kind, pair.as_str().to_owned()))
    } else if pair.as_rule() == Rule::dynamic {
        let values = Parts::of(pair).map(|value| Ok(value.as_str().to_owned()))?;
        Kind::Literal(Literal::Dynamic(values))
    } else if pair.as_rule() == Rule::group {
        return bracketed(Parts::of(pair).next()?);
    } else if pair.as_rule() == Rule::call {
        let mut parts = Parts::of(pair);
        Kind::Call { name: name(&parts.next()?), arguments: parts.map(argument)? }
    } else {
        Kind::Name(pair.as_str().to_owned())
    };
    Ok(Expression { place, kind })
}

fn argument(pair: Pair<'_, Rule>) -> Result<Expression, Finding> {
    let place = place(&pair);
    if pair.as_rule() == Rule::star {
        return Ok(Expression { place, kind: Kind::Star });
    }
    if pair.as_rule() != Rule::given {
        return bracketed(pair);
    }
    let mut parts = Parts::of(pair);
    let name = name(&parts.next()?);
    Ok(Expression { place, kind: Kind::Given(name, Box::new(expression(parts.next()?)?)) })
}
