//! The column of each field.
//!
//! In: a profile, a kind of event, a field and a part. Out: a [`Column`] of the profile's table, or
//! `None` when it has no such column. A test checks that every field of the taxonomy has a row.

use std::sync::LazyLock;

use super::profile::Profile;
use crate::query::kusto::{self, Expression};
use crate::taxonomy::{EventKind, Field};

/// Part of a field that a column holds
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Whole,
    Name,
    /// The domain of an account
    Domain,
}

/// The type of a column's values
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Text; never null: a missing value is empty
    Text,
    /// Text whose letter case Defender sets (`web01`, `Tcp`), so case-sensitive tests are refused
    Recased,
    /// Text with `-` for no value, as W3C logs write it
    Dashed,
    /// A dynamic list of texts
    List,
    /// A nullable number
    Number,
    /// `ActionType` of a file or registry event
    Action,
    /// `ActionType` of a network event, as a direction
    Direction,
}

/// A column
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name, or an expression over it, as the table writes it
    pub(super) name: &'static str,
    /// The same, parsed
    pub(super) value: &'static Expression,
    pub(super) kind: Type,
    pub(super) holds: Holds,
}

struct Row {
    profile: Profile,
    event: EventKind,
    field: Field,
    holds: Holds,
    /// The column as written, the same parsed, and its type
    column: Option<(&'static str, Expression, Type)>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = |profile: &Profile| {
        let profile = *profile;
        profile.fields().lines().filter_map(move |line| row(profile, line))
    };
    Profile::ALL.iter().flat_map(rows).collect()
});

fn row(profile: Profile, line: &'static str) -> Option<Row> {
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
        "dashed" => Some(Type::Dashed),
        "list" => Some(Type::List),
        "action" => Some(Type::Action),
        "direction" => Some(Type::Direction),
        _ => None,
    };
    let column = match kind {
        Some(kind) => Some((name, kusto::expression(name).ok()?, kind)),
        None => None,
    };
    Some(Row { profile, event, field: Field::named(field)?, holds, column })
}

/// The column that holds this part of a field
pub(super) fn column(
    profile: Profile,
    event: &EventKind,
    field: &Field,
    holds: Holds,
) -> Option<Column> {
    let fits = |row: &&Row| {
        (row.profile, &row.event, &row.field, row.holds) == (profile, event, field, holds)
    };
    let (name, value, kind) = ROWS.iter().find(fits)?.column.as_ref()?;
    Some(Column { name, value, kind: *kind, holds })
}

/// The columns that together hold all of a field
pub(super) fn columns(profile: Profile, event: &EventKind, field: &Field) -> Vec<Column> {
    let whole = column(profile, event, field, Holds::Whole);
    let parts = [Holds::Domain, Holds::Name].map(|holds| column(profile, event, field, holds));
    match whole {
        Some(whole) => vec![whole],
        None => parts.into_iter().flatten().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_event_is_mapped_or_named_as_absent() {
        let written = |profile: &Profile| {
            profile.fields().lines().filter(|line| !line.starts_with('#')).count()
        };
        let lines: usize = Profile::ALL.iter().map(written).sum();
        assert_eq!(ROWS.len(), lines, "a line of a table cannot be read");
        for profile in Profile::ALL {
            let kinds = EventKind::ALL.iter().filter(|kind| profile.table(kind).is_some());
            for kind in kinds {
                let mine = ROWS.iter().filter(|r| r.profile == *profile && r.event == *kind);
                let mine: Vec<&Field> = mine.map(|row| &row.field).collect();
                let missing: Vec<_> = Field::of(kind).filter(|f| !mine.contains(&f)).collect();
                assert!(missing.is_empty(), "{profile:?} {kind}: {missing:?}");
            }
        }
    }
}
