//! The keys of tests: words of the vocabulary and fields, by the kind of event.
//!
//! In: the vocabulary and the fields of each log source. Out: for each kind of event a definition with
//! a text for every name, and conditions that choose the definition by `event:` or `logsource:`. A
//! definition knows every name of the kinds with a vocabulary; other logs may have more fields.

use serde_json::{Map, Value, json};

use super::{Kind, describe, pattern};
use crate::definition::keys::KEYS;
use crate::definition::vocabulary::WORDS;
use crate::taxonomy::{EventKind, Log};

/// Values of a test: one, a list, or `{not: …}`
pub(super) fn values() -> Value {
    let one = json!({ "type": ["string", "number", "boolean", "null"] });
    let some = json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] });
    json!({
        "anyOf": [
            some,
            {
                "type": "object",
                "properties": { "not": some },
                "required": ["not"],
                "additionalProperties": false,
            },
        ],
    })
}

/// Tests of any fields
pub(super) fn tests() -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": pattern::key() },
        "additionalProperties": { "$ref": "#/$defs/values" },
    })
}

/// A selection: tests, alternatives or keywords
pub(super) fn selection(tests: &Value) -> Value {
    let keyword = json!({ "type": ["string", "number", "boolean", "null"] });
    json!({
        "anyOf": [
            tests,
            { "type": ["string", "number", "boolean"] },
            { "type": "array", "minItems": 1, "items": { "anyOf": [tests, keyword] } },
        ],
    })
}

/// Adds to a kind of map what its other keys are
pub(super) fn of_place(place: &str, map: &mut Value) {
    let own = KEYS.names(place);
    match place {
        "signal" | "exclusion" | "level case" => {
            let names = own.iter().copied().map(|name| format!("{name}$"));
            let names: Vec<String> = names.collect();
            map["propertyNames"] =
                json!({ "pattern": format!("^({})|{}", names.join("|"), pattern::key()) });
        }
        _ => return,
    }
    if place == "signal" {
        let no_tests = own.iter().filter(|key| **key != "detection");
        let no_tests = json!({ "propertyNames": { "enum": no_tests.collect::<Vec<_>>() } });
        map["allOf"] = Value::Array(kinds().map(|kind| of_signal(&kind)).collect());
        map["not"] = no_tests;
    }
}

/// Adds to a document what its log source says about tests
pub(super) fn of_document(kind: Kind, schema: &mut Value, defs: &mut Map<String, Value>) {
    let key = match kind {
        Kind::Definition => {
            defs.extend(kinds().map(|kind| (name_of(&kind), names(&kind, true))));
            return;
        }
        Kind::Sigma => "detection",
        Kind::Filter => "filter",
        Kind::Correlation | Kind::Mapping => return,
        #[cfg(feature = "project")]
        Kind::Project => return,
    };
    let mut all = Vec::new();
    for kind in kinds() {
        let tests = json!({ "$ref": format!("#/$defs/{}", name_of(&kind)) });
        for source in sources(&kind) {
            all.push(json!({
                "if": { "properties": { "logsource": source }, "required": ["logsource"] },
                "then": { "properties": { key: {
                    "additionalProperties": described(&tests),
                } } },
            }));
        }
        defs.insert(name_of(&kind), names(&kind, false));
    }
    schema["allOf"] = Value::Array(all);
}

/// Tests under a selection, in a list or not
fn described(tests: &Value) -> Value {
    json!({
        "if": { "type": "array" },
        "then": { "items": tests },
        "else": tests,
    })
}

/// The kinds of event with known fields
fn kinds() -> impl Iterator<Item = EventKind> {
    let logs = Log::all().filter(Log::has_fields).map(EventKind::Log);
    EventKind::ALL.iter().cloned().chain(logs)
}

/// The name of the definition of a kind's tests, without a character that a pointer must escape
fn name_of(kind: &EventKind) -> String {
    format!("events-{}", kind.name().replace(['/', ' '], "-"))
}

/// The log sources of Sigma that mean a kind of event
fn sources(kind: &EventKind) -> Vec<Value> {
    let source = |words: [Option<&str>; 3]| {
        let named = ["category", "product", "service"].into_iter().zip(words);
        let named = named.filter_map(|(key, word)| Some((key.to_owned(), word?)));
        let named: Vec<(String, &str)> = named.collect();
        let properties: Map<String, Value> =
            named.iter().map(|(key, word)| (key.clone(), json!({ "const": word }))).collect();
        let required: Vec<&String> = named.iter().map(|(key, _)| key).collect();
        json!({ "properties": properties, "required": required })
    };
    if let EventKind::Log(log) = kind {
        return log.spellings().map(source).collect();
    }
    let of = |name: &&str| EventKind::category(name).is_some_and(|(one, _)| one == *kind);
    let names = EventKind::categories().filter(of);
    names.map(|name| source([Some(name), None, None])).collect()
}

/// In a signal with this kind of event: its tests, also those of exclusions and levels
fn of_signal(kind: &EventKind) -> Value {
    let tests = json!({ "$ref": format!("#/$defs/{}", name_of(kind)) });
    let inside = json!({ "items": tests });
    json!({
        "if": { "properties": { "event": { "const": kind.name() } }, "required": ["event"] },
        "then": { "allOf": [
            tests,
            { "properties": { "exclusions": inside, "levels": inside } },
        ] },
    })
}

/// A definition with the texts of a kind's names; `closed` when the kind has no other name
fn names(kind: &EventKind, closed: bool) -> Value {
    let vocabulary = !matches!(kind, EventKind::Log(_));
    let words = WORDS.iter().filter(|word| vocabulary && word.field(kind).is_some());
    let words: Vec<&str> = words.map(|word| word.name).collect();
    let names: Vec<&str> = words.into_iter().chain(kind.field_names()).collect();
    let (mut properties, mut patterns) = (Map::new(), Map::new());
    for name in &names {
        let text = json!({ "description": describe::test(kind, name) });
        properties.insert((*name).to_owned(), text.clone());
        patterns.insert(pattern::modified(name), text);
    }
    let mut schema = json!({ "properties": properties, "patternProperties": patterns });
    if closed && vocabulary {
        let own = ["signal", "exclusion", "level case"].into_iter();
        let own = own.flat_map(|place| KEYS.names(place)).copied();
        schema["propertyNames"] = json!({ "pattern": pattern::key_of(own.chain(names)) });
    }
    schema
}
