//! Parses conditions and values.
//!
//! In: a place in a query. Out: a [`Condition`]. Words bind in this order, the closest first: `in`
//! and patterns, signs, `*`, `+`, comparisons, `not`, `and`, `or`. A chain of one word is one list;
//! brackets inside a chain keep a list of their own.

use super::constant::{constant, list, literal, negative, pattern};
use super::cursor::Cursor;
use super::lex::Token;
use super::quote::KEYWORDS;
use super::tree::{Comparison, Condition, Matching, Operation, Value};
use crate::query::Error;

const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Below),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    (">=", Comparison::AtLeast),
];
/// The most operations in one chain, each of which is a level of the tree
const MAX_CHAIN: usize = 100;

/// What an expression turns out to be
enum Parsed {
    Value(Value),
    Condition(Condition),
}

impl Parsed {
    fn into_condition(self) -> Condition {
        match self {
            Parsed::Value(value) => Condition::Truth(value),
            Parsed::Condition(condition) => condition,
        }
    }

    fn into_value(self, cursor: &Cursor<'_>) -> Result<Value, Error> {
        match self {
            Parsed::Value(value) => Ok(value),
            Parsed::Condition(_) => {
                Err(cursor.refuse("a condition is used as a value, which is not read here"))
            }
        }
    }
}

/// Reads a condition
pub(super) fn condition(cursor: &mut Cursor<'_>) -> Result<Condition, Error> {
    either(cursor).map(Parsed::into_condition)
}

fn either(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    chain(cursor, "or", |cursor| chain(cursor, "and", negated, Condition::All), Condition::Any)
}

fn chain<'t>(
    cursor: &mut Cursor<'t>,
    word: &str,
    part: fn(&mut Cursor<'t>) -> Result<Parsed, Error>,
    group: fn(Vec<Condition>) -> Condition,
) -> Result<Parsed, Error> {
    let first = part(cursor)?;
    if !cursor.is(word) {
        return Ok(first);
    }
    let mut parts = vec![first.into_condition()];
    while cursor.take(word) {
        parts.push(part(cursor)?.into_condition());
    }
    Ok(Parsed::Condition(group(parts)))
}

fn negated(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    if !cursor.take("not") {
        return compared(cursor);
    }
    let inner = cursor.deeper(negated)?.into_condition();
    Ok(Parsed::Condition(Condition::Not(Box::new(inner))))
}

fn compared(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    let left = sum(cursor)?;
    if cursor.is("=") {
        return Err(cursor.refuse("`=` compares nothing, write `==` or `:`"));
    }
    let Some((_, comparison)) = COMPARISONS.iter().find(|(sign, _)| cursor.is(sign)) else {
        return Ok(left);
    };
    let left = left.into_value(cursor)?;
    cursor.skip();
    let right = sum(cursor)?.into_value(cursor)?;
    Ok(Parsed::Condition(Condition::Compare(left, *comparison, right)))
}

fn sum(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    let signs = [("+", Operation::Plus), ("-", Operation::Minus)];
    operations(cursor, &signs, |cursor| {
        let signs = [("*", Operation::Times), ("/", Operation::Over), ("%", Operation::Modulo)];
        operations(cursor, &signs, signed)
    })
}

fn operations<'t>(
    cursor: &mut Cursor<'t>,
    signs: &[(&str, Operation)],
    part: fn(&mut Cursor<'t>) -> Result<Parsed, Error>,
) -> Result<Parsed, Error> {
    let mut left = part(cursor)?;
    let mut count = 0;
    while let Some((_, operation)) = signs.iter().find(|(sign, _)| cursor.is(sign)) {
        count += 1;
        if count > MAX_CHAIN {
            return Err(cursor.refuse(format!("more than {MAX_CHAIN} operations in one chain")));
        }
        let value = left.into_value(cursor)?;
        cursor.skip();
        let right = part(cursor)?.into_value(cursor)?;
        left = Parsed::Value(Value::Arithmetic(Box::new(value), *operation, Box::new(right)));
    }
    Ok(left)
}

