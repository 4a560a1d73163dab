//! Text tests as Kusto predicates.
//!
//! In: a column, a relation and patterns. Out: the cheapest equivalent operator: lists for whole
//! values, `has` for a needle whose ends make it equal to `contains`, two anchored tests for one
//! star, a regular expression for the rest. Kusto's case-insensitive operators are documented
//! for ASCII only (Microsoft, string operators), so other letters need a regular expression.

use super::arguments;
use super::context::{Context, EMPTY, exists, note_empty, refuse, words_of};
use super::cost;
use super::forms::{Shape, ends_of, of_part, positioned, terms};
use super::subject::{left, may_fit};
use crate::backend::compared;
use crate::backend::expression::{self, Around};
use crate::ir::{Case, Part, RegexPattern, Relation, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Column, Kind};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::kusto::Expression;

pub(super) fn text(
    context: &mut Context<'_, '_>,
    test: &Test,
    column: &Column,
    text: &TextTest,
) -> Expression {
    if !column.values.is_empty()
        && let Some(said) = in_words_of_the_table(column, text)
    {
        let plain = column.without_values();
        let parts = said.iter().map(|text| self::text(context, test, &plain, text));
        return Expression::any(parts.collect::<Vec<_>>());
    }
    match (column.kind, text.case) {
        (Kind::Words, _) => return words_of(column, (test, text), context.session),
        (Kind::Truth, _) => {
            let message = "connections that the host took, or a choice of both".to_owned();
            let help = "The remote side of Defender's rows is the destination only where the host \
                        opened the connection: require `Initiated: 'true'` beside the other tests, \
                        or leave the signal out with `without:`.";
            let label = "no exact form in Kusto";
            context.session.refuse(compared(test), test.span, message, label, help);
            return Expression::truth(false);
        }
        (Kind::Recased, Case::Sensitive) => {
            let message = format!("the table writes {} in a letter case of its own", column.name);
            return refuse(context, test, message);
        }
        (Kind::Number, _) => {
            let message = format!("{} is a number", column.name);
            return refuse(context, test, message);
        }
        (Kind::List, _) => return arguments::elements(&column.value, text),
        (Kind::Text | Kind::Recased | Kind::Dashed, _) => {}
    }
    if let Part::Argument(product) = test.subject.part {
        return arguments::of(&column.value, product, text);
    }
    let left = left(context, column, test.subject.part, |value| may_fit(text, value));
    let wide = |value: &Pattern| text.folds() && value.literals().any(has_wide_case);
    let (wide, plain): (Vec<_>, Vec<_>) = text.values.iter().cloned().partition(wide);
    let mut parts = Vec::new();
    if !plain.is_empty() {
        let text = &text.with(plain);
        parts.push(match ends_of(column, test.subject.part, &left, text) {
            Some(ends) => ends,
            None => {
                let whole = of_part(context, (test, column), &left);
                let terms = whole.and_then(|whole| terms(&whole, text));
                let comparison = plain_text(context, test, &Shape { left: &left, text });
                Expression::all(terms.into_iter().chain([comparison]))
            }
        });
    }
    if !wide.is_empty() {
        // Kusto's case-insensitive operators are documented for ASCII only (string operators).
        parts.push(matches_regex(&left, &text.with(wide)));
    }
    Expression::any(parts)
}

/// The test in the table's own words; `None` when none of them could pass it
fn in_words_of_the_table(column: &Column, text: &TextTest) -> Option<Vec<TextTest>> {
    let passes = |word: &str| {
        let word = word.to_lowercase();
        text.literals().any(|value| text.relation.holds(&word, &value.to_lowercase()))
    };
    let words = column.values.iter().filter(|(word, _)| passes(word));
    let mut words: Vec<Pattern> = words.map(|(_, word)| Pattern::literal(word)).collect();
    words.dedup();
    if words.is_empty() {
        return None;
    }
    let is_word = |value: &Pattern| {
        let value = value.as_literal().unwrap_or_default();
        let mut words = column.values.iter();
        text.relation == Relation::Equals && words.any(|(word, _)| word.eq_ignore_ascii_case(value))
    };
    let rest: Vec<Pattern> = text.values.iter().filter(|value| !is_word(value)).cloned().collect();
    let rest = (!rest.is_empty()).then(|| text.with(rest));
    let equal = TextTest { relation: Relation::Equals, values: words, case: text.case };
    Some([equal].into_iter().chain(rest).collect())
}

