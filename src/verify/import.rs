//! A rule of Kibana's import file that judges documents.
//!
//! In: a rule of the import file, with its exceptions as filters. Out: an [`Imported`]. For a document it gives whether the rule
//! matches, the severity, and the combinations of values that may be new. Field types, filters and
//! index patterns are judged as in [`elastic`].

use serde_json::Value;

use super::elastic::document::{leaves, text};
use super::elastic::{self, Known};
use super::family::Family;
use crate::definition::Level;
use crate::matcher::novelty::combinations;
use crate::query::eql::{self, Eql};
use crate::query::kuery;

/// A rule of the import file, read and checked
#[derive(Debug)]
pub(super) struct Imported {
    query: Asked,
    /// `None` for a part of a rule, whose severity is that of the whole
    severity: Option<String>,
    mapping: Vec<Mapped>,
    pub(super) history: Option<History>,
}

/// What a rule asks for
#[derive(Debug)]
enum Asked {
    /// A single event
    Event(elastic::Rule),
    /// The start of a program after that of its parent
    Family(Family),
}

/// The severity of documents whose field has a value
#[derive(Debug)]
struct Mapped {
    field: String,
    value: String,
    severity: String,
}

/// The term fields and the history window of a `new_terms` rule
#[derive(Debug)]
pub(super) struct History {
    fields: Vec<String>,
    /// The length of the history, in minutes
    pub(super) window: u32,
}

/// Severities, the lowest first
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// The severity that a match of this level has on Elastic, which knows none below `low`
pub(super) fn severity(level: Level) -> &'static str {
    match level {
        Level::Informational | Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
        Level::Critical => "critical",
    }
}

/// Checks that the query of a rule loads, and that one in Kibana's language reads back as it is written
///
/// A tree of EQL has no place for comments, so that its text need not come back.
///
/// # Errors
/// What is wrong with it, as a clause without a period.
pub(super) fn check_query(rule: &Value, known: &Known) -> Result<(), String> {
    if let Some(refused) = elastic::Rule::refused_by_the_loader(rule, known).first() {
        return Err(refused.clone());
    }
    let written = rule["query"].as_str().unwrap_or_default();
    if rule["language"] == "eql" {
        return eql::parse(written).map(drop).map_err(|why| why.to_string());
    }
    let read = kuery::parse(written).map_err(|why| why.to_string())?.to_string();
    if read == written { Ok(()) } else { Err(format!("its query reads back as `{read}`")) }
}

/// Whether the query of a rule orders events
pub(super) fn is_sequence(rule: &Value) -> bool {
    rule["language"] == "eql"
        && matches!(rule["query"].as_str().map(eql::parse), Some(Ok(Eql::Sequence(_))))
}

impl Imported {
    /// Reads the object of a rule; an error is a clause without a period
    pub(super) fn of(rule: &Value, known: &Known) -> Result<Imported, String> {
        let query = if is_sequence(rule) {
            Asked::Family(Family::of(rule, known)?)
        } else {
            let single = elastic::Rule::of_known(rule, known);
            Asked::Event(single.map_err(|why| why.to_string())?)
        };
        check_query(rule, known)?;
        let severity = word(&rule["severity"])?;
        let mapping = match rule.get("severity_mapping") {
            Some(Value::Array(mapped)) => mapped.iter().map(Mapped::read).collect::<Result<_, _>>(),
            _ => Ok(Vec::new()),
        };
        let history = match rule["type"].as_str() {
            Some("query" | "eql") => None,
            Some("new_terms") => Some(History::read(rule)?),
            _ => return Err(format!("rules of the type {} are not judged", rule["type"])),
        };
        Ok(Imported { query, severity: Some(severity), mapping: mapping?, history })
    }

    /// The same as a part of another rule, which says nothing about the severity of its events
    pub(super) fn without_severity(self) -> Imported {
        Imported { severity: None, ..self }
    }

