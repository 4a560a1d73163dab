//! Text tests over fields that are indexed by their words.
//!
//! In: a text test, and the fields. Out: phrases, in Kibana's language or as Elasticsearch's own
//! query. Such a field has no substrings: a phrase is found only where words begin and end, and
//! finds the words with other characters between them. Both are the loss `words`.

use crate::backend::{Session, compared};
use crate::ir::{Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::IndexField;
use crate::pattern::Pattern;
use crate::query::elasticsearch::{Query, Scalar};
use crate::query::kuery::{Kuery, Literal, Values};

/// The phrases of a pattern: its texts between wildcards that have a word
fn phrases(value: &Pattern) -> Vec<&str> {
    let has_word = |text: &&str| text.chars().any(char::is_alphanumeric);
    value.literals().map(|text| text.trim()).filter(has_word).collect()
}

/// The phrases of each value; notes the loss, and refuses an excluded value without a word
fn all_phrases<'t>(
    fields: &[IndexField],
    (test, text): (&Test, &'t TextTest),
    session: &mut Session<'_>,
) -> Option<Vec<Vec<&'t str>>> {
    let by_value: Vec<Vec<&str>> = text.values.iter().map(phrases).collect();
    // In place of a value without a word stands the existence of the text, which is wider.
    let at = by_value.iter().position(Vec::is_empty).filter(|_| !session.is_positive());
    if let Some(at) = at {
        let message = format!("`{}` has no word", text.values[at]);
        session.refuse(compared(test), test.span, message, "the target searches for words", "");
        return None;
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let names = names.join(" and ");
    let wider = format!("{names} is searched for words in a row, whatever stands between them");
    session.lose(LossName::Words, Direction::Wider, test.span, &wider);
    let narrower = format!("{names} is searched for whole words, not for parts of words");
    session.lose(LossName::Words, Direction::Narrower, test.span, &narrower);
    Some(by_value)
}

/// The test in Kibana's language; `None` where a value or a field has no form there
pub(super) fn kuery(
    fields: &[IndexField],
    asked: (&Test, &TextTest),
    session: &mut Session<'_>,
) -> Option<Kuery> {
    if !fields.iter().all(|field| field.kind.is_analysed()) {
        return None;
    }
    let by_value = all_phrases(fields, asked, session)?;
    let one = |field: &IndexField| {
        let literal = |phrase: &&str| Literal::quoted(phrase).map(Values::One);
        let all = |phrases: &Vec<&str>| {
            let parts: Option<Vec<Values>> = phrases.iter().map(literal).collect();
            parts.map(|mut parts| match parts.len() {
                0 => Values::One(Literal::anything()),
                1 => parts.swap_remove(0),
                _ => Values::All(parts),
            })
        };
        let mut values: Vec<Values> = by_value.iter().map(all).collect::<Option<_>>()?;
        let values = match values.len() {
            1 => values.swap_remove(0),
            _ => Values::Any(values),
        };
        Some(Kuery::field(&field.name, values))
    };
    let parts: Option<Vec<Kuery>> = fields.iter().map(one).collect();
    parts.map(Kuery::Or)
}

/// The test in Elasticsearch's own query language
pub(super) fn query(
    fields: &[IndexField],
    asked: (&Test, &TextTest),
    session: &mut Session<'_>,
) -> Query {
    let Some(by_value) = all_phrases(fields, asked, session) else { return Query::Nothing };
    let phrase = |field: &IndexField, text: &str| Query::Words {
        field: field.name.clone(),
        text: Scalar::from(text),
        phrase: true,
    };
    let value = |field: &IndexField, phrases: &Vec<&str>| {
        let mut all: Vec<Query> = phrases.iter().map(|text| phrase(field, text)).collect();
        match all.len() {
            0 => Query::exists(&field.name),
            1 => all.swap_remove(0),
            _ => Query::all(all),
        }
    };
    let of_field = |field: &IndexField| {
        by_value.iter().map(|phrases| value(field, phrases)).collect::<Vec<_>>()
    };
    Query::any(fields.iter().flat_map(of_field).collect())
}
