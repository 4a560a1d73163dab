//! Binds Kusto artifacts to the schema of their tables.
//!
//! In: the query of a rule and its packages, as text. Out: a [`Verdict`] on three checks. Every
//! table and column exists, with the right type. Each package holds the same query; a hunting
//! package may hold another query with the same result columns. The query returns every column
//! that a package names.
//!
//! Source of the limits and of the columns of a custom detection: Microsoft's pages on scheduled
//! analytic rules and on custom detections.

use serde_json::Value;

use super::verdict::{Fault, Verdict};
use crate::manifest::Artifact;
use crate::query::kusto::{self, Column, Platform, Schema};

/// The longest query of a rule, in UTF-16 code units
const MAX_QUERY: usize = 10_000;

/// The columns that a custom detection must return; of [`ASSETS`] it must return at least one
const NEEDED: [&str; 2] = ["Timestamp", "ReportId"];
const ASSETS: [&str; 5] =
    ["DeviceId", "DeviceName", "AccountSid", "AccountUpn", "InitiatingProcessAccountSid"];

/// The columns that a custom detection must return and its query does not
fn unsuited(returned: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let asset = ASSETS.iter().any(|name| returned(name));
    let asset =
        (!asset).then(|| format!("a custom detection returns one of {}", ASSETS.join(", ")));
    let missing = NEEDED.iter().filter(move |name| !returned(name));
    missing.map(|name| format!("a custom detection returns {name}")).chain(asset)
}

/// Binds the query of a rule, and checks its packages against the query
pub fn bind((platform, schema): (Platform, &Schema), artifacts: &[Artifact]) -> Verdict {
    let Some(query) = artifacts.iter().find(|artifact| artifact.name.ends_with(".kql")) else {
        return Verdict::Unchecked("there is no query".to_owned());
    };
    let columns = match kusto::bind_with(&query.text, platform, schema) {
        Ok(columns) => columns,
        Err(findings) => {
            let faults = findings.into_iter().map(|finding| Fault {
                artifact: query.clone(),
                message: finding.message,
                place: finding.place,
            });
            return Verdict::Broken(faults.collect());
        }
    };
    let mut faults = Vec::new();
    let length = query.text.encode_utf16().count();
    if length > MAX_QUERY {
        let message = format!("the query has {length} characters, the limit is {MAX_QUERY}");
        faults.push(Fault::new(query, message));
    }
    let returned = |name: &str| columns.iter().any(|column| column.name == name);
    if platform == Platform::AdvancedHunting {
        faults.extend(unsuited(returned).map(|why| Fault::new(query, why)));
    }
    let mut named = Vec::new();
    for package in artifacts.iter().filter(|artifact| artifact.name != query.name) {
        let content: Value = match read(package) {
            Ok(content) => content,
            Err(why) => {
                faults.push(Fault::new(package, why));
                continue;
            }
        };
        let mut found = Found::default();
        found.walk("", &content);
        let same = |text: &&str| text.trim() == query.text.trim();
        let is_variant = |text: &str| is_variant(package, text, (platform, schema), &columns);
        if !found.texts.iter().any(|text| same(text) || is_variant(text)) {
            let message = format!("the query is not that of {}", query.name);
            faults.push(Fault::new(package, message));
        }
        for column in found.columns {
            if !returned(column) {
                let message = format!("the query returns no column `{column}`");
                faults
                    .push(Fault { place: place(package, column), ..Fault::new(package, message) });
            } else if !named.contains(&column.to_owned()) {
                named.push(column.to_owned());
            }
        }
    }
    if faults.is_empty() {
        let why = String::new();
        return Verdict::Binds { columns: columns.len(), named: named.len(), why };
    }
    Verdict::Broken(faults)
}

/// Whether `text` is a hunting query with the same columns as the rule's query
///
/// A hunting query differs, since it covers all of its time range.
fn is_variant(
    package: &Artifact,
    text: &str,
    (platform, schema): (Platform, &Schema),
    columns: &[Column],
) -> bool {
    let hunting = package.name.ends_with(".hunting.yaml");
    hunting
        && kusto::bind_with(text, platform, schema).is_ok_and(|own| {
            own.len() == columns.len() && own.iter().all(|column| columns.contains(column))
        })
}

