//! A condition that is ready to be evaluated.
//!
//! In: documents. Out: whether a [`Test`] holds. Every leaf is true or false: a value that is missing
//! passes no leaf, and `not` is the plain complement.

use std::cmp::Ordering;

use serde_json::Value;

use super::datum::{self, Datum};
use super::index::Column;
use super::pattern::Pattern;
use super::term::Term;
use crate::verify::elastic::point::{self, Points};

/// What must hold of a document
#[derive(Debug, Clone)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// Some combination of the values of its fields passes
    Leaf(Term, Check),
}

/// What one value must pass
#[derive(Debug, Clone)]
pub(super) enum Check {
    /// There is none
    Null,
    /// It has one of these orders to the constant
    Order(Vec<Ordering>, Datum),
    /// It equals one of these
    Among(Vec<Datum>),
    /// It fits one of these
    Patterns(Vec<Pattern>),
    /// It is an address in one of these networks
    Networks(Vec<Points>),
}

impl Test {
    /// Whether the document passes
    pub(super) fn holds(&self, document: &Value) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(document)),
            Test::Any(parts) => parts.iter().any(|part| part.holds(document)),
            Test::Not(part) => !part.holds(document),
            Test::Leaf(term, check) => {
                let columns = term.columns().into_iter();
                let values = columns.map(|column| (column, datum::values(document, column)));
                passes(term, check, &values.collect::<Vec<_>>(), &mut Vec::new())
            }
        }
    }
}

/// Whether a combination of the values of these fields passes, with those that are already chosen
fn passes<'c>(
    term: &Term,
    check: &Check,
    rest: &[(&'c Column, Vec<Datum>)],
    chosen: &mut Vec<(&'c Column, Option<Datum>)>,
) -> bool {
    let Some(((column, values), rest)) = rest.split_first() else {
        return check.fits(term.value(chosen).as_ref());
    };
    let mut with = |value: Option<Datum>| {
        chosen.push((column, value));
        let passed = passes(term, check, rest, chosen);
        chosen.pop();
        passed
    };
    match values.is_empty() {
        true => with(None),
        false => values.iter().any(|value| with(Some(value.clone()))),
    }
}

impl Check {
    /// Whether a value passes, of which `None` is null
    pub(super) fn fits(&self, value: Option<&Datum>) -> bool {
        match (self, value) {
            (Check::Null, value) => value.is_none(),
            (_, None) => false,
            (Check::Order(orders, constant), Some(value)) => {
                value.order(constant).is_some_and(|order| orders.contains(&order))
            }
            (Check::Among(items), Some(value)) => {
                items.iter().any(|item| value.order(item) == Some(Ordering::Equal))
            }
            (Check::Patterns(patterns), Some(Datum::Text(text))) => {
                patterns.iter().any(|pattern| pattern.fits(text))
            }
            (Check::Networks(networks), Some(Datum::Address(address))) => {
                let point = point::address(*address);
                networks.iter().any(|network| network.contains(&point))
            }
            (Check::Patterns(_) | Check::Networks(_), Some(_)) => false,
        }
    }
}
