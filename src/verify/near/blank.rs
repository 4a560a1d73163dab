//! Neutral events, from which generated events start.
//!
//! In: a signal. Out: the fields that every event of its kind has, with values that no rule tests
//! for.

use serde_json::json;

use super::Fields;
use crate::ir::Signal;
use crate::taxonomy::{EventKind, Product};
use crate::verify::sources::source;

/// The hosts that events are spread over; a blank event has the first
const HOSTS: [&str; 3] = ["web01", "web02.contoso.example", "10.9.8.7"];

/// A neutral event of the signal's kind: no rule tests for its values
pub fn blank(signal: &Signal) -> Fields {
    let mut fields = neutral(&signal.kind, signal.product);
    fields.insert("Computer".to_owned(), json!(HOSTS[0]));
    fields
}

/// What every event of a kind has, with the paths and accounts of its operating system
pub(in crate::verify) fn neutral(kind: &EventKind, product: Option<Product>) -> Fields {
    let linux = product == Some(Product::Linux);
    let path = if linux { "/opt/app/tool" } else { r"C:\Lab\tool.exe" };
    let account = if linux { "worker" } else { r"CONTOSO\worker" };
    let mut fields = source(kind).map(|source| source.neutral.clone()).unwrap_or_default();
    for value in fields.values_mut() {
        match value.as_str() {
            Some("{path}") => *value = json!(path),
            Some("{account}") => *value = json!(account),
            Some(_) | None => {}
        }
    }
    fields
}

/// Spreads events over hosts and clients; keeps a host or client that a test has set
pub(super) fn vary(event: &mut Fields, number: usize) {
    let mut spread = |name: &str, blank: &str, other: String| {
        if let Some(value) = event.get_mut(name).filter(|value| **value == *blank) {
            *value = json!(other);
        }
    };
    spread("Computer", HOSTS[0], HOSTS[number % HOSTS.len()].to_owned());
    spread("c-ip", "198.51.100.0", format!("198.51.100.{}", number % 4));
}
