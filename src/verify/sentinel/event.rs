//! An event in Sigma's field names, of which rows are made.
//!
//! In: the engine's record of an event, and the event itself. Out: its fields, each a text, a list of texts, or null.
//! What the engine derives of Sysmon's fields of the registry is left out: a judge derives it itself.

use serde_json::{Map, Value as Json, json};

use crate::matcher::Record;
use crate::taxonomy::{EventKind, Field, Product};

/// Fields by name
pub(super) type Fields = Map<String, Json>;

/// Fields with these texts
pub(super) fn of(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(column, text)| ((*column).to_owned(), json!(text))).collect()
}

/// An event
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) product: Option<Product>,
    pub(super) fields: Fields,
}

/// What the engine takes out of `TargetObject` and `Details`
const OF_TARGET: [&str; 3] = ["RegistryKey", "RegistryValue", "RegistryData"];

impl Event {
    pub(super) fn of(record: &Record, kind: &EventKind, written: &Json) -> Event {
        let mut fields = Fields::new();
        for (field, values) in &record.fields {
            let value = match &values[..] {
                [] => Json::Null,
                [one] => json!(one),
                all => json!(all),
            };
            fields.insert(field.name().to_owned(), value);
        }
        // A text of all values, and data that no rule is known to ask for, stand in the event alone.
        let more = written.as_object().into_iter().flatten();
        for (name, value) in more.filter(|(name, _)| is_plain(kind, name)) {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if fields.contains_key("TargetObject")
            && OF_TARGET.iter().all(|one| written.get(one).is_none())
        {
            OF_TARGET.iter().for_each(|one| drop(fields.shift_remove(*one)));
        }
        Event { kind: kind.clone(), product: record.product, fields }
    }

    /// The text of a field; `None` where the event lacks it, or where it is null
    pub(super) fn text(&self, field: &str) -> Option<String> {
        text(&self.fields, field)
    }

    /// The text of a field, empty where the event lacks it
    pub(super) fn said(&self, field: &str) -> String {
        self.text(field).unwrap_or_default()
    }
}

/// Whether a name that the event has is one of Sigma's that stands for itself
fn is_plain(kind: &EventKind, name: &str) -> bool {
    name == Field::EVERY.name() || matches!(kind, EventKind::Log(_)) && name != "category"
}

/// The text of a field; the first of several
pub(super) fn text(fields: &Fields, field: &str) -> Option<String> {
    texts(fields.get(field)?).into_iter().next()
}

/// The texts of a value
pub(super) fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Null => Vec::new(),
        Json::String(text) => vec![text.clone()],
        Json::Array(all) => all.iter().flat_map(texts).collect(),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => vec![value.to_string()],
    }
}
