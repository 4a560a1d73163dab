//! Values of fields that a pipeline decodes before they are indexed.
//!
//! In: a text test and one of its values. Out: the forms of the value that the index may hold: as
//! written, and with its escapes decoded. Noted: the loss `encoding`.
//!
//! The pipeline of Elastic's IIS integration runs `urldecode` over the query of a request: `%41`
//! becomes `A`, `+` a blank, and a query with a broken escape is dropped. Other indices of the same stream hold the query as it was sent.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::backend::Session;
use crate::ir::{Op, Test};
use crate::manifest::{Direction, LossName};
use crate::mapping::{IndexField, Stream};
use crate::pattern::{Pattern, Token};

/// Whether a pipeline of one of the stream's indices decodes the field
pub(super) fn decodes(stream: &Stream, ecs: &IndexField) -> bool {
    stream.indices.iter().any(|index| ecs.decoded.contains(&index.pattern))
}

/// Notes what any test of a decoded field finds more and less than the rule
pub(super) fn note(stream: &Stream, ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    if !decodes(stream, ecs) {
        return;
    }
    let name = &ecs.name;
    let reason = format!("Elastic's pipeline for IIS decodes {name}: `%41` is found as `A`");
    session.lose_rarely(LossName::Encoding, Direction::Wider, test.span, &reason);
    let reason = format!("Elastic's pipeline for IIS keeps no {name} with a broken escape");
    session.lose_rarely(LossName::Encoding, Direction::Narrower, test.span, &reason);
    let Op::Regex(patterns) = &test.op else { return };
    if patterns.iter().any(|pattern| pattern.contains(['%', '+'])) {
        let reason = format!("Elastic's pipeline for IIS decodes {name} before it is compared");
        session.lose(LossName::Encoding, Direction::Narrower, test.span, &reason);
    }
}

/// The forms of a value that the indices may hold: as written, and decoded where that differs
pub(super) fn forms<'v>(
    (stream, ecs): (&Stream, &IndexField),
    test: &Test,
    value: &'v Pattern,
    session: &mut Session<'_>,
) -> Vec<Cow<'v, Pattern>> {
    if !decodes(stream, ecs) || value.literals().next().is_none() {
        return vec![Cow::Borrowed(value)];
    }
    let name = &ecs.name;
    let Some(decoded) = decoded(value) else {
        let reason = format!("Elastic's pipeline for IIS decodes {name}, and `{value}` cannot be");
        session.lose(LossName::Encoding, Direction::Narrower, test.span, &reason);
        return vec![Cow::Borrowed(value)];
    };
    if decoded == *value {
        return vec![Cow::Borrowed(value)];
    }
    let reason = format!(
        "Elastic's pipeline for IIS decodes {name}: a value with `%` or `+` is found decoded too"
    );
    session.lose(LossName::Encoding, Direction::Wider, test.span, &reason);
    vec![Cow::Borrowed(value), Cow::Owned(decoded)]
}

/// The value with its escapes decoded; `None` when a wildcard, the start or the end cuts an escape
fn decoded(value: &Pattern) -> Option<Pattern> {
    let tokens = value.tokens().iter().map(|token| match token {
        Token::Literal(text) => decoded_text(text).map(Token::Literal),
        Token::Any | Token::One => Some(token.clone()),
    });
    Some(Pattern::of(tokens.collect::<Option<Vec<_>>>()?))
}

fn decoded_text(text: &str) -> Option<String> {
    let whole = |escape: &str| {
        escape.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(whole) {
        return None;
    }
    let blanks: String = text.chars().map(|c| if c == '+' { ' ' } else { c }).collect();
    percent_decode_str(&blanks).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_as_the_pipeline_does() {
        let table = [
            ("=C%3A%5CUsers", Some("=C:\\Users")),
            ("a+b%20c", Some("a b c")),
            ("%C3%A9", Some("é")),
            ("plain", Some("plain")),
            ("%2", None),
            ("%zz", None),
            ("%C3", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(Pattern::literal);
            assert_eq!(decoded(&Pattern::literal(text)), expected, "{text}");
        }
        assert_eq!(decoded(&Pattern::read("%2*")), None);
    }
}
