//! The fields that a rule uses.
//!
//! In: the query and the filters of a rule. Out: the names and types of all fields, sorted.
//! `required_fields` shows them to the person who installs the rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::Plan;
use crate::mapping::Mappings;

/// The JSON list of all fields with their types
pub(super) fn required(plan: &Plan, mappings: &Mappings) -> Value {
    let mut names: BTreeSet<String> = plan.query.fields().into_iter().collect();
    let filtered = plan.filters.iter().flat_map(|filter| filter.query.fields());
    names.extend(filtered.map(ToOwned::to_owned));
    let field = |name: &String| json!({"ecs": mappings.is_ecs(name), "name": name, "type": mappings.type_of(name)});
    names.iter().map(field).collect()
}
