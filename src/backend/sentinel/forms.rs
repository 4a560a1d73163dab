//! Cheap forms of text tests.
//!
//! In: the left side of a comparison, a relation and patterns. Out: tests of the ends of a text, of
//! fixed places in it, and of the terms that an index holds, where they say the same as a regular
//! expression or narrow down what it reads.

use super::context::Context;
use super::cost;
use crate::ir::{Part, Relation, Test, TextTest};
use crate::mapping::{Column, Holds};
use crate::pattern::{Pattern, Token};
use crate::query::kusto::{Expression, Kind};

/// The most tests of places in one pattern; with more, a regular expression reads better
const MOST_PLACES: usize = 2;

/// The most needles of one prefilter
const MOST_NEEDLES: usize = 4;

/// A text test and the left side of its comparisons
pub(super) struct Shape<'s> {
    pub(super) left: &'s Expression,
    pub(super) text: &'s TextTest,
}

impl Shape<'_> {
    pub(super) fn binary(&self, insensitive: &str, sensitive: &str, value: &str) -> Expression {
        let operator = if self.text.folds() { insensitive } else { sensitive };
        self.left.clone().compare(operator, Expression::text(value))
    }
}

/// The most extensions that are told by the ends of a path; more are a list
const MOST_ENDS: usize = 3;

/// A few extensions as ends of the path, where they are extracted from it
pub(super) fn ends_of(
    column: &Column,
    part: Part,
    left: &Expression,
    text: &TextTest,
) -> Option<Expression> {
    let literals: Vec<&str> = text.literals().collect();
    let is_plain = |text: &&str| !text.is_empty() && !text.contains(['.', '/', '\\']);
    let few = (1..=MOST_ENDS).contains(&literals.len()) && literals.iter().all(is_plain);
    if part != Part::Extension || text.relation != Relation::Equals || !few {
        return None;
    }
    let path = extracted(left).filter(|_| column.holds == Holds::Whole)?;
    let shape = Shape { left: path, text };
    let ends =
        literals.iter().map(|one| shape.binary("endswith", "endswith_cs", &format!(".{one}")));
    Some(Expression::any(ends.collect::<Vec<_>>()))
}

/// What a part is extracted from
fn extracted(left: &Expression) -> Option<&Expression> {
    let Kind::Call { name, arguments } = &left.kind else { return None };
    arguments.last().filter(|_| name.text == "extract")
}

/// The column of a whole path whose part is compared, which an index of terms may have read
pub(super) fn of_part(
    context: &Context<'_, '_>,
    (test, column): (&Test, &Column),
    left: &Expression,
) -> Option<Expression> {
    let (Part::Name | Part::Extension) = test.subject.part else { return None };
    if column.holds == Holds::Whole {
        return extracted(left).cloned();
    }
    // A name that is prepared for every row
    let prepared = context.table.prepares(&column.name) && context.session.is_positive();
    let whole = context.table.column(&test.subject.field, Holds::Whole)?;
    let of_event = whole.earlier.is_none() || !context.earlier;
    (prepared && of_event).then(|| whole.value.clone())
}

/// A pattern whose literals stand at known places, as tests of these places; `None` for another one
///
/// `?` takes one character, so that what follows it begins at a fixed place.
pub(super) fn positioned(shape: &Shape<'_>, value: &Pattern) -> Option<Expression> {
    // A computed value would be computed again for each place.
    if !shape.left.is_name() {
        return None;
    }
    let (open, tokens) = match value.tokens() {
        [tokens @ .., Token::Any] => (true, tokens),
        tokens => (false, tokens),
    };
    let mut place = 0;
    let mut parts = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Any => return None,
            Token::One => place += 1,
            Token::Literal(text) => {
                let column = match place {
                    0 => shape.left.clone(),
                    _ => {
                        let from = [shape.left.clone(), Expression::number(place)];
                        Expression::call("substring", from)
                    }
                };
                let part = Shape { left: &column, text: shape.text };
                parts.push(match open || at + 1 < tokens.len() {
                    true => part.binary("startswith", "startswith_cs", text),
                    false => part.binary("=~", "==", text),
                });
                place += u32::try_from(text.chars().count()).ok()?;
            }
        }
    }
    let ends_with_text = matches!(tokens.last(), Some(Token::Literal(_)));
    if !ends_with_text || parts.len() > MOST_PLACES {
        return None;
    }
    let terms = terms(shape.left, &shape.text.with(vec![value.clone()]));
    Some(Expression::all(terms.into_iter().chain(parts)))
}

/// Whether a value begins and ends where the text does
pub(super) fn edges(relation: Relation) -> (bool, bool) {
    match relation {
        Relation::Equals | Relation::Wildcard => (true, true),
        Relation::Starts => (true, false),
        Relation::Ends => (false, true),
        Relation::Contains => (false, false),
    }
}

/// The terms that each match has, for an index to look up; `None` where a match may have none
pub(super) fn terms(left: &Expression, text: &TextTest) -> Option<Expression> {
    let edges = edges(text.relation);
    // A computed value is in no index.
    if !left.is_name() || text.values.len() > MOST_NEEDLES {
        return None;
    }
    let needles = text.values.iter().map(|value| cost::needle(value, edges));
    let mut needles = needles.collect::<Option<Vec<String>>>()?;
    needles.sort();
    needles.dedup();
    let shape = Shape { left, text };
    match &*needles {
        [only] => Some(shape.binary("has", "has_cs", only)),
        several if text.folds() => {
            let values = several.iter().map(|needle| Expression::text(needle)).collect();
            Some(left.clone().one_of("has_any", values))
        }
        // Kusto has no list of cased terms.
        _ => None,
    }
}
