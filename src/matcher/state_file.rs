//! The state file: the terms that each rule has seen, kept between runs.
//!
//! In: a [`Memory`] to keep, or kept JSON. Out: the JSON, or the [`Memory`] restored from it. Terms
//! are kept under the rule's id, so that rule files may move; terms older than their window are
//! left out. Of a term its digest and the second are kept, not its values. Correlations and the process tree
//! belong to one run and are not kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::novelty::{NewTerms, SeenTerm, Term, UNTIMED};
use super::{Engine, Memory};

/// Version of the file's format; version 1 has the values of a term and its time as a text
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'k> {
    rulecast_state: u32,
    #[serde(borrow)]
    new_terms: BTreeMap<String, Terms<'k>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms<'k> {
    fields: Vec<String>,
    #[serde(borrow)]
    seen: Vec<KeptTerm<'k>>,
}

/// A term as it is kept, in this version or in the one before
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeptTerm<'k> {
    /// Its digest in hexadecimal, and the second
    Digest(#[serde(borrow)] Cow<'k, str>, Option<i64>),
    Values(Vec<String>, Option<Timestamp>),
}

impl KeptTerm<'_> {
    fn of((term, second): SeenTerm) -> KeptTerm<'static> {
        let digest = format!("{:032x}", u128::from_be_bytes(term.0));
        KeptTerm::Digest(Cow::Owned(digest), (second != UNTIMED).then_some(second))
    }

    /// The term; an error for a digest that is none
    fn read(self) -> Result<SeenTerm, StateError> {
        match self {
            KeptTerm::Digest(digest, second) => {
                let number = u128::from_str_radix(&digest, 16).ok().filter(|_| digest.len() == 32);
                let number = number.ok_or_else(|| StateError(format!("`{digest}` is no term")))?;
                Ok((Term(number.to_be_bytes()), second.unwrap_or(UNTIMED)))
            }
            KeptTerm::Values(values, time) => {
                Ok((Term::of(&values), time.map_or(UNTIMED, Timestamp::as_second)))
            }
        }
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
        let mut new_terms = BTreeMap::new();
        for (rule, terms) in &self.terms {
            let Some((name, fields)) = known_by(engine, *rule) else { continue };
            let window = engine.rules()[*rule].new_terms.as_ref().map_or(0, |new| new.window);
            let seen = terms.within(window, self.now).into_iter().map(KeptTerm::of).collect();
            new_terms.insert(name, Terms { fields, seen });
        }
        // Terms of rules that this run did not load are kept unchanged.
        for (name, (fields, seen)) in &self.others {
            let seen = seen.iter().map(|term| KeptTerm::of(*term)).collect();
            let terms = Terms { fields: fields.clone(), seen };
            new_terms.entry(name.clone()).or_insert(terms);
        }
        let kept = Kept { rulecast_state: VERSION, new_terms };
        // Serialising text and times cannot fail.
        serde_json::to_string(&kept).unwrap_or_default() + "\n"
    }

    /// A memory with the terms kept in this JSON
    ///
    /// # Errors
    /// When the text is not a state of this version.
    pub fn restored(engine: &Engine, json: &str) -> Result<Memory, StateError> {
        let kept: Kept<'_> = serde_json::from_str(json)
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
            let seen = terms.seen.into_iter().map(KeptTerm::read).collect::<Result<Vec<_>, _>>()?;
            match rules.get(&name) {
                Some((rule, fields)) if *fields == terms.fields => {
                    memory.terms.insert(*rule, NewTerms::of(seen));
                }
                // The rule's fields have changed: kept combinations do not apply, so all are new.
                Some(_) => {}
                None => {
                    memory.others.insert(name, (terms.fields, seen));
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
