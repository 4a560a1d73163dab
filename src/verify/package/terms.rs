//! The fields of new terms in Elastic's rules.
//!
//! In: a rule of an import file. Out: the fault of a list of fields that is not that of the definition, by the table of
//! what Elastic's pipelines make of an event's fields.

use serde_json::Value;

use crate::ir::Rule;
use crate::verify::ecs;

/// What is wrong with the fields of a line's new terms; nothing for a line without a history
pub(super) fn wrong(rule: &Rule, line: &Value) -> Option<String> {
    let new = rule.new_terms.as_ref().filter(|_| line["type"] == "new_terms")?;
    let kind = &rule.signals[new.signal].kind;
    let terms = line["new_terms_fields"].as_array().into_iter().flatten();
    let terms: Vec<&str> = terms.filter_map(Value::as_str).collect();
    // Without rows the table says nothing of a field, as of one that only a user's mapping knows.
    let is_of = |field: &crate::taxonomy::Field, name: &str| {
        let rows = ecs::rows_of(kind, field, None);
        let fits = |row: &&ecs::Row| {
            name == row.ecs || name.strip_prefix(row.ecs).is_some_and(|rest| rest.starts_with('.'))
        };
        rows.is_empty() || rows.iter().any(fits)
    };
    let each = new.fields.iter().all(|field| terms.iter().any(|name| is_of(field, name)));
    let same = each && terms.len() == new.fields.len();
    (!same).then(|| {
        let fields: Vec<&str> = new.fields.iter().map(|field| field.name()).collect();
        format!("its terms are {}, and the rule's {}", terms.join(", "), fields.join(", "))
    })
}
