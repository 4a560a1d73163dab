//! What the targets keep of an event is read back as that event.
//!
//! In: events of each log source, one for each field. Their rows and documents are written by the tables of
//! this room, which know nothing of the mappings; the engine reads them through the mappings backwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::near::neutral;
use super::observation::Observer;
use super::pipeline::{Gaps, document};
use super::sentinel::{HASHES, recorded, rows_of};
use super::sources;
use crate::mapping::{Mappings, Stream};
use crate::matcher::{Flattener, Lines, Options};
use crate::taxonomy::{EventKind, Field, FieldType, Log, Product};

/// Events of a kind, each with one of its fields; of a field those with texts of all kinds
fn events(kind: &EventKind) -> Vec<(Field, Vec<Map<String, Value>>)> {
    let neutral = neutral(kind, None);
    let log = if let EventKind::Log(log) = kind { Some(log) } else { None };
    let of_log = log.map(Log::fields).unwrap_or_default();
    let fields = Field::of(kind).chain(of_log.into_iter().map(Field::of_log));
    let of_field = |field: Field| {
        let kind = log.and_then(|log| log.field_type(&field)).unwrap_or_else(|| field.kind());
        let name = field.name();
        let length = HASHES.iter().find(|(known, ..)| *known == name).map(|(.., length)| *length);
        let value = match kind {
            _ if length.is_some() => "0123456789abcdef".repeat(4)[..length.unwrap()].to_owned(),
            FieldType::Path => format!(r"C:\Lab\{name}\tool.aspx"),
            FieldType::Account => format!(r"CONTOSO\{name}"),
            FieldType::Command => format!("tool.exe {name} /all"),
            FieldType::Host => "web01.contoso.example".to_owned(),
            FieldType::Number => "4711".to_owned(),
            FieldType::Address => "198.51.100.7".to_owned(),
            FieldType::Action => "modified".to_owned(),
            FieldType::Key => r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab".to_owned(),
            FieldType::Text | FieldType::Any => format!("of {name}"),
        };
        let values =
            [value.as_str(), "true", "4711", "admin.googleapis.com", "login.googleapis.com"];
        let events = values.map(|value| {
            let mut event = neutral.clone();
            if matches!(name, "TargetObject" | "Details") {
                event.retain(|other, _| !other.starts_with("Registry"));
            }
            event.insert(name.to_owned(), json!(value));
            event
        });
        (field, events.to_vec())
    };
    fields.map(of_field).collect()
}

/// The event that a row or a document is read as; `None` when no mapping knows it
fn read(flattener: &Flattener, kept: &Value) -> Option<Map<String, Value>> {
    let text = kept.to_string();
    let mut lines = Lines::new(text.as_bytes());
    let mut block = Default::default();
    assert!(lines.next(&mut block).is_none());
    let (line, kinds) = flattener.event(&block, 0).unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    (!kinds.is_empty()).then(|| event.as_object().unwrap().clone())
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.to_lowercase()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            vec![value.to_string()]
        }
    }
}

/// Whether a value that was read is that of the event: with more around it, or the part that is kept
fn is_same(read: &Value, wanted: &Value) -> bool {
    let wanted = texts(wanted);
    texts(read).iter().any(|text| {
        let has = |wanted: &String| {
            text.contains(wanted.as_str()) || text.len() > 1 && wanted.ends_with(text.as_str())
        };
        wanted.iter().any(has)
    })
}

/// The operating system of events of a kind
fn product(kind: &EventKind) -> Product {
    let log = if let EventKind::Log(log) = kind { log.product() } else { None };
    log.and_then(Product::named).unwrap_or(Product::Windows)
}

/// The rows and the document of an event
fn kept(event: &Value, kind: &EventKind, observer: &Observer) -> Vec<(String, Value)> {
    let mut kept = Vec::new();
    for side in &observer.look(event, Some(kind)).unwrap().sides {
        for (table, mut row) in rows_of(&side.record, &side.kind, event) {
            row.insert("$table".to_owned(), json!(table));
            kept.push((table.to_owned(), Value::Object(row)));
        }
        let product = product(kind);
        let made = document(&side.record, &side.kind, product, Gaps::Filled);
        kept.extend(made.map(|mut document| {
            document["ecs.version"] = json!("8.17.0");
            (DOCUMENT.to_owned(), document)
        }));
    }
    kept
}

/// The place of what is no row
const DOCUMENT: &str = "a document";

/// Whether a mapping says where the rows of a table, or the documents, have a field
fn is_placed(place: &str, kind: &EventKind, field: &Field) -> bool {
    let mappings = Mappings::default();
    let mut tables = mappings.all_tables().filter(|table| table.name == place);
    let is_held = |stream: &&Stream| stream.has_documents_of(Some(product(kind)));
    let mut streams = mappings.all_streams().filter(is_held).filter(|_| place == DOCUMENT);
    tables.any(|table| table.events == *kind && !table.columns(field).is_empty())
        || streams.any(|stream| stream.events == *kind && stream.alternatives(field).count() > 0)
}

#[test]
fn rows_and_documents_of_every_log_source_are_read_back() {
    let flattener = Flattener::new(&Options::default(), &[]);
    let observer = Observer::default();
    let (mut wrong, mut known, mut unknown) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut right: BTreeSet<(String, String)> = BTreeSet::new();
    for kind in sources::kinds() {
        for (field, events) in events(kind) {
            for event in events {
                let Some(event) = recorded(kind, event, field.name()) else { continue };
                let event = Value::Object(event);
                let wanted = &event[field.name()];
                if wanted.is_null() {
                    continue;
                }
                for (place, one) in kept(&event, kind, &observer) {
                    let at = format!("{kind} in {place}");
                    let Some(read) = read(&flattener, &one) else {
                        unknown.insert(at);
                        continue;
                    };
                    known.insert(at.clone());
                    match read.get(field.name()) {
                        Some(value) if is_same(value, wanted) => {
                            right.insert((at, field.name().to_owned()));
                        }
                        Some(value) => {
                            let why = format!("{value}, not {wanted}");
                            wrong.insert((at, field.name().to_owned()), why);
                        }
                        None if !is_placed(&place, kind, &field) => {}
                        None => {
                            let why = format!("not there: {wanted}");
                            wrong.insert((at, field.name().to_owned()), why);
                        }
                    }
                }
            }
        }
    }
    wrong.retain(|place, _| !right.contains(place));
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unknown: Vec<_> = unknown.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(right.len() > 3_000 && known.len() > 200, "{} of {}", right.len(), known.len());
}
