//! The fields that a rule needs its documents to have.
//!
//! In: the query and the filters of a rule. Out: names and types, sorted, as `required_fields`
//! shows them to whoever installs the rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fields;
use crate::query::elasticsearch::Filter;
use crate::query::kuery::Kuery;

/// Fields with their types
pub(super) fn required(query: &Kuery, filters: &[Filter]) -> Value {
    let mut names: BTreeSet<String> = query.fields().into_iter().collect();
    let filtered = filters.iter().flat_map(|filter| filter.query.fields());
    names.extend(filtered.map(ToOwned::to_owned));
    let field = |name: &String| json!({"ecs": true, "name": name, "type": fields::type_of(name)});
    names.iter().map(field).collect()
}
