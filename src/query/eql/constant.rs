//! Parses constants and lists of them.
//!
//! In: a place in a query. Out: texts, numbers and the words that are constants.

use serde_json::Number;

use super::cursor::Cursor;
use super::lex::Token;
use super::tree::Value;
use crate::query::Error;

/// Items in brackets
pub(super) fn list<T>(
    cursor: &mut Cursor<'_>,
    item: fn(&mut Cursor<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    cursor.need("(")?;
    let mut items = vec![item(cursor)?];
    while cursor.take(",") {
        items.push(item(cursor)?);
    }
    cursor.need(")")?;
    Ok(items)
}

pub(super) fn pattern(cursor: &mut Cursor<'_>) -> Result<String, Error> {
    let Token::Text(text) = cursor.look(0) else { return Err(cursor.expected("a text")) };
    let text = text.clone();
    cursor.skip();
    Ok(text)
}

pub(super) fn constant(cursor: &mut Cursor<'_>) -> Result<Value, Error> {
    if cursor.take("-") {
        let number = negative(cursor)?.ok_or_else(|| cursor.expected("a number"))?;
        return Ok(Value::Number(number));
    }
    if let Some(number) = signed(cursor, "")? {
        return Ok(Value::Number(number));
    }
    literal(cursor).ok_or_else(|| cursor.expected("a constant"))
}

/// A number behind its sign; the lowest one has no positive twin, so its sign is read with it
pub(super) fn negative(cursor: &mut Cursor<'_>) -> Result<Option<Number>, Error> {
    signed(cursor, "-")
}

fn signed(cursor: &mut Cursor<'_>, sign: &str) -> Result<Option<Number>, Error> {
    let Token::Number(digits) = cursor.look(0) else { return Ok(None) };
    let number = number(&format!("{sign}{digits}"));
    let number = number.ok_or_else(|| cursor.refuse("the number is out of range"))?;
    cursor.skip();
    Ok(Some(number))
}

/// A text or a word that is a constant
pub(super) fn literal(cursor: &mut Cursor<'_>) -> Option<Value> {
    let words =
        [("true", Value::Truth(true)), ("false", Value::Truth(false)), ("null", Value::Null)];
    let value = match cursor.look(0) {
        Token::Text(text) => Some(Value::Text(text.clone())),
        Token::Word(own) => words.into_iter().find(|(word, _)| word == own).map(|(_, value)| value),
        Token::Folded(_) | Token::Name(_) | Token::Number(_) | Token::Sign(_) | Token::End => None,
    }?;
    cursor.skip();
    Some(value)
}

fn number(written: &str) -> Option<Number> {
    if written.contains(['.', 'e', 'E']) {
        return Number::from_f64(written.parse().ok()?);
    }
    let positive = written.parse::<u64>().ok().map(Number::from);
    positive.or_else(|| written.parse::<i64>().ok().map(Number::from))
}
