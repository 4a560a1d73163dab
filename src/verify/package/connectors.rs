//! The connectors that an analytic rule needs.
//!
//! In: a package, the tables of its rule, and the mappings. Out: each table that a connector fills and the package
//! does not name, so that a workspace would not be told to connect it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifest::Manifest;
use crate::mapping::Mappings;

/// The tables that no connector of the package names
pub(super) fn missing(package: &Value, manifest: &Manifest, mappings: &Mappings) -> Vec<String> {
    let connectors = package["requiredDataConnectors"].as_array().into_iter().flatten();
    let types = connectors.flat_map(|one| one["dataTypes"].as_array().into_iter().flatten());
    let named: Vec<&str> = types.filter_map(Value::as_str).collect();
    let tables = manifest.signals.iter().flat_map(|signal| {
        let mapping = signal.mapping.as_deref().unwrap_or_default();
        let filled = signal.tables.iter().filter(|table| mappings.has_connector(mapping, table));
        filled.map(String::as_str).collect::<Vec<_>>()
    });
    let missing: BTreeSet<&str> = tables.filter(|table| !named.contains(table)).collect();
    let missing = missing.into_iter();
    missing.map(|table| format!("no connector names the table {table}")).collect()
}
