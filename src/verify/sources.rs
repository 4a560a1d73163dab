//! Each log source as a proof needs it.
//!
//! In: `sources.yml`. Out: a [`Source`] for each log source that can be proven: its documents on
//! Elastic, documents beside them that rules must not match, and a neutral event.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::taxonomy::{EventKind, Product};

/// A log source as a proof needs it
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// The fields that all its documents have, unless an event says another value; none when no
    /// index holds its events
    #[serde(default)]
    pub(super) document: BTreeMap<String, Vec<String>>,
    /// Fields of the document of some actions, in place of those of the document
    #[serde(default)]
    by_action: BTreeMap<String, BTreeMap<String, String>>,
    /// The words in `ecs.tsv` whose rows hold for its fields too, unless it has rows of its own
    #[serde(default)]
    pub(super) like: Vec<String>,
    /// The index field of each field without a row, as text; `{field}` is the name of the field
    pub(super) others: Option<String>,
    /// Whether `message` has all values of the event
    #[serde(default)]
    pub(super) rendered: bool,
    /// Documents that a rule must not match: the difference in words, and the other values
    #[serde(default)]
    misses: BTreeMap<String, BTreeMap<String, String>>,
    /// What is more in the documents of an operating system
    #[serde(default)]
    pub(super) systems: BTreeMap<String, OfSystem>,
    /// Whether only one operating system writes it, so that no rule asks which
    #[serde(default)]
    pub(super) one_system: bool,
    /// An event that no rule tests for
    #[serde(default)]
    pub(super) neutral: Map<String, Value>,
    /// Values of fields that rules leave untested and that a target may need
    #[serde(default)]
    pub(super) varied: BTreeMap<String, Vec<String>>,
}

/// What the documents of one operating system have beside those of any
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfSystem {
    /// The fields that all of them have
    #[serde(default)]
    document: BTreeMap<String, Vec<String>>,
    /// Fields of the documents of some actions
    #[serde(default)]
    by_action: BTreeMap<String, BTreeMap<String, String>>,
    /// Documents that a rule about this system must not match
    #[serde(default)]
    misses: BTreeMap<String, BTreeMap<String, String>>,
}

impl Source {
    /// The fields of a document, each with its values, where the event says no other value
    pub(super) fn fields(
        &self,
        action: &str,
        product: Product,
    ) -> impl Iterator<Item = (&String, Vec<&String>)> {
        let own = self.systems.get(product.name());
        let of_action = [Some(&self.by_action), own.map(|own| &own.by_action)];
        let of_action = of_action.into_iter().flatten().filter_map(move |all| all.get(action));
        let of_any = [Some(&self.document), own.map(|own| &own.document)];
        let of_any = of_any.into_iter().flatten().flatten();
        of_action
            .flatten()
            .map(|(name, word)| (name, vec![word]))
            .chain(of_any.map(|(name, words)| (name, words.iter().collect())))
    }

    /// Documents that a rule about a product must not match
    pub(super) fn misses(
        &self,
        product: Option<Product>,
    ) -> impl Iterator<Item = (&String, &BTreeMap<String, String>)> {
        let own = product.and_then(|product| self.systems.get(product.name()));
        self.misses.iter().chain(own.into_iter().flat_map(|own| &own.misses))
    }
}

/// The text of the table
const TABLE: &str = include_str!("sources.yml");

static SOURCES: LazyLock<Vec<(EventKind, Source)>> = LazyLock::new(|| {
    // A test reads the whole table.
    let table: BTreeMap<String, Source> = serde_yaml::from_str(TABLE).unwrap_or_default();
    table
        .into_iter()
        .filter_map(|(name, source)| Some((EventKind::named(&name)?, source)))
        .collect()
});

/// What is known of a log source; nothing for one outside the table
pub(super) fn source(kind: &EventKind) -> Option<&'static Source> {
    SOURCES.iter().find(|(known, _)| known == kind).map(|(_, source)| source)
}

/// The log sources whose fields go the way of others with this word
pub(super) fn like(word: &str) -> impl Iterator<Item = &'static EventKind> {
    let alike = move |source: &Source| source.like.iter().any(|own| own == word);
    SOURCES.iter().filter(move |(_, source)| alike(source)).map(|(kind, _)| kind)
}

/// The log sources of the table
pub(super) fn kinds() -> impl Iterator<Item = &'static EventKind> {
    SOURCES.iter().map(|(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::Field;

    #[test]
    fn every_entry_is_a_log_source_with_its_own_fields() {
        let table: BTreeMap<String, Source> = serde_yaml::from_str(TABLE).unwrap();
        assert_eq!(table.len(), SOURCES.len(), "an unknown log source");
        assert!(EventKind::ALL.iter().all(|kind| source(kind).is_some()));
        for (kind, source) in SOURCES.iter() {
            for name in source.neutral.keys().chain(source.varied.keys()) {
                assert!(kind.field_type(&Field::of_log(name)).is_some(), "{kind} {name}");
            }
        }
    }
}
