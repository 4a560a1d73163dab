//! Puts values into an event; several tests may share a field.
//!
//! In: an event, a test and a value for it. Out: the event, in which the tested part of the field
//! has that value. Parts set for earlier tests stay, as far as one text can hold all of them.

use serde_json::{Value as Json, json};

use super::Fields;
use super::fulfil::Assigned;
use super::values::Value;
use crate::ir::{Op, Part, Relation, Test};
use crate::taxonomy::{Field, FieldType};

/// A sort key for the order in which tests get their values
///
/// Fields are removed before other tests fill them. Whole values come first, since they replace
/// the whole field; ends come last, since they follow the text that is already there.
pub(super) fn in_order((one, value): &Assigned<'_>, deciding: &Test) -> (bool, bool, bool, bool) {
    let decides = std::ptr::eq(*one, deciding);
    let taken_away = !decides && matches!(value, Value::Missing);
    let part = matches!(one.subject.part, Part::Name | Part::Extension);
    let relation = one.op.as_text().map(|text| text.relation);
    let at_the_end = part || relation == Some(Relation::Ends);
    let whole = relation == Some(Relation::Equals) || matches!(one.op, Op::Regex(_));
    let whole = whole && one.subject.part == Part::Whole;
    (!taken_away, decides && whole, at_the_end, !whole)
}

/// Puts a value into the field of a test, and keeps the parts set for other tests
pub(super) fn assign(event: &mut Fields, test: &Test, value: &Value) {
    let field = &test.subject.field;
    // Sysmon's combined field replaces the separate fields.
    let apart: &[&str] = match field.name() {
        "TargetObject" => &["RegistryKey", "RegistryValue", "RegistryData"],
        "Details" => &["RegistryData"],
        _ => &[],
    };
    apart.iter().for_each(|name| drop(event.remove(*name)));
    let text = match value {
        Value::Missing => return drop(event.remove(field.name())),
        Value::Null => return drop(event.insert(field.name().to_owned(), Json::Null)),
        Value::Same | Value::Flipped => other_field(event, test, value),
        Value::Whole(text) => text.clone(),
        Value::Part(text) => {
            let there = event.contains_key(field.name());
            if matches!(test.op, Op::Exists | Op::Null) && there && text.len() > 1 {
                return;
            }
            let before = event.get(field.name()).and_then(Json::as_str).unwrap_or_default();
            composed(field, test, before, text)
        }
    };
    event.insert(field.name().to_owned(), typed(field, text));
}

/// The value of the other field of a test; fills that field if the event lacks it
fn other_field(event: &mut Fields, test: &Test, value: &Value) -> String {
    let Op::Same(_, other, _) = &test.op else { return String::new() };
    let same = event.entry(other.name()).or_insert_with(|| json!("same"));
    let same = same.as_str().map_or_else(|| same.to_string(), ToOwned::to_owned);
    if *value == Value::Same {
        return same;
    }
    let flip = |c: char| match c.is_ascii_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    };
    same.chars().map(flip).collect()
}

/// A value as sensors write it: a number in a number field, a list in a field of several values
fn typed(field: &Field, text: String) -> Json {
    if field.name() == "AlertFiles" {
        return json!([text, "other.dll"]);
    }
    match (field.kind(), text.parse::<i64>()) {
        (FieldType::Number, Ok(number)) => json!(number),
        _ => json!(text),
    }
}

/// Moves the program to a Linux path when the event's file has a Linux path
pub(super) fn settle(event: &mut Fields) {
    let text = |name: &str| event.get(name).and_then(Json::as_str);
    if text("TargetFilename").is_some_and(|path| path.starts_with('/'))
        && let Some(name) = text("Image").and_then(|path| path.strip_prefix(r"C:\Lab\"))
    {
        let image = format!("/opt/app/{name}");
        event.insert("Image".to_owned(), json!(image));
    }
}

fn composed(field: &Field, test: &Test, before: &str, value: &str) -> String {
    let separator = if before.starts_with('/') { '/' } else { '\\' };
    let name_at = before.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (folder, name) = before.split_at(name_at);
    let relation = test.op.as_text().map(|text| text.relation);
    match (test.subject.part, field.kind(), relation) {
        (Part::Name, ..) => format!("{folder}{value}"),
        (Part::Extension, ..) => {
            let stem = name.split('.').next().unwrap_or_default();
            format!("{folder}{stem}.{value}")
        }
        (Part::Argument(_), ..) if value.is_empty() => format!("{before} \"\""),
        (Part::Argument(_), ..) if value.contains(char::is_whitespace) => {
            format!("{before} \"{}\"", value.replace('"', "\\\""))
        }
        (Part::Argument(_), ..) => format!("{before} {}", value.replace('"', "\\\"")),
        (_, FieldType::Key, None) if matches!(test.op, Op::Segments(_)) => {
            let hive = if value.starts_with('\\') { r"HKEY_LOCAL_MACHINE\A" } else { "" };
            format!("{hive}{}", value.trim_end_matches('\\'))
        }
        (_, _, None) if matches!(test.op, Op::Segments(_)) => {
            let value = if before.starts_with("/opt/") {
                value.replace('\\', "/")
            } else {
                value.to_owned()
            };
            // Append to the directories that another test asks for.
            let above = match folder {
                _ if !value.starts_with(['\\', '/']) => "",
                r"C:\Lab\" | "/opt/app/" if separator == '\\' => "C:",
                r"C:\Lab\" | "/opt/app/" => "",
                _ => folder.strip_suffix(&value[..1]).unwrap_or(folder),
            };
            format!("{above}{value}{name}")
        }
        (_, FieldType::Path, Some(Relation::Ends | Relation::Contains)) => {
            let between = if value.starts_with(['\\', '/']) { "" } else { "\\" };
            format!("{before}{between}{value}")
        }
        (_, _, Some(Relation::Starts)) => {
            format!("{value}9{}", before.trim_start_matches("C:"))
        }
        (_, _, Some(Relation::Ends)) => format!("{before}{value}"),
        (_, FieldType::Command | FieldType::Text | FieldType::Host, Some(Relation::Contains)) => {
            format!("{before} {value} ")
        }
        _ => value.to_owned(),
    }
}
