//! Prepares a condition.
//!
//! In: a condition as it was written, and the indices. Out: a [`Folded`] condition over typed fields,
//! or the reason why Elasticsearch refuses it or why it is not judged here.

use std::cmp::Ordering;

use super::datum::Datum;
use super::folded::Folded;
use super::function::Function;
use super::index::{Index, Kind};
use super::pattern::{Case, Pattern};
use super::term::{self, Term};
use super::test::{Check, Test};
use crate::query::Error;
use crate::query::eql::{Comparison, Condition, Matching, Value};
use crate::verify::elastic::point;

/// Prepares a condition for documents of these indices
pub(super) fn condition(condition: &Condition, index: &Index<'_>) -> Result<Folded, Error> {
    let each = |parts: &[Condition]| {
        parts.iter().map(|part| self::condition(part, index)).collect::<Result<Vec<_>, Error>>()
    };
    match condition {
        Condition::All(parts) => each(parts).map(Folded::all),
        Condition::Any(parts) => each(parts).map(Folded::any),
        Condition::Not(part) => self::condition(part, index).map(Folded::not),
        Condition::Noted(_, part) => self::condition(part, index),
        Condition::Truth(value) => truth(value, index),
        Condition::Compare(left, comparison, right) => compare(left, *comparison, right, index),
        Condition::In { value, items, fold } => among(value, items, *fold, index),
        Condition::Matches(value, kind, patterns) => {
            matches(term::of(value, index)?, *kind, patterns, index)
        }
    }
}

/// A value that is a condition
fn truth(value: &Value, index: &Index<'_>) -> Result<Folded, Error> {
    if let Value::Call { function, fold, arguments } = value {
        match function.as_str() {
            "cidrMatch" if !fold => return in_networks(arguments, index),
            "wildcard" => {
                let kind = if *fold { Matching::LikeFolded } else { Matching::Like };
                let [value, patterns @ ..] = arguments.as_slice() else {
                    return Err(Error::new("`wildcard` has no arguments"));
                };
                let patterns = texts(patterns, "wildcard")?;
                return matches(term::of(value, index)?, kind, &patterns, index);
            }
            _ => {}
        }
    }
    let term = term::of(value, index)?;
    if let Some(pattern) = as_pattern(&term, index)? {
        return Ok(leaf(pattern.0, Check::Patterns(vec![pattern.1])));
    }
    match term.kind() {
        None | Some(Kind::Boolean) => Ok(leaf(term, Check::Among(vec![Datum::Truth(true)]))),
        Some(_) => Err(Error::new("a condition is neither true nor false")),
    }
}

/// The test of a field that Elasticsearch makes of `startsWith` and its like
fn as_pattern(term: &Term, index: &Index<'_>) -> Result<Option<(Term, Pattern)>, Error> {
    let Term::Call(function, arguments) = term else { return Ok(None) };
    let [field @ Term::Field(_), Term::Constant(Some(Datum::Text(text)))] = arguments.as_slice()
    else {
        return Ok(None);
    };
    let case = |fold: &bool| Case::of(*fold, index.folding);
    let pattern = match function {
        Function::StartsWith(fold) => Pattern::prefix(text, case(fold)),
        // Elasticsearch does not escape the text, so its wildcards and backslashes mean something.
        Function::EndsWith(fold) => Pattern::unescaped(&format!("*{text}"), case(fold)),
        Function::Contains(_) if text.is_empty() => {
            return Err(Error::new("`stringContains` of an empty text is not judged here"));
        }
        Function::Contains(fold) => Pattern::unescaped(&format!("*{text}*"), case(fold)),
        Function::Length | Function::Spelled | Function::Concat | Function::Substring => {
            return Ok(None);
        }
    };
    Ok(Some((field.clone(), pattern)))
}

fn compare(
    left: &Value,
    comparison: Comparison,
    right: &Value,
    index: &Index<'_>,
) -> Result<Folded, Error> {
    let negated = comparison == Comparison::NotEqual;
    let equality = negated || comparison == Comparison::Equal;
    let signed = |folded: Folded| if negated { folded.not() } else { folded };
    let (call, constant) = if let Value::Truth(_) = left { (right, left) } else { (left, right) };
    if let (Value::Call { .. }, Value::Truth(wanted)) = (call, constant)
        && equality
    {
        let folded = truth(call, index)?;
        return Ok(if let Folded::Constant(None) = folded {
            Folded::Constant(Some(negated))
        } else if *wanted != negated {
            folded
        } else {
            folded.not()
        });
    }
    let (left, right) = (term::of(left, index)?, term::of(right, index)?);
    let (left, right, comparison) = match (&left, &right) {
        (Term::Constant(_), Term::Constant(_)) => (left, right, comparison),
        (Term::Constant(_), _) => (right, left, turned(comparison)),
        _ => (left, right, comparison),
    };
    let Term::Constant(right) = right else {
        return Err(Error::new("a value of the event is compared with another value of it"));
    };
    match (&left, right) {
        (_, None) if equality => Ok(signed(leaf_of(left, Check::Null))),
        (Term::Constant(None), Some(_)) if equality => Ok(Folded::Constant(Some(negated))),
        (Term::Constant(_), None) | (Term::Constant(None), _) => Ok(Folded::Constant(None)),
        (_, None) => Err(Error::new("the order of a value and null is not judged here")),
        (_, Some(constant)) => {
            let constant = of_type(constant, left.kind(), !equality)?;
            Ok(signed(leaf(left, Check::Order(orders(comparison), constant))))
        }
    }
}

