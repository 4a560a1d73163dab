//! The rows of an event.
//!
//! In: an event. Out: its rows: in the table of its family, of the parser of ASIM over that table, and in the tables
//! of Windows logs. `None` as a row set says that a column is filled in a way that is not known here.

use serde_json::{Value as Json, json};

use super::event::{Event, Fields, texts};
use super::family::{self, Family};
use super::{asim, cloud, defender, windows};

/// A row and its table
pub(super) type Row = (&'static str, Fields);

/// The rows of an event in the tables that are asked, without its times
pub(super) fn rows(event: &Event, is_asked: impl Fn(&str) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let family = family::of(event.kind.name());
    let asks = |family: &&Family| is_asked(family.table) || is_asked(family.parser);
    if let Some(family) = family.filter(asks)
        && let Some(row) = of_family(family, event)
    {
        if is_asked(family.parser) && asim::has_row(family, event) {
            rows.push((family.parser, asim::row(family, event, &row)));
        }
        if is_asked(family.table) {
            rows.push((family.table, row));
        }
    }
    if windows::TABLES.into_iter().any(&is_asked) {
        rows.extend(windows::rows(event).into_iter().filter(|(table, _)| is_asked(table)));
    }
    rows
}

/// The row in the table of a family
fn of_family(family: &Family, event: &Event) -> Option<Fields> {
    let mut row = cloud::constant(family.name, event.kind.name());
    if !family.action.is_empty() {
        row.insert("ActionType".to_owned(), json!(family.action));
    }
    let mut filled: Vec<&str> = Vec::new();
    for shown in family.shown.iter().filter(|shown| !shown.field.is_empty()) {
        let text = event.text(shown.field);
        let Some(how) = family.filled(shown.field) else {
            let nothing = (!shown.nothing.is_empty()).then(|| json!(shown.nothing));
            if let Some(value) = text.map(|text| json!(text)).or(nothing) {
                put(&mut row, shown.column, value);
            }
            continue;
        };
        if text.is_some() || is_of_all(how) && !filled.contains(&how) {
            filled.push(how);
            row.extend(defender::columns(how, event, shown.field, &text.unwrap_or_default())?);
        }
    }
    if let Some(raw) = row.get_mut("RawRecord") {
        // The record as it was written has all values.
        let values =
            event.fields.iter().filter(|(name, _)| *name != "time").map(|(_, value)| value);
        *raw = json!(values.flat_map(texts).collect::<Vec<_>>().join(" "));
    }
    Some(row)
}

/// Whether a way of filling columns looks at the event as a whole, and not at one field
fn is_of_all(how: &str) -> bool {
    matches!(how, "connection" | "entities" | "registry" | "targets" | "url" | "uri")
}

/// Puts a value into a column, or into the JSON of one; what stands there already stays
fn put(row: &mut Fields, column: &str, value: Json) {
    let Some((outer, inner)) = column.split_once('.') else {
        row.entry(column).or_insert(value);
        return;
    };
    let holder = row.entry(outer).or_insert_with(|| json!({}));
    if !holder.is_object() {
        *holder = json!({});
    }
    if let Json::Object(fields) = holder {
        put(fields, inner, value);
    }
}