    pub(super) fn matches(&self, document: &Value) -> bool {
        match &self.query {
            Asked::Event(rule) => rule.matches(document),
            Asked::Family(family) => family.matches(document),
        }
    }

    /// Whether it takes a near miss of a document that it matches
    pub(super) fn takes_another(&self, document: &Value, other: &Value) -> bool {
        match &self.query {
            Asked::Event(rule) => rule.matches(other),
            Asked::Family(family) => family.takes_another(document, other),
        }
    }

    /// What it judges wrongly about several events, in words, and whether it takes it
    pub(super) fn misjudged(&self, document: &Value) -> Option<(&'static str, bool)> {
        match &self.query {
            Asked::Event(_) => None,
            Asked::Family(family) => family.misjudged(document),
        }
    }

    /// The highest severity that a value of the document maps to, or the rule's own severity
    ///
    /// Source: Kibana's `build_severity_from_mapping`, which compares texts exactly.
    ///
    /// `None` for a part of a rule.
    pub(super) fn severity_of(&self, document: &Value) -> Option<&str> {
        let fits = |mapped: &&Mapped| texts(document, &mapped.field).contains(&mapped.value);
        let mapped = self.mapping.iter().filter(fits).map(|mapped| mapped.severity.as_str());
        let own = self.severity.as_deref()?;
        Some(mapped.max_by_key(|severity| rank(severity)).unwrap_or(own))
    }
}

impl Mapped {
    fn read(mapped: &Value) -> Result<Mapped, String> {
        let text = |key: &str| {
            let text = mapped[key].as_str().map(ToOwned::to_owned);
            text.ok_or_else(|| format!("a mapped severity has no `{key}`"))
        };
        let severity = word(&mapped["severity"])?;
        if mapped["operator"] != "equals" {
            return Err(format!("a severity is mapped by {}", mapped["operator"]));
        }
        Ok(Mapped { field: text("field")?, value: text("value")?, severity })
    }
}

impl History {
    fn read(rule: &Value) -> Result<History, String> {
        let fields = rule["new_terms_fields"].as_array().into_iter().flatten();
        let fields: Vec<String> =
            fields.filter_map(|field| field.as_str().map(ToOwned::to_owned)).collect();
        let start = rule["history_window_start"].as_str().unwrap_or_default();
        let back = start.strip_prefix("now-").and_then(|back| {
            let (number, unit) = back.split_at_checked(back.len().checked_sub(1)?)?;
            let minutes = match unit {
                "d" => 24 * 60,
                "h" => 60,
                "m" => 1,
                _ => return None,
            };
            number.parse::<u32>().ok()?.checked_mul(minutes)
        });
        let window = back.ok_or_else(|| format!("a history cannot start at `{start}`"))?;
        if fields.is_empty() {
            return Err("no field makes a term".to_owned());
        }
        Ok(History { fields, window })
    }

    /// The combinations of a document's values; empty when the document lacks one of the fields
    pub(super) fn combinations(&self, document: &Value) -> Vec<Vec<String>> {
        term_combinations(document, &self.fields)
    }
}

/// The combinations of a document's values, one of each field
pub(super) fn term_combinations(document: &Value, fields: &[String]) -> Vec<Vec<String>> {
    let values: Vec<Vec<String>> = fields.iter().map(|field| texts(document, field)).collect();
    combinations(&values).keys
}

fn word(severity: &Value) -> Result<String, String> {
    let known = SEVERITIES.iter().find(|known| severity == **known);
    known.map(ToString::to_string).ok_or_else(|| format!("no severity is called {severity}"))
}

/// The place of a severity, 0 for the lowest; `None` for an unknown word
pub(super) fn rank(severity: &str) -> Option<usize> {
    SEVERITIES.iter().position(|known| *known == severity)
}

/// The values of a field as texts
pub(super) fn texts(document: &Value, field: &str) -> Vec<String> {
    leaves(document, field).into_iter().map(text).collect()
}
