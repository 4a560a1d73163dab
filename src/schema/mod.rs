//! What an editor is told about documents: JSON Schemas, and the texts that it shows about a word.
//!
//! In: the tables of keys, words, fields and settings that the readers use. Out: a JSON Schema
//! (draft 2020-12) for each kind of document, and hover texts. There is no second list of keys: a key
//! that a reader learns is in the schema, with its text.
//!
//! A schema says which keys a map has and which shape their values have. What depends on another part
//! of the document, or on a language inside a value, only the reader can say.

mod columns;
pub(crate) mod describe;
mod fields;
mod pattern;
mod scalar;
mod settings;
mod shape;
pub(crate) mod words;

use serde_json::{Map, Value, json};

use crate::definition;
use crate::mapping;
use crate::yaml::Keys;

/// The draft of JSON Schema that the schemas are written in
pub const DRAFT: &str = "2020-12";

/// The kinds of document that have a schema
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A definition: `signals:`
    Definition,
    /// A Sigma rule: `detection:`
    Sigma,
    /// A Sigma correlation: `correlation:`
    Correlation,
    /// A Sigma filter: `filter:`
    Filter,
    /// A mapping: `mapping:`
    Mapping,
    /// The settings of a project: `rulecast.toml`
    #[cfg(feature = "project")]
    Project,
}

impl Kind {
    /// Every kind of YAML document, by the key that only it has
    const DOCUMENTS: &[(Kind, &str)] = &[
        (Kind::Definition, "signals"),
        (Kind::Sigma, "detection"),
        (Kind::Correlation, "correlation"),
        (Kind::Filter, "filter"),
        (Kind::Mapping, "mapping"),
    ];

    /// The kinds of map that the document itself is
    pub(crate) fn places(self) -> &'static [&'static str] {
        match self {
            Kind::Definition => &["metadata", "definition metadata", "definition"],
            Kind::Sigma => &["metadata", "sigma metadata", "sigma"],
            Kind::Correlation => &["metadata", "sigma metadata", "sigma correlation document"],
            Kind::Filter => &["metadata", "sigma metadata", "sigma filter document"],
            Kind::Mapping => &["mapping"],
            #[cfg(feature = "project")]
            Kind::Project => &["project", "layer"],
        }
    }

    /// Whether keys that are not known are only warnings, and metadata may be odd
    fn is_lenient(self) -> bool {
        match self {
            Kind::Sigma | Kind::Correlation | Kind::Filter => true,
            Kind::Definition | Kind::Mapping => false,
            #[cfg(feature = "project")]
            Kind::Project => false,
        }
    }

    /// The table with the keys of its maps
    pub(crate) fn keys(self) -> &'static Keys {
        match self {
            Kind::Definition | Kind::Sigma | Kind::Correlation | Kind::Filter => {
                &definition::keys::KEYS
            }
            Kind::Mapping => &mapping::keys::KEYS,
            #[cfg(feature = "project")]
            Kind::Project => &crate::project::config::keys::KEYS,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Definition => "A rulecast definition",
            Kind::Sigma => "A Sigma rule, as rulecast reads it",
            Kind::Correlation => "A Sigma correlation, as rulecast reads it",
            Kind::Filter => "A Sigma filter, as rulecast reads it",
            Kind::Mapping => "A rulecast mapping",
            #[cfg(feature = "project")]
            Kind::Project => "rulecast.toml",
        }
    }
}

/// The kind of a document with these keys; `None` when none of them tells
#[cfg(feature = "cli")]
pub(crate) fn kind_of<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> Option<Kind> {
    let has = |(_, key): &&(Kind, &str)| keys.clone().any(|known| known == *key);
    Kind::DOCUMENTS.iter().find(has).map(|(kind, _)| *kind)
}

/// Every table of keys
#[cfg(test)]
fn tables() -> impl Iterator<Item = &'static Keys> {
    let kinds = Kind::DOCUMENTS.iter().map(|(kind, _)| kind.keys());
    #[cfg(feature = "project")]
    let kinds = kinds.chain([Kind::Project.keys()]);
    kinds
}

/// The JSON Schema of one kind of document
pub fn of(kind: Kind) -> Value {
    let mut schema = shape::document(kind);
    let head = json!({
        "$schema": format!("https://json-schema.org/draft/{DRAFT}/schema"),
        "title": kind.title(),
    });
    if let (Value::Object(head), Value::Object(body)) = (head, schema.take()) {
        return Value::Object(head.into_iter().chain(body).collect());
    }
    Value::Null
}

/// The JSON Schema of every kind of YAML document: each document is judged by the key that tells its
/// kind
pub fn any() -> Value {
    let (mut parts, mut defs) = (Vec::new(), Map::new());
    for (kind, key) in Kind::DOCUMENTS {
        let mut own = shape::document(*kind);
        prefix(&mut own, key);
        let name = format!("{key}-document");
        parts.push(json!({
            "if": { "required": [key] },
            "then": { "$ref": format!("#/$defs/{name}") },
        }));
        if let Value::Object(mut own) = own {
            if let Some(Value::Object(of_kind)) = own.remove("$defs") {
                defs.extend(of_kind.into_iter().map(|(name, one)| (format!("{key}-{name}"), one)));
            }
            defs.insert(name, Value::Object(own));
        }
    }
    let kinds = Kind::DOCUMENTS.iter().map(|(_, key)| json!({ "required": [key] }));
    json!({
        "$schema": format!("https://json-schema.org/draft/{DRAFT}/schema"),
        "title": "A rulecast definition, a mapping or one of Sigma's documents",
        "type": "object",
        "anyOf": kinds.collect::<Vec<_>>(),
        "allOf": parts,
        "$defs": defs,
    })
}

/// Puts a word before the name of every definition that a schema refers to
fn prefix(schema: &mut Value, word: &str) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
                    Some(name) if key == "$ref" => {
                        *value = json!(format!("#/$defs/{word}-{name}"));
                    }
                    _ => prefix(value, word),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| prefix(item, word)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
