//! The schema of a kind of document, from its table of keys.
//!
//! In: the rows of a table. Out: an object for the document, and a definition for every other kind of
//! map in it. A key's text is its `description`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::scalar::{text, whole};
use super::{Kind, describe, fields, pattern, settings, words};
use crate::definition::Comparison;
use crate::yaml::{KeyRow, Shape};

/// The schema of a document, with its definitions
pub(super) fn document(kind: Kind) -> Value {
    let mut made = Made { kind, defs: Map::new(), wanted: BTreeSet::new() };
    let lenient = kind.is_lenient();
    let (mut properties, mut needed) = (Map::new(), Vec::new());
    for place in kind.places() {
        let odd = lenient && place.contains("metadata");
        for row in kind.keys().of(place) {
            properties.insert(row.name.to_owned(), made.property(row, odd));
            needed.extend((row.must && !odd).then_some(row.name));
        }
    }
    if lenient {
        // The keys of a definition would have no effect: they are errors in Sigma's documents.
        for key in kind.keys().names("definition") {
            properties.entry((*key).to_owned()).or_insert(json!(false));
        }
    }
    let mut schema = object(properties, &needed, &json!(lenient));
    fields::of_document(kind, &mut schema, &mut made.defs);
    while let Some(place) = made.wanted.pop_first() {
        if !made.defs.contains_key(&name_of(place)) {
            let map = made.map(place);
            made.defs.insert(name_of(place), map);
        }
    }
    made.defs.insert("values".to_owned(), fields::values());
    made.defs
        .insert("selection".to_owned(), fields::selection(&json!({ "$ref": "#/$defs/tests" })));
    made.defs.insert("tests".to_owned(), fields::tests());
    if kind != Kind::Mapping {
        made.defs.insert("targets".to_owned(), settings::targets());
    }
    schema["$defs"] = Value::Object(made.defs);
    schema
}

/// The name of the definition of a kind of map: one without blanks, which no pointer may have
fn name_of(place: &str) -> String {
    place.replace(' ', "-")
}

/// A document's definitions so far
struct Made {
    kind: Kind,
    defs: Map<String, Value>,
    /// The places that need a definition
    wanted: BTreeSet<&'static str>,
}

impl Made {
    /// A kind of map
    fn map(&mut self, place: &'static str) -> Value {
        let lenient = self.kind.is_lenient();
        let open = lenient && matches!(place, "logsource" | "related");
        let (mut properties, mut needed, mut others) = (Map::new(), Vec::new(), json!(open));
        for row in self.kind.keys().of(place) {
            let of_others = row.name == "*";
            let property = self.property(row, lenient && place == "related");
            match (of_others, &row.shape) {
                (true, Shape::Own("bound")) => {
                    let bounds = Comparison::ALL.iter().map(|one| one.as_str().to_owned());
                    properties.extend(bounds.map(|bound| (bound, property.clone())));
                }
                (true, _) => others = property,
                (false, _) => {
                    properties.insert(row.name.to_owned(), property);
                }
            }
            needed.extend((row.must && !(lenient && place == "related")).then_some(row.name));
        }
        if matches!(place, "detection" | "filter") {
            // What aggregated in Sigma 1.
            properties.insert("timeframe".to_owned(), json!(false));
        }
        let mut map = object(properties, &needed, &others);
        if place == "index" {
            // `logs-acme-*: {}` knows the pattern, and nothing else about it.
            map["minProperties"] = json!(0);
        }
        fields::of_place(place, &mut map);
        map
    }

    /// The value of a key; an `odd` one is only a warning, so other values pass
    fn property(&mut self, row: &KeyRow, odd: bool) -> Value {
        let strict = self.value(&row.shape);
        let odd = odd && row.name != "taxonomy";
        let mut schema = if odd { json!({ "anyOf": [strict, true] }) } else { strict };
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(describe::key(row)));
        }
        schema
    }

    fn value(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Text => text(),
            Shape::Format(format) => json!({
                "type": ["string", "number"], "pattern": pattern::of(format),
            }),
            Shape::Whole(least, most) => whole(*least, *most),
            Shape::Truth => json!({ "enum": [true, false, "true", "false"] }),
            Shape::Word(list) => word(list),
            Shape::Values => json!({ "$ref": "#/$defs/values" }),
            Shape::Any => json!({}),
            Shape::Own(own) => self.own(own),
            Shape::In(place) => {
                self.wanted.insert(place);
                json!({ "$ref": format!("#/$defs/{}", name_of(place)) })
            }
            Shape::Some(inner) => {
                let item = self.value(inner);
                let list = json!({ "type": "array", "items": item, "minItems": 1 });
                json!({ "anyOf": [item, list] })
            }
            Shape::List(inner) => {
                json!({ "type": "array", "items": self.value(inner), "minItems": 1 })
            }
            Shape::Names(inner) => json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": pattern::NAME },
                "additionalProperties": self.value(inner),
            }),
            Shape::Map(inner) => {
                json!({ "type": "object", "additionalProperties": self.value(inner) })
            }
            Shape::Either(one, other) => json!({ "anyOf": [self.value(one), self.value(other)] }),
        }
    }

    /// What only the reader knows, as far as a schema can say it
    fn own(&mut self, name: &str) -> Value {
        match name {
            "targets" | "selection" => json!({ "$ref": format!("#/$defs/{name}") }),
            // An empty text stands for what the extended mapping says otherwise.
            "maybe" => json!({ "type": ["string", "null"] }),
            "sample" => json!({ "type": "object", "minProperties": 1 }),
            "bound" => whole(0, u64::MAX),
            // A condition has these characters only.
            "condition" => json!({ "type": "string", "pattern": r"^[A-Za-z0-9_.*()\s-]+$" }),
            _ => text(),
        }
    }
}

/// An object with these properties
fn object(properties: Map<String, Value>, needed: &[&str], others: &Value) -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "required": needed,
        "additionalProperties": others,
    })
}

/// A word of a list
fn word(list: &str) -> Value {
    match (list, words::of(list)) {
        ("technique", _) => json!({ "type": "string", "pattern": pattern::technique() }),
        ("tag", _) => json!({ "type": "string", "pattern": pattern::tag() }),
        (_, Some(list)) if list.closed => json!({ "enum": list.words }),
        (_, Some(list)) => json!({ "anyOf": [{ "enum": list.words }, text()] }),
        (_, None) => text(),
    }
}
