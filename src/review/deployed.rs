//! Rules as a target has them.
//!
//! In: an export of a target: an ARM template with alert rules, the list that Sentinel's REST interface gives,
//! or the lines of Kibana's export; or an output of rulecast, which has the same form. Out: a [`Deployed`] for
//! each rule: its id, its name and its fields. What else an export holds, such as exceptions, is counted.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::backend::Target;
use crate::workspace::target_of;

/// A rule of a target
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The target
    pub target: Target,
    /// The id by which the target knows it, in lower case
    pub id: String,
    /// Its name
    pub name: String,
    /// Its fields, as the target names them
    pub fields: Map<String, Value>,
}

/// What an export holds
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    /// The rules, in its order
    pub rules: Vec<Deployed>,
    /// The number of its other objects
    pub others: usize,
}

/// Reads an export
///
/// # Errors
/// When the text is neither JSON nor lines of JSON, or holds no rule.
pub fn read(text: &str) -> Result<Export, String> {
    let text = text.trim_start_matches('\u{feff}');
    let objects = match serde_json::from_str::<Value>(text) {
        Ok(value) => listed(value),
        Err(of_whole) => lines(text).map_err(|of_line| of_line.unwrap_or(of_whole.to_string()))?,
    };
    if objects.is_empty() {
        return Err("it holds no object".to_owned());
    }
    let mut export = Export::default();
    objects.into_iter().for_each(|one| export.add(one));
    Ok(export)
}

/// The objects of a text with one on each line; the first line tells nothing that the whole text does not
fn lines(text: &str) -> Result<Vec<Value>, Option<String>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let object = |(at, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|why| (at > 0).then(|| format!("line {}: {why}", at + 1)))
    };
    lines.map(object).collect()
}

/// The objects of a document: the resources of a template, the values of a list, or the document itself
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all,
        Value::Object(mut object) => {
            for key in ["resources", "value", "data"] {
                if let Some(Value::Array(all)) = object.get_mut(key).map(Value::take) {
                    return all;
                }
            }
            vec![Value::Object(object)]
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

impl Export {
    fn add(&mut self, value: Value) {
        match of_kibana(&value).or_else(|| of_sentinel(&value)) {
            Some(rule) => self.rules.push(rule),
            // The last line of Kibana's export counts what stands above.
            None if value.get("exported_count").is_some() => {}
            None => self.others += 1,
        }
    }
}

fn of_kibana(value: &Value) -> Option<Deployed> {
    let text = |key: &str| value.get(key)?.as_str().map(ToOwned::to_owned);
    let id = text("rule_id")?.to_lowercase();
    let fields = value.as_object()?.clone();
    Some(Deployed { target: Target::Elastic, id, name: text("name").unwrap_or_default(), fields })
}

fn of_sentinel(value: &Value) -> Option<Deployed> {
    static UUID: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new("(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").ok()
    });
    let kind = value.get("type")?.as_str()?;
    if !kind.to_lowercase().ends_with("/alertrules") {
        return None;
    }
    let last = |key: &str| {
        let text = value.get(key)?.as_str()?;
        UUID.as_ref()?.find_iter(text).last().map(|uuid| uuid.as_str().to_lowercase())
    };
    let plain = || value.get("name")?.as_str()?.rsplit('/').next().map(str::to_lowercase);
    let id = last("name").or_else(|| last("id")).or_else(plain)?;
    let mut fields: Map<String, Value> = value
        .get("properties")?
        .as_object()?
        .iter()
        .map(|(key, value)| (key.clone(), literal(value)))
        .collect();
    if let Some(kind) = value.get("kind") {
        fields.insert("kind".to_owned(), kind.clone());
    }
    let name = fields.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Deployed { target: Target::Sentinel, id, name, fields })
}

/// A value of a template without the bracket that keeps a text from being an expression
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("[[") => Value::String(text[1..].to_owned()),
        Value::Array(all) => Value::Array(all.iter().map(literal).collect()),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(key, value)| (key.clone(), literal(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The rules in an output of rulecast that a target would import; none in its other outputs
pub fn emitted(path: &str, text: &str) -> Vec<Deployed> {
    let target = target_of(path);
    let imported = match target {
        Some(Target::Sentinel | Target::Asim) => path.ends_with(".arm.json"),
        Some(Target::Elastic) => path.ends_with(".ndjson"),
        Some(Target::Xdr | Target::Native) | None => false,
    };
    let export = imported.then(|| read(text).ok()).flatten();
    let mut rules = export.map(|export| export.rules).unwrap_or_default();
    if target == Some(Target::Asim) {
        rules.iter_mut().for_each(|rule| rule.target = Target::Asim);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = r#"{"name": "[concat(parameters('workspace'),'/Microsoft.SecurityInsights/454E06c2-86f3-5e1e-abda-1c2b8b2b59df')]",
        "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules", "kind": "Scheduled",
        "properties": {"displayName": "[[a]", "query": "T"}}"#;

    #[test]
    fn each_form_of_an_export_is_read() {
        let template =
            format!(r#"{{"resources": [{RULE}, {{"type": "Microsoft.X/watchlists"}}]}}"#);
        for (text, others) in [
            (template.as_str(), 1),
            (&format!("[{RULE}]"), 0),
            (&format!("{{\"value\": [{RULE}]}}"), 0),
            (RULE, 0),
        ] {
            let export = read(text).unwrap();
            assert_eq!((export.rules.len(), export.others), (1, others), "{text}");
            let rule = &export.rules[0];
            assert_eq!(rule.id, "454e06c2-86f3-5e1e-abda-1c2b8b2b59df");
            assert_eq!((&*rule.name, &rule.fields["kind"]), ("[a]", &Value::from("Scheduled")));
        }
        let lines = "{\"rule_id\": \"A\", \"name\": \"b\"}\n{\"list_id\": \"c\"}\n{\"exported_count\": 1}\n";
        let export = read(lines).unwrap();
        assert_eq!((export.rules.len(), export.others, &*export.rules[0].id), (1, 1, "a"));
        assert!(read("nothing").is_err() && read("[]").is_err() && read("").is_err());
    }
}
