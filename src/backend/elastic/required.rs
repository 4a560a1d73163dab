//! The fields that a rule needs its documents to have.
//!
//! In: the query and the filters of a rule. Out: names and types, sorted, as `required_fields`
//! shows them to whoever installs the rule.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fields;
use crate::query::kuery::Kuery;

/// Fields with their types
pub(super) fn required(query: &Kuery, filters: &[Value]) -> Value {
    let mut names = query.fields();
    filters.iter().for_each(|filter| leaves(&filter["query"], &mut names));
    let typed = names.into_iter().map(|name| {
        let kind = fields::type_of(&name);
        (name, kind)
    });
    let typed: BTreeMap<String, &str> = typed.collect();
    let field = |(name, kind): (&String, &&str)| json!({"ecs": true, "name": name, "type": kind});
    Value::Array(typed.iter().map(field).collect())
}

/// The fields that the leaves of a query look at
fn leaves(query: &Value, names: &mut Vec<String>) {
    let Value::Object(map) = query else {
        if let Value::Array(parts) = query {
            parts.iter().for_each(|part| leaves(part, names));
        }
        return;
    };
    for (kind, body) in map {
        match (kind.as_str(), body) {
            ("bool", Value::Object(parts)) => {
                parts.values().for_each(|part| leaves(part, names));
            }
            ("exists", body) => {
                names.extend(body["field"].as_str().map(ToOwned::to_owned));
            }
            ("term" | "terms" | "wildcard" | "prefix" | "range", Value::Object(fields)) => {
                names.extend(fields.keys().cloned());
            }
            _ => {}
        }
    }
}
