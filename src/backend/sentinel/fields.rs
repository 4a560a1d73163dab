//! Which column answers for a field.
//!
//! In: a kind of event, a field and a part. Out: a [`Column`] of the Defender table, or the fact
//! that there is none. Every field of the taxonomy has a row, a test sees to it.

use std::sync::LazyLock;

use crate::taxonomy::{EventKind, Field};

/// The profile's table as written
const TABLE: &str = include_str!("fields.tsv");

/// Part of a field that a column holds
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Whole,
    Name,
    /// The domain of an account
    Domain,
}

/// What a column's values are
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Text; never null, missing is empty
    Text,
    /// Text in a letter case of Defender's own (`web01`, `Tcp`), so a cased test cannot be kept
    Recased,
    /// A nullable number
    Number,
    /// `ActionType` of a file event
    FileAction,
    /// `ActionType` of a network event, as a direction
    Direction,
}

/// A column
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Type,
}

struct Row {
    event: EventKind,
    field: Field,
    holds: Holds,
    column: Option<Column>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [event, field, part, name, kind] = cells[..] else { return None };
    let event = EventKind::lettered(event).next()?;
    let holds = match part {
        "whole" => Holds::Whole,
        "name" => Holds::Name,
        "domain" => Holds::Domain,
        _ => return None,
    };
    let kind = match kind {
        "string" => Some(Type::Text),
        "recased" => Some(Type::Recased),
        "int" | "long" => Some(Type::Number),
        "action" => Some(Type::FileAction),
        "direction" => Some(Type::Direction),
        _ => None,
    };
    let column = kind.map(|kind| Column { name, kind });
    Some(Row { event, field: Field::named(field)?, holds, column })
}

/// The column that holds this part of a field
pub(super) fn column(event: EventKind, field: Field, holds: Holds) -> Option<Column> {
    let fits = |row: &&Row| row.event == event && row.field == field && row.holds == holds;
    ROWS.iter().find(fits)?.column
}

/// The columns that together hold all of a field
pub(super) fn columns(event: EventKind, field: Field) -> Vec<Column> {
    let whole = column(event, field, Holds::Whole);
    let parts = [Holds::Domain, Holds::Name].map(|holds| column(event, field, holds));
    match whole {
        Some(whole) => vec![whole],
        None => parts.into_iter().flatten().collect(),
    }
}

/// The table that holds a kind of event
pub(super) fn table(event: EventKind) -> &'static str {
    match event {
        EventKind::ProcessCreation => "DeviceProcessEvents",
        EventKind::FileEvent => "DeviceFileEvents",
        EventKind::NetworkConnection => "DeviceNetworkEvents",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_event_is_mapped_or_named_as_absent() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(ROWS.len(), lines, "a line of the table cannot be read");
        for kind in EventKind::ALL {
            for field in Field::of(*kind) {
                assert!(
                    ROWS.iter().any(|r| r.event == *kind && r.field == field),
                    "{kind} {field}"
                );
            }
        }
    }
}
