//! Variants of an event's document.
//!
//! In: a document. Out: near misses, which have the same values but belong to other events, so the
//! rule must not match them; and equivalents, which other integrations make of the same event, so
//! the rule must match them.
//!
//! Source: the allowed values of ECS's categorization fields, and the words for `network.direction` and
//! for the start of a program on Linux that Elastic's own rules list.

use serde_json::{Value, json};

use super::sources::source;
use crate::taxonomy::{EventKind, Product};

/// Near misses: the difference in words, and the document
pub(super) fn others(
    document: &Value,
    kind: &EventKind,
    product: Option<Product>,
) -> Vec<(&'static str, Value)> {
    let with = |field: &str, word: &str| {
        let mut other = document.clone();
        other[field] = json!([word]);
        other
    };
    // Each field tells kinds of events apart, the first of them best.
    let scopes = ["event.category", "event.dataset", "winlog.channel", "event.provider"];
    let scope = scopes.into_iter().find(|field| !document[field].is_null());
    let strange = scope.map(|field| {
        let mut other = with(field, "vulnerability");
        // An event of another kind has another id.
        if !document["event.code"].is_null() {
            other["event.code"] = json!(["0"]);
        }
        ("an event of another kind", other)
    });
    let mut others: Vec<_> = strange.into_iter().collect();
    for (what, changed) in source(kind).iter().flat_map(|source| source.misses(product)) {
        let mut other = document.clone();
        changed.iter().for_each(|(field, word)| other[field] = json!([word]));
        others.push((what.as_str(), other));
    }
    let of_any_system = source(kind).is_some_and(|source| !source.one_system);
    if let Some(product) = product.filter(|_| of_any_system) {
        let other = if product == Product::Linux { Product::Macos } else { Product::Linux };
        others.push(("another operating system", with("host.os.type", other.name())));
    }
    others
}

/// Fields with a word that other integrations write in other words
const WORDS: &[(&str, &str, &[&str])] = &[
    ("network.direction", "ingress", &["inbound", "incoming"]),
    ("network.direction", "egress", &["outbound", "outgoing"]),
    (
        "event.action",
        "exec",
        &["exec_event", "executed", "process_started", "ProcessRollup2", "start"],
    ),
];

/// Equivalents: the same event in the words of other integrations
pub(super) fn alike(document: &Value) -> Vec<Value> {
    let said = WORDS.iter().filter(|(field, word, _)| document[*field][0] == *word);
    let others = said.flat_map(|(field, _, others)| others.iter().map(move |other| (field, other)));
    let with = |(field, word): (&&str, &&str)| {
        let mut other = document.clone();
        other[*field] = json!([word]);
        other
    };
    others.map(with).collect()
}
