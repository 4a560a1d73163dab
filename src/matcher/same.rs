//! Compares a field with another field: equals, starts, ends or contains.
//!
//! In: the values of the other field. Out: [`Others`], which tests one value of the field at a
//! time. Both fields may hold long lists, so long lists are indexed and not compared pair by pair.

use std::borrow::Cow;
use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use crate::ir::Relation;

/// The values of the other field, indexed for the relation
pub(super) enum Others<'e> {
    /// Compared one by one
    Few(Relation, Vec<Cow<'e, str>>),
    Equal(HashSet<Cow<'e, str>>),
    /// Sorted; no value begins with another value
    Starts(Vec<Cow<'e, str>>),
    /// Like `Starts`, with the bytes of each value reversed
    Ends(Vec<Vec<u8>>),
    Within(AhoCorasick),
}

/// Up to this number of values, comparing each is fastest
const FEW: usize = 12;

impl<'e> Others<'e> {
    pub(super) fn of(relation: Relation, values: Vec<Cow<'e, str>>) -> Others<'e> {
        if values.len() <= FEW {
            return Others::Few(relation, values);
        }
        match relation {
            Relation::Equals | Relation::Wildcard => Others::Equal(values.into_iter().collect()),
            Relation::Starts => Others::Starts(without_longer(values)),
            Relation::Ends => {
                let reversed =
                    values.iter().map(|value| value.as_bytes().iter().rev().copied().collect());
                Others::Ends(without_longer(reversed.collect()))
            }
            Relation::Contains => {
                match AhoCorasick::new(values.iter().map(|value| value.as_bytes())) {
                    Ok(automaton) => Others::Within(automaton),
                    // The automaton is too large only when the event has gigabytes.
                    Err(_) => Others::Few(relation, values),
                }
            }
        }
    }

    /// Whether the relation holds between the text and some value
    pub(super) fn take(&self, text: &str) -> bool {
        match self {
            Others::Few(relation, values) => values.iter().any(|other| match relation {
                Relation::Equals | Relation::Wildcard => text == other,
                Relation::Starts => text.starts_with(&**other),
                Relation::Ends => text.ends_with(&**other),
                Relation::Contains => text.contains(&**other),
            }),
            Others::Equal(values) => values.contains(text),
            Others::Starts(values) => starts(text.as_bytes(), values),
            Others::Ends(values) => {
                let reversed: Vec<u8> = text.bytes().rev().collect();
                starts(&reversed, values)
            }
            Others::Within(automaton) => automaton.is_match(text),
        }
    }
}

/// Sorts the values and drops each value that begins with another
fn without_longer<T: Ord + Bytes>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup_by(|longer, kept| longer.bytes().starts_with(kept.bytes()));
    values
}

/// Whether the text begins with one of the values
///
/// No value begins with another, so only the last value not greater than the text can fit.
fn starts<T: Bytes>(text: &[u8], values: &[T]) -> bool {
    let after = values.partition_point(|value| value.bytes() <= text);
    values[..after].last().is_some_and(|value| text.starts_with(value.bytes()))
}

trait Bytes {
    fn bytes(&self) -> &[u8];
}

impl Bytes for Cow<'_, str> {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Bytes for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_others_say_what_few_say() {
        let letters = ["", "a", "b", "ä", "ab", "ba", "aä", "äb"];
        let texts: Vec<String> =
            letters.iter().flat_map(|a| letters.iter().map(move |b| format!("{a}{b}"))).collect();
        let relations = [Relation::Equals, Relation::Starts, Relation::Ends, Relation::Contains];
        for relation in relations {
            // Each step selects different texts.
            for step in 1..5 {
                let some = || texts.iter().skip(step).step_by(step);
                let values: Vec<Cow<'_, str>> = some().map(|text| text.into()).collect();
                let few = Others::Few(relation, values.clone());
                let many = Others::of(relation, values);
                assert!(!matches!(many, Others::Few(..)));
                for text in texts.iter().chain([&"x".to_owned(), &"xäbx".to_owned()]) {
                    assert_eq!(many.take(text), few.take(text), "{relation:?} {text} {step}");
                }
            }
        }
    }
}
