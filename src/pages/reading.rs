//! Links from a rule to further reading: ATT&CK, and the references of its author.
//!
//! In: a rule. Out: links; an address that is not of the web stays text.

use serde::Serialize;

use super::link;
use crate::definition::Metadata;
use crate::ir::Rule;
use crate::taxonomy::attack::Technique;

/// A reference of the author
#[derive(Serialize)]
pub(super) struct Reference {
    text: String,
    /// Empty for an address that is not of the web
    url: String,
}

/// A tactic or a technique
#[derive(Serialize)]
pub(super) struct ThreatLink {
    name: String,
    url: String,
}

/// The references of the author
pub(super) fn references(metadata: &Metadata) -> Vec<Reference> {
    let references = metadata.references.iter().map(|one| {
        let url = link::outside(&one.value).unwrap_or_default().to_owned();
        Reference { text: one.value.clone(), url }
    });
    references.collect()
}

/// The techniques of a rule, each once
pub(super) fn techniques(rule: &Rule) -> Vec<&'static Technique> {
    let mut all: Vec<_> =
        rule.threats.iter().flat_map(|threat| threat.techniques.iter().copied()).collect();
    all.sort_by_key(|one| one.id);
    all.dedup();
    all
}

/// The tactics and techniques of a rule, each once
pub(super) fn threats(rule: &Rule) -> Vec<ThreatLink> {
    let tactics = rule
        .threats
        .iter()
        .map(|threat| ThreatLink { name: threat.tactic.name.to_owned(), url: threat.tactic.url() });
    let techniques = techniques(rule)
        .into_iter()
        .map(|one| ThreatLink { name: format!("{} {}", one.id, one.whole_name()), url: one.url() });
    tactics.chain(techniques).collect()
}