/// The orders in which a comparison holds; `!=` is the complement of `==`
fn orders(comparison: Comparison) -> Vec<Ordering> {
    match comparison {
        Comparison::Equal | Comparison::NotEqual => vec![Ordering::Equal],
        Comparison::Below => vec![Ordering::Less],
        Comparison::AtMost => vec![Ordering::Less, Ordering::Equal],
        Comparison::Above => vec![Ordering::Greater],
        Comparison::AtLeast => vec![Ordering::Greater, Ordering::Equal],
    }
}

/// The comparison with its sides exchanged
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Below => Comparison::Above,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Above => Comparison::Below,
        Comparison::AtLeast => Comparison::AtMost,
        Comparison::Equal | Comparison::NotEqual => comparison,
    }
}

/// The constant as a value of the type that it is compared with
fn of_type(constant: Datum, kind: Option<Kind>, ordered: bool) -> Result<Datum, Error> {
    let text = constant.spelled();
    let wrong = || Error::new(format!("`{text}` is not of the type that it is compared with"));
    match (kind, constant.kind()) {
        (Some(Kind::Text), Kind::Text) => Ok(constant),
        (Some(Kind::Whole | Kind::Float), Kind::Whole | Kind::Float) => Ok(constant),
        (Some(Kind::Boolean), Kind::Boolean) if !ordered => Ok(constant),
        (Some(Kind::Ip), Kind::Text) => Datum::address(&text).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn among(value: &Value, items: &[Value], fold: bool, index: &Index<'_>) -> Result<Folded, Error> {
    let term = term::of(value, index)?;
    if fold {
        let case = Case::of(fold, index.folding);
        let literals = texts(items, "in~")?;
        let literals = literals.iter().map(|text| Pattern::literal(text, case)).collect();
        text(&term, "`in~`")?;
        return Ok(leaf(term, Check::Patterns(literals)));
    }
    if term.kind() == Some(Kind::Ip) {
        return Err(Error::new("`in` takes no field of addresses"));
    }
    let mut constants = Vec::new();
    for item in items {
        let Term::Constant(Some(constant)) = term::of(item, index)? else {
            return Err(Error::new("`in` takes only constants that are not null"));
        };
        let kind = term.kind();
        constants.push(if kind.is_some() { of_type(constant, kind, false)? } else { constant });
    }
    Ok(leaf(term, Check::Among(constants)))
}

fn matches(
    term: Term,
    kind: Matching,
    patterns: &[String],
    index: &Index<'_>,
) -> Result<Folded, Error> {
    text(&term, "a pattern")?;
    // Elasticsearch joins the expressions of a list to one.
    let length = patterns.iter().map(|pattern| pattern.chars().count() + 1).sum::<usize>();
    let empty = patterns.len() > 1 && patterns.iter().any(String::is_empty);
    if kind.is_regex() && (length > 1_001 || empty) {
        return Err(Error::new("a list of regular expressions is too long, or one is empty"));
    }
    let patterns = patterns.iter().map(|pattern| Pattern::of(pattern, kind, index.folding));
    Ok(leaf(term, Check::Patterns(patterns.collect::<Result<_, Error>>()?)))
}

fn in_networks(arguments: &[Value], index: &Index<'_>) -> Result<Folded, Error> {
    let wrong = || Error::new("`cidrMatch` takes a field of addresses and networks");
    let [value, networks @ ..] = arguments else { return Err(wrong()) };
    let term = term::of(value, index)?;
    let networks = texts(networks, "cidrMatch")?;
    let points = networks.iter().map(|network| point::network(network));
    let points: Vec<_> = points.collect::<Option<_>>().ok_or_else(wrong)?;
    match term.kind() {
        None | Some(Kind::Ip) if !points.is_empty() => Ok(leaf(term, Check::Networks(points))),
        _ => Err(wrong()),
    }
}

/// The constants of a list, which are texts
fn texts(items: &[Value], of: &str) -> Result<Vec<String>, Error> {
    let text = |item: &Value| if let Value::Text(text) = item { Some(text.clone()) } else { None };
    let all: Option<_> = items.iter().map(text).collect();
    all.ok_or_else(|| Error::new(format!("`{of}` takes only texts")))
}

/// Refuses a value that is no text
fn text(term: &Term, of: &str) -> Result<(), Error> {
    match term.kind() {
        None | Some(Kind::Text) => Ok(()),
        Some(_) => Err(Error::new(format!("{of} compares texts, and the value is none"))),
    }
}

/// A test of a value; null if the value is
fn leaf(term: Term, check: Check) -> Folded {
    if term == Term::Constant(None) { Folded::Constant(None) } else { leaf_of(term, check) }
}

/// A test of a value, which may be null
fn leaf_of(term: Term, check: Check) -> Folded {
    match &term {
        Term::Constant(datum) => Folded::Constant(Some(check.fits(datum.as_ref()))),
        Term::Field(_) | Term::Call(..) | Term::Arithmetic(..) => {
            Folded::Test(Test::Leaf(term, check))
        }
    }
}
