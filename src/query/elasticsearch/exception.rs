//! Items of an exception list, as Kibana's import holds them.
//!
//! In: the JSON of an item, or entries that a plan joins. Out: an [`Item`], its entries as JSON, and
//! the negated [`Filter`] that Kibana makes of it: a document is left out when all entries hold.
//!
//! An entry is `exists`, `match` or `match_any`, which are `match_phrase` and so compare whole
//! values with their case on fields that are not analysed, or `wildcard`, with its case too. Each
//! may be negated. Source: `build_exception_filter.ts` of Kibana's lists plugin.
//!
//! INVARIANT: entries that are printed and read back are the same entries. The reader understands or
//! refuses every key.

use serde_json::{Value, json};

use super::tree::{Filter, Query, Test};
use super::{print, read};
use crate::pattern::Pattern;
use crate::query::Error;

/// An item of an exception list
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it leaves out, in a few words
    pub name: String,
    /// The entries that must all hold
    pub entries: Vec<Entry>,
}

/// A test of one field
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The field
    pub field: String,
    /// The test
    pub test: EntryTest,
    /// Whether the test must not hold
    pub excluded: bool,
}

/// The tests that an entry can be
#[derive(Debug, Clone, PartialEq)]
pub enum EntryTest {
    /// The field has a value
    Exists,
    /// A value of the field is one of these
    Values(Vec<String>),
    /// A value of the field fits the pattern
    Wildcard(Pattern),
}

/// Keys of an item without an effect on what it leaves out
const TOLD: &[&str] =
    &["comments", "description", "id", "item_id", "list_id", "meta", "name", "tags"];

impl Item {
    /// The filter that Kibana makes of the item
    pub fn filter(&self) -> Filter {
        let mut parts: Vec<Query> = self.entries.iter().map(Entry::query).collect();
        let query = if parts.len() == 1 { parts.swap_remove(0) } else { Query::all(parts) };
        Filter { alias: format!("not: {}", self.name), negate: true, query }
    }

    /// Reads an item
    ///
    /// # Errors
    /// When the JSON is no item, or has a part that the tree has no form for.
    pub fn read(item: &Value) -> Result<Item, Error> {
        let all = item.as_object().ok_or_else(|| Error::new("an exception is no object"))?;
        for (key, value) in all {
            let plain = match key.as_str() {
                "entries" => true,
                "type" => value == "simple",
                "namespace_type" => value == "single",
                "os_types" => value.as_array().is_some_and(Vec::is_empty),
                key => TOLD.contains(&key),
            };
            if !plain {
                return Err(Error::new(format!("`{key}: {value}` of an exception is not judged")));
            }
        }
        let name = all.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let entries = all.get("entries").and_then(Value::as_array).filter(|all| !all.is_empty());
        let entries = entries.ok_or_else(|| Error::new("an exception has no entries"))?;
        let entries = entries.iter().map(Entry::read).collect::<Result<_, Error>>()?;
        Ok(Item { name, entries })
    }
}

impl Entry {
    /// The entry as JSON
    pub fn to_json(&self) -> Value {
        let operator = if self.excluded { "excluded" } else { "included" };
        let mut entry = json!({"field": self.field, "operator": operator});
        let (kind, value) = match &self.test {
            EntryTest::Exists => ("exists", None),
            EntryTest::Values(values) => match &**values {
                [only] => ("match", Some(json!(only))),
                values => ("match_any", Some(json!(values))),
            },
            EntryTest::Wildcard(pattern) => ("wildcard", Some(json!(print::wildcard(pattern)))),
        };
        entry["type"] = json!(kind);
        if let Some(value) = value {
            entry["value"] = value;
        }
        entry
    }

    /// The entry with the opposite result
    #[must_use]
    pub fn negated(self) -> Entry {
        Entry { excluded: !self.excluded, ..self }
    }