fn signed(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    if cursor.take("+") {
        return Ok(Parsed::Value(cursor.deeper(signed)?.into_value(cursor)?));
    }
    if !cursor.take("-") {
        return tested(cursor);
    }
    if let Some(number) = negative(cursor)? {
        return Ok(Parsed::Value(Value::Number(number)));
    }
    let value = cursor.deeper(signed)?.into_value(cursor)?;
    let zero = Value::Number(0.into());
    Ok(Parsed::Value(Value::Arithmetic(Box::new(zero), Operation::Minus, Box::new(value))))
}

/// A value, and what `in` or a pattern says about it
fn tested(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    match primary(cursor)? {
        Parsed::Value(value) => test(cursor, value),
        condition @ Parsed::Condition(_) => Ok(condition),
    }
}

fn test(cursor: &mut Cursor<'_>, value: Value) -> Result<Parsed, Error> {
    let is_in = |token: &Token<'_>| matches!(token, Token::Word("in") | Token::Folded("in"));
    let negative = cursor.is("not") && is_in(cursor.look(1));
    if negative {
        cursor.skip();
    }
    let fold = cursor.is_folded("in");
    if fold || cursor.is("in") {
        cursor.skip();
        let test = Condition::In { value, items: list(cursor, constant)?, fold };
        let test = if negative { Condition::Not(Box::new(test)) } else { test };
        return Ok(Parsed::Condition(test));
    }
    let matching = match cursor.is(":") {
        true => Some(Matching::Colon),
        false if cursor.is("like") => Some(Matching::Like),
        false if cursor.is_folded("like") => Some(Matching::LikeFolded),
        false if cursor.is("regex") => Some(Matching::Regex),
        false if cursor.is_folded("regex") => Some(Matching::RegexFolded),
        false => None,
    };
    let Some(matching) = matching else { return Ok(Parsed::Value(value)) };
    cursor.skip();
    let patterns = if cursor.is("(") { list(cursor, pattern)? } else { vec![pattern(cursor)?] };
    Ok(Parsed::Condition(Condition::Matches(value, matching, patterns)))
}

fn primary(cursor: &mut Cursor<'_>) -> Result<Parsed, Error> {
    if cursor.take("(") {
        let inner = cursor.deeper(either)?;
        cursor.need(")")?;
        return Ok(inner);
    }
    if matches!(cursor.look(0), Token::Number(_)) {
        return constant(cursor).map(Parsed::Value);
    }
    if let Some(value) = literal(cursor) {
        return Ok(Parsed::Value(value));
    }
    let call = match cursor.look(0) {
        Token::Word(name) if !KEYWORDS.contains(name) => Some((*name, false)),
        Token::Folded(name) if !KEYWORDS.contains(name) => Some((*name, true)),
        Token::Word(_)
        | Token::Folded(_)
        | Token::Name(_)
        | Token::Text(_)
        | Token::Number(_)
        | Token::Sign(_)
        | Token::End => None,
    };
    if let (Some((name, fold)), Token::Sign("(")) = (call, cursor.look(1)) {
        let function = name.to_owned();
        cursor.skip();
        let arguments = cursor.deeper(arguments)?;
        return Ok(Parsed::Value(Value::Call { function, fold, arguments }));
    }
    if *cursor.look(1) == Token::Word("of") {
        return Err(cursor.refuse("events of a process tree are not read here"));
    }
    let starts = matches!(cursor.look(0), Token::Word(_) | Token::Name(_) | Token::Sign("?"));
    if !starts {
        return Err(cursor.expected("a field or a value"));
    }
    cursor.field().map(|field| Parsed::Value(Value::Field(field)))
}

fn arguments(cursor: &mut Cursor<'_>) -> Result<Vec<Value>, Error> {
    cursor.need("(")?;
    let mut arguments = Vec::new();
    if cursor.take(")") {
        return Ok(arguments);
    }
    loop {
        arguments.push(either(cursor)?.into_value(cursor)?);
        if !cursor.take(",") {
            cursor.need(")")?;
            return Ok(arguments);
        }
    }
}
