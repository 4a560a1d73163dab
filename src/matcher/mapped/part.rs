//! Values of a field, out of the parts of it that a target keeps.
//!
//! In: the values of columns or index fields, each with the part that it holds. Out: the values of the field.

use crate::mapping::{Column, Holds, Kind};
use crate::taxonomy::{FOLDERLESS, Field, FieldType};

/// A part with its values
pub(super) type Part = (Holds, Vec<String>);

/// A part of a field, and the column with this name that has it
pub(super) struct Place {
    pub(super) field: Field,
    pub(super) column: Column,
    pub(super) name: String,
}

/// The fields with values, in the order of their places; the parts of a field stand together
///
/// `text` gives the text of a column.
pub(super) fn fields(places: &[Place], text: impl Fn(&str) -> String) -> Vec<(Field, Vec<String>)> {
    let mut parts: Vec<(&Field, Vec<Part>)> = Vec::new();
    for place in places {
        let values = said(&place.column, &text(&place.name));
        match parts.last_mut().filter(|(field, _)| **field == place.field) {
            Some((_, all)) => all.push((place.column.holds, values)),
            None => parts.push((&place.field, vec![(place.column.holds, values)])),
        }
    }
    let mut values = parts.iter().flat_map(|(_, all)| all).flat_map(|(_, values)| values);
    let separator = if values.any(|value| value.starts_with('/')) { '/' } else { '\\' };
    let fields = parts.iter().map(|(field, all)| ((*field).clone(), whole(field, all, separator)));
    fields.filter(|(_, values)| !values.is_empty()).collect()
}

/// The values of a field; none when its parts say too little
///
/// `separator` stands between the folders of a path.
pub(super) fn whole(field: &Field, parts: &[Part], separator: char) -> Vec<String> {
    let values = |holds: Holds| {
        let parts = parts.iter().filter(move |(held, _)| *held == holds);
        parts.flat_map(|(_, values)| values).filter(|value| !value.is_empty())
    };
    let all: Vec<String> = values(Holds::Whole).cloned().collect();
    if !all.is_empty() {
        return all;
    }
    let domain = values(Holds::Domain).next();
    let is_path = field.kind() == FieldType::Path;
    let names = values(Holds::Name).map(|name| match domain {
        Some(domain) => format!("{domain}\\{name}"),
        None if is_path && is_bare(name) => format!("{separator}{name}"),
        None => name.clone(),
    });
    names.collect()
}

/// Whether a part says what the field is
pub(super) fn is_read(holds: Holds) -> bool {
    match holds {
        Holds::Whole | Holds::Name | Holds::Domain => true,
        Holds::Extension | Holds::Argument | Holds::Key | Holds::Term => false,
    }
}

/// The values of the field that a column says so
fn said(column: &Column, text: &str) -> Vec<String> {
    let nothing = text.is_empty() || column.kind == Kind::Dashed && text == "-";
    if nothing {
        return Vec::new();
    }
    if column.kind == Kind::List {
        return serde_json::from_str(text).unwrap_or_default();
    }
    if column.kind == Kind::Words {
        let known = column.words.iter().find(|(_, words)| words.iter().any(|word| word == text));
        return known.map(|(value, _)| value.clone()).into_iter().collect();
    }
    let text =
        column.blank.as_ref().map_or_else(|| text.to_owned(), |blank| text.replace(blank, " "));
    // A rule may ask for the value in the words of the table, too.
    let known =
        column.values.iter().find(|(_, word)| *word == text).map(|(value, _)| value.clone());
    known.into_iter().chain([text]).collect()
}

/// Whether a name is that of a file whose folder is not told
fn is_bare(name: &str) -> bool {
    !name.contains(['\\', '/']) && !FOLDERLESS.contains(&name)
}