    fn read(entry: &Value) -> Result<Entry, Error> {
        let refused = || Error::new(format!("the entry {entry} of an exception is not judged"));
        let known = ["field", "operator", "type", "value"];
        let all = entry.as_object().filter(|all| all.keys().all(|key| known.contains(&&**key)));
        let all = all.ok_or_else(refused)?;
        let word = |key: &str| all.get(key).and_then(Value::as_str);
        // Kibana refuses a blank value.
        let text = |value: &Value| {
            let text = value.as_str().filter(|text| !text.trim().is_empty());
            text.map(ToOwned::to_owned).ok_or_else(refused)
        };
        let test = match (word("type"), all.get("value")) {
            (Some("exists"), None) => EntryTest::Exists,
            (Some("match"), Some(value)) => EntryTest::Values(vec![text(value)?]),
            (Some("match_any"), Some(Value::Array(values))) if !values.is_empty() => {
                EntryTest::Values(values.iter().map(text).collect::<Result<_, Error>>()?)
            }
            (Some("wildcard"), Some(value)) => EntryTest::Wildcard(read::wildcard(&text(value)?)),
            (_, _) => return Err(refused()),
        };
        let excluded = match word("operator") {
            Some("included") => false,
            Some("excluded") => true,
            Some(_) | None => return Err(refused()),
        };
        let field = word("field").ok_or_else(refused)?.to_owned();
        Ok(Entry { field, test, excluded })
    }

    fn query(&self) -> Query {
        let field = &self.field;
        let query = match &self.test {
            EntryTest::Exists => Query::exists(field),
            EntryTest::Values(values) => {
                let one = |value: &String| Query::Words {
                    field: field.clone(),
                    text: value.as_str().into(),
                    phrase: true,
                };
                Query::any(values.iter().map(one).collect())
            }
            EntryTest::Wildcard(pattern) => Query::Value {
                field: field.clone(),
                test: Test::Wildcard(pattern.clone()),
                fold: false,
            },
        };
        if self.excluded { Query::none_of(vec![query]) } else { query }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(field: &str, test: EntryTest) -> Entry {
        Entry { field: field.to_owned(), test, excluded: false }
    }

    #[test]
    fn entries_read_back_as_they_were() {
        let values =
            |all: &[&str]| EntryTest::Values(all.iter().map(ToString::to_string).collect());
        let entries = vec![
            entry("user.name", EntryTest::Exists).negated(),
            entry("process.name", values(&["a"])),
            entry("process.name", values(&["a", "B c"])).negated(),
            entry("file.path", EntryTest::Wildcard(Pattern::read(r"C:\\a\*b*?"))),
        ];
        let json: Vec<Value> = entries.iter().map(Entry::to_json).collect();
        let item = json!({"name": "n", "type": "simple", "entries": json});
        assert_eq!(Item::read(&item), Ok(Item { name: "n".to_owned(), entries }));
        assert_eq!(json[3]["value"], r"C:\\a\*b*?");
    }

    #[test]
    fn an_item_is_a_negated_filter() {
        let item = Item {
            name: "n".to_owned(),
            entries: vec![
                entry("a", EntryTest::Values(vec!["b".to_owned()])),
                entry("c", EntryTest::Exists).negated(),
            ],
        };
        let filter = item.filter().to_json();
        assert_eq!(filter["meta"]["negate"], true);
        let wanted = json!({"bool": {"filter": [
            {"match_phrase": {"a": {"query": "b"}}},
            {"bool": {"must_not": [{"exists": {"field": "c"}}]}},
        ]}});
        assert_eq!(filter["query"], wanted);
    }

    #[test]
    fn nothing_is_overlooked() {
        let of = |entry: Value| json!({"type": "simple", "entries": [entry]});
        let good = json!({"field": "a", "operator": "included", "type": "match", "value": "b"});
        assert!(Item::read(&of(good.clone())).is_ok());
        for (key, value) in [
            ("type", json!("list")),
            ("operator", json!("not")),
            ("value", json!(" ")),
            ("value", json!(1)),
            ("list", json!({})),
        ] {
            let mut wrong = good.clone();
            wrong[key] = value;
            assert!(Item::read(&of(wrong.clone())).is_err(), "{wrong}");
        }
        let mut expiring = of(good);
        expiring["expire_time"] = json!("2026-01-01T00:00:00Z");
        assert!(Item::read(&expiring).is_err());
        assert!(Item::read(&json!({"type": "simple", "entries": []})).is_err());
    }
}
