//! The data of a Windows event, in the forms in which programs write its XML as JSON.
//!
//! In: an object such as `EventData`. Out: its fields. A `<Data Name="Image">` becomes a key, or an item
//! of a list of objects with the name beside the text; a `<Data>` without a name becomes a list.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::json::{Entry, Flat, Object, text};

/// Where the name of a `Data` element stands, and its text
const NAMES: &[&str] = &["@Name", "Name", "#attributes.Name", "_Name"];
const TEXTS: &[&str] = &["#text", "Content", "Value", "value"];

/// Adds the fields of an object of data
pub(super) fn add_data<'a>(flat: &mut Flat<'a>, object: &Object<'a>) {
    for entry in &object.entries {
        let key = &entry.key;
        let is_markup = key.starts_with(['#', '@']) || key.ends_with("_attributes");
        if is_markup || key == "xml_name" {
            continue;
        }
        if key == "Data" && add_named(flat, entry.value) {
            continue;
        }
        flat.add(key.clone(), Cow::Borrowed(own_text(entry)));
    }
}

/// Adds `Data` elements with names; false when they have none
fn add_named<'a>(flat: &mut Flat<'a>, data: &'a str) -> bool {
    let items: Vec<&'a RawValue> = match data.as_bytes().first() {
        Some(b'[') => serde_json::from_str(data).unwrap_or_default(),
        Some(b'{') => serde_json::from_str(data).into_iter().collect(),
        _ => return false,
    };
    let named = items.into_iter().map(|item| {
        let item = Object::read(item.get())?;
        let name = text(NAMES.iter().find_map(|path| item.at(path))?)?;
        let value = TEXTS.iter().find_map(|path| item.at(path));
        Some((name, value.unwrap_or("\"\"")))
    });
    let Some(named) = named.collect::<Option<Vec<_>>>() else { return false };
    let found = !named.is_empty();
    for (name, value) in named {
        flat.add(Cow::Owned(name), Cow::Borrowed(value));
    }
    found
}

/// The text of an element that has attributes beside it; else the value itself
fn own_text<'a>(entry: &Entry<'a>) -> &'a str {
    let Some(object) = entry.object() else { return entry.value };
    match object.at("#text") {
        Some(text) => text,
        None if object.entries.iter().all(|inner| inner.key == "#attributes") => "null",
        None => entry.value,
    }
}

/// Adds the fields of a payload of EvtxECmd: an object with `EventData` or `UserData`
pub(super) fn add_payload(flat: &mut Flat<'_>, payload: &str) {
    let Some(payload) = Object::read(payload) else { return };
    let mut inside = Flat::default();
    for entry in &payload.entries {
        let Some(object) = entry.object() else { continue };
        if entry.key == "UserData" {
            for part in &object.entries {
                part.object().into_iter().for_each(|part| add_data(&mut inside, part));
            }
        } else {
            add_data(&mut inside, object);
        }
    }
    for (name, value) in inside.fields {
        flat.add(Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned()));
    }
}
