//! The values of literals.
//!
//! In: a literal as a query writes it. Out: its value.

use serde_json::Value as Json;

use super::value::Value;
use super::{Fault, Outcome, time};
use crate::query::kusto::{Literal, Type};

pub(super) fn value(literal: &Literal) -> Outcome {
    let unread = |text: &str| Fault::new(format!("the literal `{text}` is not read"));
    let (kind, text) = match literal {
        Literal::Dynamic(values) => {
            let read = |one: &String| serde_json::from_str::<Json>(one).map_err(|_| unread(one));
            let list = values.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            return Ok(Value::dynamic(list.into()));
        }
        Literal::Written(kind, text) => (*kind, text),
    };
    let value = match kind {
        Type::Bool => Some(Value::Bool(text == "true")),
        Type::Long => text.parse().ok().map(Value::Long),
        Type::Real => text.parse().ok().map(Value::Real),
        Type::TimeSpan => time::span(text).map(Value::Span),
        Type::String => unquoted(text).map(Value::text),
        Type::DateTime | Type::Decimal | Type::Dynamic | Type::Guid | Type::Int => None,
    };
    value.ok_or_else(|| unread(text))
}

/// The text of a string literal
fn unquoted(literal: &str) -> Option<String> {
    if let Some(verbatim) = literal.strip_prefix("@\"") {
        return Some(verbatim.strip_suffix('"')?.replace("\"\"", "\""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let digits = |rest: &mut std::str::Chars<'_>, count| {
            let digits: String = rest.by_ref().take(count).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        };
        text.push(match rest.next()? {
            'x' => digits(&mut rest, 2)?,
            'u' => digits(&mut rest, 4)?,
            'U' => digits(&mut rest, 8)?,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            same @ ('\\' | '"' | '\'') => same,
            // An octal code, which rulecast does not write.
            _ => return None,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_their_literals_say() {
        for (literal, text) in [
            (r#""a\\b\"\x1f\u00e9\U0001f600""#, "a\\b\"\x1f\u{e9}\u{1f600}"),
            (r#"@"C:\a ""b""""#, r#"C:\a "b""#),
            (r#""\n\t""#, "\n\t"),
        ] {
            assert_eq!(unquoted(literal).unwrap(), text);
        }
        assert_eq!(unquoted(r#""\101""#), None);
    }
}
