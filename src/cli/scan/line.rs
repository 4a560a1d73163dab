//! Findings as lines of JSON.
//!
//! In: a finding. Out: one JSON object in one line, safe to print. `fields` holds the fields that the rule
//! tested, each with all of its values; what an event does not have is left out.

use serde_json::{Map, Value, json};

use crate::cli::seen::{Columns, Seen};
use crate::ir::Rule;
use crate::matcher::{Finding, Found};
use crate::source::visible_json;

/// The line of a finding
pub(super) fn line(
    rules: &[Rule],
    (columns, files): (&Columns, &[String]),
    (found, seen): (&Found, &Seen),
) -> String {
    let metadata = &rules[seen.rule].metadata;
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
    put("rule", json!(metadata.title.value));
    put("id", json!(metadata.id.as_ref().map(|id| &id.value)));
    let part = match found {
        Found::Hit(_) => "signal",
        Found::Together(_) => "correlation",
    };
    put(part, json!(seen.what));
    put("level", json!(seen.level.as_str()));
    seen.time.map(|time| put("time", json!(time.to_string())));
    let parts = [
        ("host", &seen.host),
        ("user", &seen.user),
        ("image", &seen.image),
        ("command_line", &seen.command),
    ];
    for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
        put(name, json!(value));
    }
    match found {
        Found::Hit(hit) => {
            for (file, at) in &seen.events {
                put("file", json!(files[*file]));
                put("line", json!(at));
            }
            put("fields", json!(hit.matched.fields));
            hit.new.map(|new| put("new", json!(new)));
        }
        Found::Together(Finding { together, .. }) => {
            let group = together.group.iter().map(|(key, value)| (key.clone(), json!(value)));
            put("group", Value::Object(group.collect()));
            let place = |(file, at): &(usize, usize)| json!({"file": files[*file], "line": at});
            put("events", seen.events.iter().map(place).collect());
        }
    }
    let own: Map<String, Value> =
        seen.own(columns).map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if !own.is_empty() {
        put("columns", Value::Object(own));
    }
    visible_json(&Value::Object(line).to_string())
}
