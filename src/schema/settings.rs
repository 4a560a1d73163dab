//! The schema of settings of targets: `targets:`.
//!
//! In: `settings.tsv`, in which each setting says in words what it takes. Out: a schema of one object
//! for each target.

use serde_json::{Map, Value, json};

use super::scalar::{text, whole};
use super::{describe, pattern, words};
use crate::backend::Target;
use crate::backend::settings::{SettingRow, settings_of};

/// The schema of `targets:`
pub(super) fn targets() -> Value {
    let of = |target: &Target| (target.name().to_owned(), settings(*target));
    let properties: Map<String, Value> = Target::ALL.iter().map(of).collect();
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn settings(target: Target) -> Value {
    let setting = |row: SettingRow| {
        let mut schema = value(row.values);
        schema["description"] = json!(describe::setting(row));
        (row.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = settings_of(target).map(setting).collect();
    json!({
        "type": "object",
        "description": target.describe(),
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The schema of what a setting takes, by the words of the table
fn value(takes: &str) -> Value {
    if takes == "names of losses" {
        let losses = words::of("loss").map_or_else(Vec::new, |list| list.words);
        return some(&json!({ "enum": losses }));
    }
    if takes.contains('{') {
        // Maps of settings have words inside of them: only the target knows which.
        return json!({ "type": ["object", "string"] });
    }
    if takes.starts_with("a span") {
        return json!({ "type": "string", "pattern": pattern::of("span") });
    }
    if takes == "a text" {
        return text();
    }
    if takes == "true | false" {
        return json!({ "enum": [true, false, "true", "false"] });
    }
    if takes.contains(" | ") {
        return json!({ "enum": takes.split(" | ").collect::<Vec<_>>() });
    }
    let bounds = takes
        .split_once(" to ")
        .and_then(|(least, most)| Some((least.parse::<u64>().ok()?, most.parse::<u64>().ok()?)));
    match bounds {
        Some((least, most)) => whole(least, most),
        None => some(&text()),
    }
}

/// One, or a list of them
fn some(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
}

#[test]
fn what_a_setting_takes_becomes_a_schema() {
    let of = |target, name: &str| {
        let row = settings_of(target).find(|row| row.name == name).unwrap();
        value(row.values)
    };
    assert_eq!(of(Target::Sentinel, "kind"), json!({ "enum": ["scheduled", "nrt"] }));
    assert_eq!(of(Target::Elastic, "risk_score")["maximum"], 100);
    assert_eq!(of(Target::Elastic, "interval")["pattern"], pattern::of("span"));
}
