//! The document of an event in an index of the user.
//!
//! In: the engine's record of an event, and the stream of the user's mapping. Out: the document that
//! the mapping describes. Unlike the documents of [`super::pipeline`] it is made from the mapping, the
//! only one who knows the index: what it proves is the rule, not the mapping.

use serde_json::{Map, Value, json};

use crate::mapping::{Holds, IndexField, Stream, Test, Words};
use crate::matcher::{Record, arguments, base_name};
use crate::taxonomy::Product;

/// The document of an event
pub(super) fn document(record: &Record, stream: &Stream, product: Product) -> Value {
    let mut document = Map::new();
    for (field, values) in &record.fields {
        for (holds, place) in stream.parts(field) {
            for value in values {
                add(&mut document, place, parts(*holds, value, product));
            }
        }
    }
    for (name, test) in &stream.rows {
        let value = match test {
            Test::Is(values) => values.first().map(String::as_str),
            Test::Product => Some(product.name()),
            // The field is there with its own word.
            Test::With(_) => None,
        };
        if let Some(value) = value {
            document.insert(name.clone(), json!([value]));
        }
    }
    Value::Object(document)
}

/// The parts of a value that a place holds
fn parts(holds: Holds, value: &str, product: Product) -> Vec<String> {
    match holds {
        Holds::Whole | Holds::Term | Holds::Key => vec![value.to_owned()],
        Holds::Name => vec![
            value.rsplit_once('\\').map_or_else(|| base_name(value), |(_, name)| name).to_owned(),
        ],
        Holds::Domain => {
            value.rsplit_once('\\').map(|(domain, _)| domain.to_owned()).into_iter().collect()
        }
        Holds::Extension => {
            base_name(value).rsplit_once('.').map(|(_, end)| end.to_owned()).into_iter().collect()
        }
        Holds::Argument => arguments(value, product),
    }
}

/// Adds values in the words of the place
fn add(document: &mut Map<String, Value>, place: &IndexField, values: Vec<String>) {
    let said: Vec<String> = match &place.words {
        Words::Own => values,
        Words::Of(_) => {
            let asked: Vec<&str> = values.iter().map(String::as_str).collect();
            place.words_for(&asked).into_iter().map(ToOwned::to_owned).collect()
        }
        Words::ExistsFor(word) => values.into_iter().filter(|value| value == word).collect(),
        Words::False(words) => {
            let is_false = values.iter().any(|value| value.eq_ignore_ascii_case("false"));
            let word = if is_false { words.first().cloned() } else { Some("other".to_owned()) };
            word.into_iter().collect()
        }
    };
    if let Value::Array(all) = document.entry(&place.name).or_insert_with(|| json!([])) {
        all.extend(said.into_iter().map(Value::from));
    }
}