fn plain_text(context: &mut Context<'_, '_>, test: &Test, shape: &Shape<'_>) -> Expression {
    let literals: Vec<&str> = shape.text.literals().collect();
    // Every text contains the empty text, so the other values add nothing.
    if shape.text.relation == Relation::Contains && literals.contains(&"") {
        note_empty(context, (test, Kind::Text), Direction::Narrower);
        return Expression::call("isnotempty", [shape.left.clone()]);
    }
    if literals.len() > cost::LONG_CHAIN && shape.text.relation != Relation::Equals {
        return matches_regex(shape.left, shape.text);
    }
    let each = |insensitive: &str, sensitive: &str| {
        let tests = literals.iter().map(|value| shape.binary(insensitive, sensitive, value));
        Expression::any(tests)
    };
    match shape.text.relation {
        Relation::Equals => equals(context, test, shape, &literals),
        Relation::Starts => each("startswith", "startswith_cs"),
        Relation::Ends => each("endswith", "endswith_cs"),
        Relation::Contains => contains(shape, &literals),
        Relation::Wildcard => {
            let tests = shape.text.values.iter().map(|value| wildcard(shape, value));
            Expression::any(tests)
        }
    }
}

fn equals(
    context: &mut Context<'_, '_>,
    test: &Test,
    shape: &Shape<'_>,
    literals: &[&str],
) -> Expression {
    if literals.contains(&"") {
        context.session.lose(LossName::Empty, Direction::Wider, test.span, EMPTY);
    }
    if let [only] = literals {
        return shape.binary("=~", "==", only);
    }
    let operator = if shape.text.folds() { "in~" } else { "in" };
    let values = match test.list.as_deref() {
        Some(list) => vec![context.lets.list(list, literals)],
        None => literals.iter().map(|value| Expression::text(value)).collect(),
    };
    shape.left.clone().one_of(operator, values)
}

/// A test for any of the needles
///
/// For a needle whose ends are no letters or digits, `has` equals `contains`. `has` uses the
/// index when the needle has a term of three characters.
fn contains(shape: &Shape<'_>, literals: &[&str]) -> Expression {
    if are_terms(shape.text, literals) {
        let values = literals.iter().map(|value| Expression::text(value)).collect();
        return shape.left.clone().one_of("has_any", values);
    }
    let tests = literals.iter().map(|value| match is_term(value) {
        true => shape.binary("has", "has_cs", value),
        false => shape.binary("contains", "contains_cs", value),
    });
    Expression::any(tests)
}

/// Whether `has` finds the needle wherever the text contains it, with the help of the index
fn is_term(needle: &str) -> bool {
    cost::is_bounded(needle) && cost::is_indexed(needle)
}

/// Whether one `has_any` can test all needles
fn are_terms(text: &TextTest, literals: &[&str]) -> bool {
    let several = text.folds() && literals.len() > 1;
    several && literals.iter().all(|value| is_term(value))
}

fn wildcard(shape: &Shape<'_>, value: &Pattern) -> Expression {
    match expression::prefix_and_suffix(value) {
        Some((prefix, suffix)) => Expression::all([
            shape.binary("startswith", "startswith_cs", prefix),
            shape.binary("endswith", "endswith_cs", suffix),
        ]),
        None => positioned(shape, value)
            .unwrap_or_else(|| matches_regex(shape.left, &shape.text.with(vec![value.clone()]))),
    }
}

fn matches_regex(left: &Expression, text: &TextTest) -> Expression {
    use Token::Any;
    let (values, around) = match text.relation {
        Relation::Equals | Relation::Wildcard => (text.values.clone(), Around::Ends),
        Relation::Starts => (text.values.clone(), Around::Start),
        Relation::Contains => (text.values.clone(), Around::Nothing),
        Relation::Ends => {
            let open = |v: &Pattern| Pattern::of([Any].into_iter().chain(v.tokens().to_vec()));
            (text.values.iter().map(open).collect(), Around::Ends)
        }
    };
    let written = expression::regex(&values, text.case, around);
    let matches = left.clone().compare("matches regex", Expression::text(&written));
    Expression::all(terms(left, text).into_iter().chain([matches]))
}

