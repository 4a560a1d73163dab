//! What a rule of type `threshold` counts.
//!
//! In: the fields and the number of a correlation. Out: the object of the rule.
//!
//! Source: Kibana's rule schema: up to five fields since Elastic Stack 9.2, three before; a group has at
//! least `value` events and at least so many different values of the field in `cardinality`.

use serde_json::{Value, json};

/// The most fields that group the events
pub(super) const MOST_FIELDS: usize = 3;

/// What a rule counts
#[derive(Debug)]
pub(super) struct Threshold {
    /// The fields whose values are equal within a group
    pub(super) fields: Vec<String>,
    /// The least number of events
    pub(super) events: u64,
    /// A field, and the least number of its different values
    pub(super) values: Option<(String, u64)>,
}

impl Threshold {
    /// The object in Kibana's import
    pub(super) fn to_json(&self) -> Value {
        let cardinality = |(field, value): &(String, u64)| json!({"field": field, "value": value});
        let cardinality: Vec<Value> = self.values.iter().map(cardinality).collect();
        json!({"field": self.fields, "value": self.events, "cardinality": cardinality})
    }
}
