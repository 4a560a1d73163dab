//! Events that a log can hold, and values that each document has.
//!
//! In: the engine's record of an event. Out: whether a sensor could have written it. An event that no
//! sensor writes tells nothing about a rule: its document would lack what the engine saw.

use super::ecs::{Row, rows_of};
use super::pipeline::{NOTHING, id_of, whole_number, without_mapping};
use super::sources::source;
use crate::matcher::Record;
use crate::taxonomy::{ACTIONS, EventKind, FOLDERLESS, Field, FieldType, Product};

/// Whether a document can hold every value of an event of this kind
///
/// False for null and the empty text in a field of another type than text, for a number field or an address field with other text, for an address that is
/// not written as sensors write it, for an action, a direction or a name of the log that no sensor
/// writes, and for a registry event without a key, with two actions or, when a value is set, without
/// the value's name.
pub(super) fn holds(record: &Record, kind: &EventKind) -> bool {
    let word = |value: &str, known: &[&str]| known.iter().any(|w| w.eq_ignore_ascii_case(value));
    let fits = |how: &str, value: &str| match how {
        "number" => value.trim().parse::<i64>().is_ok(),
        "hexadecimal" => whole_number(value).is_some(),
        "address" => value == "-" || value.parse::<std::net::IpAddr>().is_ok(),
        "client" => value == "-" || without_mapping(value).parse::<std::net::IpAddr>().is_ok(),
        "direction" | "truth" => word(value, &["true", "false"]),
        "label" => value
            .strip_suffix(".googleapis.com")
            .is_some_and(|name| name.chars().all(|c| c.is_ascii_lowercase())),
        _ => true,
    };
    let first = |name: &str| record.fields.get(&Field::named(name)?)?.first();
    let set = first("Action").is_some_and(|action| word(action, &["modified"]));
    // One path holds key and value name, so a name with a separator would read as another key.
    let named = |name: &String| !name.contains('\\');
    let value = first("RegistryValue");
    let whole =
        first("RegistryKey").is_some() && value.is_none_or(named) && (!set || value.is_some());
    let acts = first("Action").zip(first("EventType")).is_none_or(|(action, word)| {
        action_of(word).is_none_or(|said| said.eq_ignore_ascii_case(action))
    });
    if *kind == EventKind::RegistryEvent && !(whole && acts) {
        return false;
    }
    let Some(source) = source(kind) else { return true };
    let id = id_of(record);
    record.fields.iter().all(|(field, values)| {
        let row = rows_of(kind, field, id).into_iter().next();
        let how = row.map_or("text", |row| row.how);
        let action = field.name() == "Action";
        let known = row.and_then(|row| source.document.get(row.ecs));
        let address = kind.field_type(field) == Some(FieldType::Address);
        let fits = |value: &String| {
            fits(how, value)
                && (!action || word(value, ACTIONS))
                && (!address || is_plain_address(value))
                && known.is_none_or(|words| !differs_in_case(words, value))
        };
        // In a field of text, null and the empty text are as a missing field, which a loss has to say.
        let text = kind.field_type(field).is_none_or(FieldType::may_be_empty);
        let said = !values.is_empty() && !values.iter().any(String::is_empty);
        (text || said) && values.iter().all(fits)
    })
}

/// Whether a field, if it is a path or an account, has the values that sensors of a product write
///
/// A path has a folder, and only separators of the product; an account of Windows has a domain. The
/// programs that Windows has in no file have no folder either.
pub(super) fn is_whole(
    (record, field): (&Record, &Field),
    kind: &EventKind,
    product: Product,
) -> bool {
    let (own, other) = if product == Product::Windows { ('\\', '/') } else { ('/', '\\') };
    let is_path = |value: &String| value.contains(own) && !value.contains(other);
    let row = rows_of(kind, field, id_of(record)).into_iter().next();
    let how = row.map_or("text", |row| row.how);
    let values = record.fields.get(field).into_iter().flatten();
    values.filter(|value| !NOTHING.contains(&value.as_str())).all(|value| match how {
        "image" => is_path(value) || FOLDERLESS.contains(&value.as_str()),
        "file" => is_path(value) && !value.ends_with(own),
        "account" => product != Product::Windows || value.contains('\\'),
        _ => true,
    })
}

/// Whether every document of the log source has the index field of a field, whatever the event says
pub(super) fn is_always_there(kind: &EventKind, field: &Field) -> bool {
    let always = |row: &&Row| source(kind).is_some_and(|one| one.document.contains_key(row.ecs));
    field.name() == "EventType" || rows_of(kind, field, None).iter().any(always)
}

/// The action that Sysmon's word for a registry event tells
fn action_of(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "createkey" => "created",
        "setvalue" => "modified",
        "renamekey" | "renamevalue" => "renamed",
        "deletekey" | "deletevalue" => "deleted",
        _ => return None,
    })
}

/// Whether a text that may be an address is one as sensors write it
fn is_plain_address(text: &str) -> bool {
    let address = text.parse::<std::net::IpAddr>();
    address.is_err() || address.is_ok_and(|address| address.to_string() == text)
}

/// Whether a value is one of the words but for the case of its letters
fn differs_in_case(words: &[String], value: &str) -> bool {
    words.iter().any(|word| word != value && word.eq_ignore_ascii_case(value))
}
