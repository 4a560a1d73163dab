//! Text tests.
//!
//! In: a pattern and the reading of its key. Out: a test in the cheapest relation: modifiers add
//! wildcards at the ends, and the wildcards decide the relation.

use super::scope::Reading;
use super::{Expr, Op, Part, Relation, Subject, Test, TextTest};
use crate::definition::{Modifier, Value};
use crate::pattern::{Pattern, Token};
use crate::taxonomy::{Field, FieldType, hash};

/// A text test: modifiers add wildcards at the ends, and the wildcards decide the relation
pub(super) fn text(reading: &Reading<'_>, part: Part, pattern: Pattern, value: &Value) -> Expr {
    let (open_start, open_end) = open_ends(reading);
    let (relation, pattern) = match pattern.as_literal() {
        // Most values have no wildcard: the ends alone decide.
        Some(text) if !text.is_empty() => (by_ends(open_start, open_end), pattern),
        _ => {
            let start = open_start.then_some(Token::Any).into_iter();
            let end = open_end.then_some(Token::Any);
            relation(Pattern::of(start.chain(pattern.tokens().iter().cloned()).chain(end)))
        }
    };
    let case = reading.case();
    let path = reading.meaning.kind == FieldType::Path;
    if path && part == Part::Whole && relation == Relation::Ends {
        // A path ends with `\cmd.exe` exactly when its base name is `cmd.exe`.
        let name = pattern.as_literal().and_then(|text| text.strip_prefix(['\\', '/']));
        if let Some(name) = name.filter(|n| !n.is_empty() && !n.contains(['\\', '/'])) {
            let text = TextTest::one(Relation::Equals, Pattern::literal(name), case);
            return reading.test(Part::Name, Op::Text(text), value.span);
        }
    }
    if let Some((field, digits)) = whole_hash(reading, relation, &pattern) {
        let subject = Subject::whole(field);
        let text = TextTest::one(Relation::Equals, Pattern::literal(digits), case);
        let op = Op::Text(text);
        return Expr::Test(Test { subject, op, list: None, span: value.span });
    }
    reading.test(part, Op::Text(TextTest::one(relation, pattern, case)), value.span)
}

/// The field and digits of a whole hash such as `MD5=…`, when `Hashes` is searched for it
fn whole_hash<'p>(
    reading: &Reading<'_>,
    relation: Relation,
    pattern: &'p Pattern,
) -> Option<(Field, &'p str)> {
    let hashes = reading.meaning.field.name() == "Hashes" && relation == Relation::Contains;
    pattern.as_literal().filter(|_| hashes).and_then(hash::whole)
}

/// Whether anything may stand before the value, and after it
pub(super) fn open_ends(reading: &Reading<'_>) -> (bool, bool) {
    let has = |modifier| reading.has(modifier);
    let ends = has(Modifier::StartsWith) || has(Modifier::EndsWith);
    // A keyword fits anywhere, unless `startswith` or `endswith` says where.
    let anywhere = has(Modifier::Contains) || (reading.meaning.field == Field::EVERY && !ends);
    (anywhere || has(Modifier::EndsWith), anywhere || has(Modifier::StartsWith))
}

/// The cheapest relation with the same meaning as the wildcards
fn relation(pattern: Pattern) -> (Relation, Pattern) {
    let tokens = pattern.tokens();
    let (start, rest) = match tokens {
        [Token::Any, rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (end, middle) = match rest {
        [middle @ .., Token::Any] => (true, middle),
        middle => (false, middle),
    };
    let middle = Pattern::of(middle.iter().cloned());
    match (start, middle.as_literal(), end) {
        (_, None, _) => (Relation::Wildcard, pattern),
        // A lone `*` is any text: it contains the empty text.
        (true, Some(""), false) => (Relation::Contains, middle),
        (start, Some(_), end) => (by_ends(start, end), middle),
    }
}

/// The relation to a literal, by whether anything may stand before and after the literal
pub(super) fn by_ends(start: bool, end: bool) -> Relation {
    match (start, end) {
        (true, true) => Relation::Contains,
        (true, false) => Relation::Ends,
        (false, true) => Relation::Starts,
        (false, false) => Relation::Equals,
    }
}
