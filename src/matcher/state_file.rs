//! What a memory keeps between runs: the terms each rule has seen.
//!
//! In: a [`Memory`], or the JSON it was kept as. Out: the other of them. Terms are kept by the
//! rule's id, so that files may move; those older than their window are left out. Correlations
//! and the process tree belong to one run and are not kept.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::novelty::NewTerms;
use super::{Engine, Memory};

/// The form of the file
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

/// Why a kept state cannot be used
#[derive(Debug)]
pub struct StateError(String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Memory {
    /// The terms seen, as JSON
    pub fn keep(&self, engine: &Engine) -> String {
        let mut new_terms = BTreeMap::new();
        for (rule, terms) in &self.terms {
            let Some((name, fields)) = known_by(engine, *rule) else { continue };
            let window = engine.rules()[*rule].new_terms.as_ref().map_or(0, |new| new.window);
            new_terms.insert(name, Terms { fields, seen: terms.within(window, self.now) });
        }
        // Terms of rules that this run did not have stay as they were.
        for (name, (fields, seen)) in &self.others {
            let terms = Terms { fields: fields.clone(), seen: seen.clone() };
            new_terms.entry(name.clone()).or_insert(terms);
        }
        let kept = Kept { rulecast_state: VERSION, new_terms };
        // Serialising text and times cannot fail.
        serde_json::to_string(&kept).unwrap_or_default() + "\n"
    }

    /// A memory that knows the terms kept in this JSON
    ///
    /// # Errors
    /// When the text is no state of this version.
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
                // With other fields the combinations are others, and all of them are new.
                Some(_) => {}
                None => {
                    memory.others.insert(name, (terms.fields, terms.seen));
                }
            }
        }
        Ok(memory)
    }
}

/// The name a rule's terms are kept under, and their fields
fn known_by(engine: &Engine, rule: usize) -> Option<(String, Vec<String>)> {
    let rule = &engine.rules()[rule];
    let new = rule.new_terms.as_ref()?;
    let id = rule.metadata.id.as_ref().map_or(&rule.metadata.title.value, |id| &id.value);
    let fields = new.fields.iter().map(|field| field.name().to_owned()).collect();
    Some((format!("{id}/{}", rule.signals[new.signal].name), fields))
}
