//! The meaning of files: what a target finds with them, without what people read.
//!
//! In: the text of an output, or of a file that an earlier run wrote. Out: a value that is equal
//! for two files which alert alike: query, filters, indices, terms, schedule, thresholds and
//! severity. Titles, descriptions, tags, guides, ids, dates and versions are not part of it.
//!
//! Of the files of a target, one that holds all of this is compared; the others are the same rule
//! in another form.

use serde_json::{Map, Value};

/// A file as far as its meaning goes
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What it alerts on
    pub(super) of: Value,
    /// Its version; `None` in a format without versions
    pub(super) version: Option<String>,
}

/// Keys of a line of Kibana's import that are for people, or tell rules apart
const OF_KIBANA: &[&str] = &[
    "author",
    "description",
    "enabled",
    "exceptions_list",
    "false_positives",
    "investigation_fields",
    "item_id",
    "license",
    "list_id",
    "name",
    "note",
    "references",
    "related_integrations",
    "required_fields",
    "rule_id",
    "setup",
    "tags",
    "threat",
    "version",
];
/// Such keys of the properties of an analytic rule
const OF_SENTINEL: &[&str] = &[
    "alertDetailsOverride",
    "customDetails",
    "description",
    "displayName",
    "subTechniques",
    "tactics",
    "techniques",
];
/// Such keys of the alert of a custom detection
const OF_XDR: &[&str] = &["description", "recommendedActions", "tactics", "title"];

/// The meaning of a file at this path; `None` when another file of its rule says the same, or when
/// it cannot be read
pub(super) fn of(path: &str, text: &str) -> Option<Meaning> {
    let json = || serde_json::from_str::<Value>(text).ok();
    if path.ends_with(".ndjson") {
        let lines = text.lines().map(serde_json::from_str::<Map<String, Value>>);
        return of_kibana(lines.collect::<Result<_, _>>().ok()?);
    }
    if path.ends_with(".arm.json") {
        return of_sentinel(json()?);
    }
    if path.ends_with(".detection.json") {
        return of_xdr(json()?);
    }
    path.ends_with(".rs").then(|| Meaning { of: Value::String(code(text)), version: None })
}

fn of_kibana(mut lines: Vec<Map<String, Value>>) -> Option<Meaning> {
    let version = lines.iter().find_map(|line| line.get("version"));
    let version = version.map_or("1".to_owned(), ToString::to_string);
    for line in &mut lines {
        line.retain(|key, _| !OF_KIBANA.contains(&key.as_str()));
    }
    let lines = lines.into_iter().map(Value::Object).collect();
    Some(Meaning { of: Value::Array(lines), version: Some(version) })
}

fn of_sentinel(mut template: Value) -> Option<Meaning> {
    let version = template["contentVersion"].as_str().map(ToOwned::to_owned);
    let rule = template.pointer_mut("/resources/0")?;
    let kind = rule["kind"].take();
    let properties = rule.get_mut("properties")?.as_object_mut()?;
    properties.retain(|key, _| !OF_SENTINEL.contains(&key.as_str()));
    uncomment(properties.get_mut("query")?);
    properties.insert("kind".to_owned(), kind);
    Some(Meaning { of: Value::Object(std::mem::take(properties)), version })
}

fn of_xdr(mut detection: Value) -> Option<Meaning> {
    let rule = detection.as_object_mut()?;
    rule.retain(|key, _| !["description", "displayName", "id"].contains(&key.as_str()));
    uncomment(rule.get_mut("queryCondition")?.get_mut("queryText")?);
    let alert = rule.get_mut("detectionAction")?.get_mut("alertTemplate")?.as_object_mut()?;
    alert.retain(|key, _| !OF_XDR.contains(&key.as_str()));
    Some(Meaning { of: detection, version: None })
}

/// Takes the comments out of a query of Kusto, where each has a line of its own
fn uncomment(query: &mut Value) {
    if let Value::String(text) = query {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        *text = lines.collect::<Vec<_>>().join("\n");
    }
}

/// The source of a matcher without comments and titles
fn code(text: &str) -> String {
    let said = |line: &&str| !["//", "title:"].iter().any(|start| line.trim().starts_with(start));
    text.lines().filter(said).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(path: &str, one: &str, other: &str) -> bool {
        let (one, other) = (of(path, one).unwrap(), of(path, other).unwrap());
        one.of == other.of
    }

    #[test]
    fn what_people_read_is_no_meaning() {
        let line = r#"{"rule_id":"a","name":"A","query":"x:1","risk_score":21,"version":2}"#;
        let told = r#"{"rule_id":"b","name":"B","query":"x:1","risk_score":21,"tags":["c"]}"#;
        assert!(same("elastic/a.ndjson", line, told));
        assert_eq!(of("elastic/a.ndjson", line).unwrap().version.as_deref(), Some("2"));
        assert_eq!(of("elastic/a.ndjson", told).unwrap().version.as_deref(), Some("1"));
        assert!(!same("elastic/a.ndjson", line, &line.replace("21", "47")));
        assert!(!same("elastic/a.ndjson", line, &line.replace("x:1", "x:2")));
        assert!(same("native/a.rs", "// a\ntitle: \"b\",\nlet c;", "let c;"));
        assert!(!same("native/a.rs", "let c;", "let d;"));
    }

    #[test]
    fn a_name_inside_a_query_is_meaning() {
        let line = r#"{"filters":[{"query":{"term":{"name":"a"}}}]}"#;
        assert!(!same("elastic/a.ndjson", line, &line.replace("\"a\"", "\"b\"")));
    }

    #[test]
    fn the_other_forms_of_a_rule_are_not_compared() {
        for path in ["sentinel/a.kql", "sentinel/a.analytic.yaml", "elastic/a_b.toml"] {
            assert_eq!(of(path, "anything"), None);
        }
        assert_eq!(of("elastic/a.ndjson", "not JSON"), None);
    }
}
