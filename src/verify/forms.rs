//! Compares the two forms of Elastic's rules.
//!
//! In: the artifacts of a rule: lines for Kibana's import, and one TOML file per signal for the
//! repository of detection-rules, which holds exceptions as filters. Out: a [`Fault`] for each difference between the two forms.

use serde_json::{Map, Value};

use super::exceptions;
use super::verdict::Fault;
use crate::manifest::Artifact;

/// A fault for each TOML file that differs from its import line, and for unequal numbers of rules
pub fn compare_forms(artifacts: &[Artifact]) -> Vec<Fault> {
    let ends = |end: &'static str| artifacts.iter().filter(move |one| one.name.ends_with(end));
    let mut lines = Vec::new();
    for import in ends(".ndjson") {
        match exceptions::rules(&import.text) {
            Ok(rules) => lines.extend(rules),
            Err(why) => return vec![Fault::new(import, why)],
        }
    }
    let mut faults: Vec<Fault> = ends(".toml")
        .filter_map(|file| differs(&file.text, &lines).map(|why| Fault::new(file, why)))
        .collect();
    let files = ends(".toml").count();
    if let (true, Some(import)) = (files != lines.len(), ends(".ndjson").next()) {
        let message = format!("rules for import: {}, TOML files: {files}", lines.len());
        faults.push(Fault::new(import, message));
    }
    faults
}

/// The first difference between a TOML file and its import line; `None` when they agree
fn differs(text: &str, lines: &[Value]) -> Option<String> {
    let file = match text.parse::<toml::Table>() {
        Ok(file) => file,
        Err(why) => return Some(why.message().to_owned()),
    };
    let Some(Ok(Value::Object(rule))) = file.get("rule").map(serde_json::to_value) else {
        return Some("there is no `[rule]`".to_owned());
    };
    let rule = flat(rule);
    let Some(line) = lines.iter().find(|line| line["rule_id"] == rule["rule_id"]) else {
        return Some("no rule of the import has its rule_id".to_owned());
    };
    let mut line = without_empty(line);
    let rule = without_empty(&rule);
    if let Value::Object(line) = &mut line {
        // detection-rules keeps versions in a file of its own, and takes none in a rule.
        line.remove("version");
    }
    let (Value::Object(line), Value::Object(rule)) = (&line, &rule) else { return None };
    let keys = line.keys().chain(rule.keys()).find(|key| line.get(*key) != rule.get(*key));
    keys.map(|key| format!("`{key}` is not that of the rule for import"))
}

/// The rule with detection-rules' own notations changed to Kibana's
fn flat(mut rule: Map<String, Value>) -> Value {
    if let Some(terms) = rule.remove("new_terms") {
        for part in [&terms, &terms["history_window_start"][0]] {
            if let Some(field) = part["field"].as_str() {
                rule.insert(field.to_owned(), part["value"].clone());
            }
        }
    }
    // The template adds a line break at the end of the query.
    if let Some(query) = rule.get("query").and_then(Value::as_str) {
        let query = query.strip_suffix('\n').unwrap_or(query).to_owned();
        rule.insert("query".to_owned(), query.into());
    }
    Value::Object(rule)
}

/// The value without empty lists, which only one of the forms writes
fn without_empty(value: &Value) -> Value {
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !empty(value));
            Value::Object(kept.map(|(key, value)| (key.clone(), without_empty(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_empty).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: &str, text: &str) -> Artifact {
        Artifact { name: name.to_owned(), text: text.to_owned() }
    }

    const TOML: &str = "[rule]\nrule_id = \"1\"\nquery = '''\na:b\n'''\nfilters = []\n\n\
                        [rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"c\"]\n\n\
                        [[rule.new_terms.history_window_start]]\n\
                        field = \"history_window_start\"\nvalue = \"now-7d\"\n";

    #[test]
    fn the_forms_say_the_same() {
        let line = |window: &str| {
            let rule = serde_json::json!({
                "rule_id": "1", "query": "a:b", "new_terms_fields": ["c"],
                "history_window_start": window,
            });
            [artifact("a.ndjson", &rule.to_string()), artifact("a_b.toml", TOML)]
        };
        assert_eq!(compare_forms(&line("now-7d")), []);
        let faults = compare_forms(&line("now-8d"));
        assert_eq!(faults[0].message, "`history_window_start` is not that of the rule for import");
        assert_eq!(
            compare_forms(&line("now-7d")[..1])[0].message,
            "rules for import: 1, TOML files: 0"
        );
        let broken = [artifact("a.ndjson", "{}"), artifact("a.toml", "[metadata]\n")];
        assert_eq!(compare_forms(&broken)[0].message, "there is no `[rule]`");
    }
}
