//! The state file: the terms that each rule has seen, kept between runs.
//!
//! In: a [`Memory`] to keep, or kept JSON. Out: the JSON, or the [`Memory`] restored from it. Terms
//! are kept under the rule's id, so that rule files may move; terms older than their window are
//! left out. Correlations and the process tree belong to one run and are not kept.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::novelty::NewTerms;
use super::{Engine, Memory};

/// Version of the file's format
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    rulecast_state: u32,
    new_terms: BTreeMap<String, Terms>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    fields: Vec<String>,
    seen: Vec<(Vec<String>, Option<Timestamp>)>,
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
            new_terms.insert(name, Terms { fields, seen: terms.within(window, self.now) });
        }
        // Terms of rules that this run did not load are kept unchanged.
        for (name, (fields, seen)) in &self.others {
            let terms = Terms { fields: fields.clone(), seen: seen.clone() };
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
        let kept: Kept = serde_json::from_str(json)
            .map_err(|error| StateError(format!("not a state of rulecast: {error}")))?;
        if kept.rulecast_state != VERSION {
            let version = kept.rulecast_state;
            return Err(StateError(format!("a state of version {version}, not {VERSION}")));
        }
        let mut memory = Memory::default();
        let rules: BTreeMap<String, (usize, Vec<String>)> = (0..engine.rules().len())
            .filter_map(|rule| known_by(engine, rule).map(|(name, fields)| (name, (rule, fields))))
            .collect();
        for (name, terms) in kept.new_terms {
            match rules.get(&name) {
                Some((rule, fields)) if *fields == terms.fields => {
                    memory.terms.insert(*rule, NewTerms::of(terms.seen));
                }
                // The rule's fields have changed: kept combinations do not apply, so all are new.
                Some(_) => {}
                None => {
                    memory.others.insert(name, (terms.fields, terms.seen));
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