pub(super) fn regex(
    context: &mut Context<'_, '_>,
    test: &Test,
    column: &Column,
    patterns: &[RegexPattern],
) -> Expression {
    match column.kind {
        Kind::Recased if !patterns.iter().all(RegexPattern::ignores_case) => {
            let message = format!("the table writes {} in a letter case of its own", column.name);
            return refuse(context, test, message);
        }
        Kind::Words | Kind::Truth | Kind::Number | Kind::List => {
            let message = format!("a regular expression over {}", test.subject.field);
            return refuse(context, test, message);
        }
        Kind::Text | Kind::Recased | Kind::Dashed => {}
    }
    if let Part::Argument(_) = test.subject.part {
        return refuse(context, test, "a regular expression over single arguments".to_owned());
    }
    let left = left(context, column, test.subject.part, |_| true);
    let mut tests = Vec::new();
    for written in patterns {
        if written.groups() > 16 {
            // Source: Microsoft, `matches regex`: at most 16 capture groups.
            let message = "a regular expression with more than 16 groups".to_owned();
            return refuse(context, test, message);
        }
        let matches = left.clone().compare("matches regex", Expression::text(written));
        if !written.is_found_in("") {
            tests.push(matches);
            continue;
        }
        note_empty(context, (test, column.kind), Direction::Narrower);
        tests.push(Expression::all([exists(column.kind, column.value.clone()), matches]));
    }
    Expression::any(tests)
}

/// Runs of segments with wildcards, in each spelling
fn patterned(column: &Expression, rooted: bool, spellings: Vec<Pattern>) -> Expression {
    let relation = if rooted { Relation::Starts } else { Relation::Contains };
    let text = TextTest { relation, values: spellings, case: Case::Insensitive };
    let placed = text.values.iter().map(|value| {
        let tokens = value.tokens().iter().cloned().chain([Token::Any]);
        let is_plain = !value.literals().any(has_wide_case);
        let wildcard =
            TextTest { relation: Relation::Wildcard, values: Vec::new(), ..text.clone() };
        let shape = Shape { left: column, text: &wildcard };
        positioned(&shape, &Pattern::of(tokens)).filter(|_| rooted && is_plain)
    });
    match placed.collect::<Option<Vec<_>>>() {
        Some(placed) => Expression::any(placed),
        None => matches_regex(column, &text),
    }
}

pub(super) fn segments(
    context: &mut Context<'_, '_>,
    test: &Test,
    column: &Column,
    values: &[Pattern],
) -> Expression {
    let column = &left(context, column, test.subject.part, |_| true);
    let rooted = |value: &&Pattern| value.literals().next().is_some_and(|t| !t.starts_with('/'));
    let spellings = |value: &Pattern| test.subject.part.spellings(value);
    let folded = |relation, values| TextTest { relation, values, case: Case::Insensitive };
    let mut plain: Vec<Pattern> = Vec::new();
    let mut parts = Vec::new();
    for value in values {
        match (value.as_literal(), rooted(&value)) {
            (Some(_), false) => plain.extend(spellings(value)),
            (Some(_), true) => {
                for spelling in spellings(value) {
                    let literal = spelling.as_literal().unwrap_or_default();
                    parts.push(column.clone().compare("startswith", Expression::text(literal)));
                }
            }
            (None, rooted) => parts.push(patterned(column, rooted, spellings(value))),
        }
    }
    if plain.iter().flat_map(Pattern::literals).any(has_wide_case) {
        parts.push(matches_regex(column, &folded(Relation::Contains, plain)));
    } else if !plain.is_empty() {
        plain.sort();
        let text = folded(Relation::Contains, plain);
        let literals: Vec<&str> = text.literals().collect();
        let list = test.list.as_deref().filter(|_| parts.is_empty() && are_terms(&text, &literals));
        let comparison = match list {
            Some(list) => {
                column.clone().one_of("has_any", vec![context.lets.list(list, &literals)])
            }
            None => contains(&Shape { left: column, text: &text }, &literals),
        };
        parts.insert(0, comparison);
    }
    Expression::any(parts)
}