/// Reads a package: JSON if its name ends with `.json`, else YAML
pub(super) fn read(package: &Artifact) -> Result<Value, String> {
    if package.name.ends_with(".json") {
        serde_json::from_str(&package.text).map_err(|why| why.to_string())
    } else {
        serde_yaml::from_str(&package.text).map_err(|why| why.to_string())
    }
}

/// The bytes at which a package names a column; empty at the start when not found
fn place(package: &Artifact, column: &str) -> std::ops::Range<usize> {
    let at = |start: &str| Some(package.text.find(&format!("{start}{column}"))? + start.len());
    let start = [": ", ": \"", "{{"].into_iter().find_map(at);
    start.map_or(0..0, |start| start..start + column.len())
}

/// The texts of a package, and the columns it names
#[derive(Default)]
struct Found<'p> {
    texts: Vec<&'p str>,
    columns: Vec<&'p str>,
}

impl<'p> Found<'p> {
    /// Collects texts and columns
    ///
    /// Columns are named by keys that end with `column` or `columnname`, by custom details, and as
    /// `{{Column}}` inside formats.
    fn walk(&mut self, key: &str, value: &'p Value) {
        match value {
            Value::Object(map) if key == "customDetails" => {
                self.columns.extend(map.values().filter_map(Value::as_str));
            }
            Value::Object(map) => map.iter().for_each(|(key, value)| self.walk(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.walk(key, item)),
            Value::String(text) => {
                self.texts.push(text);
                let key = key.to_ascii_lowercase();
                if key.ends_with("column") || key.ends_with("columnname") {
                    self.columns.push(text);
                }
                if key.starts_with("alert") && key.ends_with("format") {
                    let named = text.split("{{").skip(1);
                    self.columns.extend(named.filter_map(|rest| Some(rest.split_once("}}")?.0)));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "DeviceProcessEvents\n| project Timestamp, DeviceId, ReportId, FileName\n";

    fn artifact(name: &str, text: &str) -> Artifact {
        Artifact { name: name.to_owned(), text: text.to_owned() }
    }

    fn faults(artifacts: &[Artifact]) -> Vec<String> {
        let Verdict::Broken(faults) =
            bind((Platform::AdvancedHunting, &Schema::default()), artifacts)
        else {
            return Vec::new();
        };
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_package_names_what_its_query_returns() {
        let query = artifact("a.kql", QUERY);
        let package = |column: &str| {
            let text = serde_json::json!({
                "queryText": QUERY,
                "alertDescriptionFormat": format!("Started {{{{{column}}}}}"),
                "entityMappings": {"hosts": [{"deviceIdColumn": "DeviceId"}]},
            });
            artifact("a.detection.json", &text.to_string())
        };
        let named = bind(
            (Platform::AdvancedHunting, &Schema::default()),
            &[query.clone(), package("FileName")],
        );
        assert!(matches!(named, Verdict::Binds { columns: 4, named: 2, .. }), "{named:?}");
        let messages = faults(&[query.clone(), package("Filename")]);
        assert_eq!(messages, ["the query returns no column `Filename`"]);
        let other = artifact("a.hunting.yaml", "query: |\n  DeviceProcessEvents\n");
        assert_eq!(faults(&[query, other]), ["the query is not that of a.kql"]);
    }

    #[test]
    fn a_custom_detection_returns_what_defender_asks_for() {
        let text = "DeviceProcessEvents | project Timestamp, FileName";
        let messages = faults(&[artifact("a.kql", text)]);
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].ends_with("ReportId") && messages[1].contains("DeviceId"));
    }

    #[test]
    fn a_query_has_a_longest_form() {
        let list = vec!["\"a\""; 3_000].join(", ");
        let text = format!("DeviceProcessEvents | where FileName in~ ({list})");
        let verdict = bind((Platform::Sentinel, &Schema::default()), &[artifact("a.kql", &text)]);
        assert!(matches!(verdict, Verdict::Broken(ref faults) if faults.len() == 1), "{verdict:?}");
    }
}
