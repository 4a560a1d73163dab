//! The state file: the terms that each rule has seen, kept between runs.
//!
//! In: a [`Memory`] to keep, or kept JSON. Out: the JSON, or the [`Memory`] restored from it. Terms
//! are kept under the rule's id, so that rule files may move; terms older than their window are
//! left out. Of a term its digest and the second are kept, not its values. Correlations and the process tree
//! belong to one run and are not kept.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::novelty::{NewTerms, SeenTerm, Term, UNTIMED};
use super::{Engine, Memory};

/// Version of the file's format; version 1 has the values of a term and its time as a text
const VERSION: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    rulecast_state: u32,
    new_terms: BTreeMap<String, Terms>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    fields: Vec<String>,
    seen: Vec<KeptTerm>,
}

/// A term as it is kept: its digest in hexadecimal, and the second; in version 1 its values, and the time
struct KeptTerm(SeenTerm);

#[derive(Serialize)]
struct Keeping<'k> {
    rulecast_state: u32,
    new_terms: BTreeMap<&'k str, TermsOf<'k>>,
}

#[derive(Serialize)]
struct TermsOf<'k> {
    fields: &'k [String],
    #[serde(serialize_with = "seen")]
    seen: &'k [SeenTerm],
}

fn seen<S: Serializer>(terms: &[SeenTerm], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(terms.iter().map(|(term, second)| {
        let digest = format!("{:032x}", u128::from_be_bytes(term.0));
        (digest, (*second != UNTIMED).then_some(*second))
    }))
}

impl<'de> Deserialize<'de> for KeptTerm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeptTerm, D::Error> {
        let (Digest(term), Second(second)) = Deserialize::deserialize(deserializer)?;
        Ok(KeptTerm((term, second)))
    }
}

/// A term, of its digest or of its values
struct Digest(Term);

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hexadecimal digits, or a list of values")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
                let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32);
                let number =
                    number.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
                Ok(Digest(Term(number.to_be_bytes())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Digest, A::Error> {
                let values: Vec<String> =
                    Deserialize::deserialize(SeqAccessDeserializer::new(values))?;
                Ok(Digest(Term::of(&values)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A second, of a number, of a time as a text, or of null
struct Second(i64);

impl<'de> Deserialize<'de> for Second {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Second, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Second;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a second, a time or null")
            }

            fn visit_i64<E: de::Error>(self, second: i64) -> Result<Second, E> {
                Ok(Second(second))
            }

            fn visit_u64<E: de::Error>(self, second: u64) -> Result<Second, E> {
                let whole = i64::try_from(second);
                whole.map(Second).map_err(|_| E::invalid_value(Unexpected::Unsigned(second), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Second, E> {
                let time = text.parse::<Timestamp>();
                let time = time.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
                Ok(Second(time.as_second()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Second, E> {
                Ok(Second(UNTIMED))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Why a kept state cannot be used: a text for the user
#[derive(Debug)]
pub struct StateError(String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Memory {
    /// The JSON of a state file with the terms seen
    pub fn keep(&self, engine: &Engine) -> String {
        let known: Vec<(String, Vec<String>, Vec<SeenTerm>)> = self
            .terms
            .iter()
            .filter_map(|(rule, terms)| {
                let (name, fields) = known_by(engine, *rule)?;
                let window = engine.rules()[*rule].new_terms.as_ref().map_or(0, |new| new.window);
                Some((name, fields, terms.within(window, self.now)))
            })
            .collect();
        // Terms of rules that this run did not load are kept unchanged.
        let others = self.others.iter().map(|(name, (fields, seen))| (name, fields, seen));
        let known = known.iter().map(|(name, fields, seen)| (name, fields, seen));
        let all = others
            .chain(known)
            .map(|(name, fields, seen)| (name.as_str(), TermsOf { fields, seen }));
        let kept = Keeping { rulecast_state: VERSION, new_terms: all.collect() };
        // Serialising text and times cannot fail.
        serde_json::to_string(&kept).unwrap_or_default() + "\n"
    }

    /// A memory with the terms kept in this JSON
    ///
    /// # Errors
    /// When the text is not a state of this version.
    pub fn restored(engine: &Engine, json: &str) -> Result<Memory, StateError> {
        let kept: Kept = serde_json::from_str(json)
            .map_err(|error| StateError(format!("not a state of rulecast: {error}")))?;
        if !(1..=VERSION).contains(&kept.rulecast_state) {
            let version = kept.rulecast_state;
            return Err(StateError(format!("a state of version {version}, not {VERSION}")));
        }
        let mut memory = Memory::default();
        let rules: BTreeMap<String, (usize, Vec<String>)> = (0..engine.rules().len())
            .filter_map(|rule| known_by(engine, rule).map(|(name, fields)| (name, (rule, fields))))
            .collect();
        for (name, terms) in kept.new_terms {
            let seen = terms.seen.into_iter().map(|KeptTerm(seen)| seen);
            match rules.get(&name) {
                Some((rule, fields)) if *fields == terms.fields => {
                    memory.terms.insert(*rule, NewTerms::of(seen));
                }
                // The rule's fields have changed: kept combinations do not apply, so all are new.
                Some(_) => {}
                None => {
                    memory.others.insert(name, (terms.fields, seen.collect()));
                }
            }
        }
        Ok(memory)
    }
}

/// The name under which a rule's terms are kept, and the names of its `new_terms` fields
fn known_by(engine: &Engine, rule: usize) -> Option<(String, Vec<String>)> {
    let rule = &engine.rules()[rule];
    let new = rule.new_terms.as_ref()?;
    let id = rule.metadata.id.as_ref().map_or(&rule.metadata.title.value, |id| &id.value);
    let fields = new.fields.iter().map(|field| field.name().to_owned()).collect();
    Some((format!("{id}/{}", rule.signals[new.signal].name), fields))
}
