//! One field beside another: whether a value of the one stands in a relation to a value of the other.
//!
//! In: the values of the other field. Out: [`Others`], which is asked once for each value of the
//! field itself. Both may be long lists, so no value is compared with every other.

use std::borrow::Cow;
use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use crate::ir::Relation;

/// The values of the other field, put where a value's counterpart is found fastest
pub(super) enum Others<'e> {
    /// So few that each is looked at
    Few(Relation, Vec<Cow<'e, str>>),
    Equal(HashSet<Cow<'e, str>>),
    /// Sorted; none begins with another
    Starts(Vec<Cow<'e, str>>),
    /// The same of the bytes from the end to the start
    Ends(Vec<Vec<u8>>),
    Within(AhoCorasick),
}

/// Up to so many values, looking at each is fastest
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
                    // Only an event of gigabytes makes too large an automaton.
                    Err(_) => Others::Few(relation, values),
                }
            }
        }
    }

    /// Whether the text stands in the relation to one of them
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

/// The values sorted, without those that begin with another
fn without_longer<T: Ord + Bytes>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup_by(|longer, kept| longer.bytes().starts_with(kept.bytes()));
    values
}

/// Whether the text begins with one of the values
///
/// None of them begins with another, so only the last that is not greater than the text can fit.
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
            // Each run leaves out others of them.
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
