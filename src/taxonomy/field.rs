//! Fields: their names, types and the events that carry them.
//!
//! In: `fields.tsv`, and names that only rules and logs know. Out: [`Field`], a small copyable
//! name. Every target's own table covers the fields of `fields.tsv`; a target refuses any other
//! field.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use super::{EventKind, name};

/// The table as written
const TABLE: &str = include_str!("fields.tsv");

/// The type of a field's values
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldType {
    /// Text without a structure
    Text,
    /// A path of a file; has a base name, an extension and directories
    Path,
    /// A command line; has arguments
    Command,
    /// An account, with its domain before a backslash where it has one
    Account,
    /// A whole number
    Number,
    /// An IPv4 or IPv6 address
    Address,
    /// An action on a file or a registry key
    Action,
    /// A registry key, its hive spelled out
    Key,
    /// Unknown: the value in a rule decides how it is compared
    Any,
}

impl FieldType {
    /// The type with this name in the tables
    pub(super) fn named(name: &str) -> Option<FieldType> {
        Some(match name {
            "text" => FieldType::Text,
            "path" => FieldType::Path,
            "command" => FieldType::Command,
            "account" => FieldType::Account,
            "number" => FieldType::Number,
            "address" => FieldType::Address,
            "action" => FieldType::Action,
            "key" => FieldType::Key,
            _ => return None,
        })
    }
}

struct Row {
    name: &'static str,
    kind: FieldType,
    events: Vec<EventKind>,
    says: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

static PLACES: LazyLock<HashMap<&'static str, u16>> =
    LazyLock::new(|| ROWS.iter().zip(0..).map(|(row, at)| (row.name, at)).collect());

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let (name, kind, events, says) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let kind = FieldType::named(kind)?;
    Some(Row { name, kind, events: EventKind::lettered(events).collect(), says })
}

/// A field; ordered by name
#[derive(Clone, Copy)]
pub struct Field {
    name: &'static str,
    /// Index of its row in the table; `None` for a field outside the table
    row: Option<u16>,
}

impl Field {
    /// Every value of the event, which keywords are searched in
    ///
    /// No field of an event can have this name in a rule.
    pub const EVERY: Field = Field { name: "*", row: None };

    /// The field of the table with exactly this name
    pub fn named(name: &str) -> Option<Field> {
        PLACES.get(name).map(|at| Field { name: ROWS[*at as usize].name, row: Some(*at) })
    }

    /// The field with this name, inside the table or not
    pub fn of_log(name: &str) -> Field {
        Field::named(name).unwrap_or_else(|| Field { name: name::kept(name), row: None })
    }

    /// Every field of the table, by name
    pub fn all() -> impl Iterator<Item = Field> {
        ROWS.iter().zip(0..).map(|(row, at)| Field { name: row.name, row: Some(at) })
    }

    /// The fields of the table that an event of this kind has
    pub fn of(kind: EventKind) -> impl Iterator<Item = Field> {
        Self::all().filter(move |field| field.belongs_to(kind))
    }

    /// Its name
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Type of its values; [`FieldType::Any`] for a field outside the table
    pub fn kind(self) -> FieldType {
        self.row().map_or(FieldType::Any, |row| row.kind)
    }

    /// Short description; empty for a field outside the table
    pub fn says(self) -> &'static str {
        self.row().map_or("", |row| row.says)
    }

    /// Whether events of this kind carry it
    pub fn belongs_to(self, kind: EventKind) -> bool {
        self.row().is_some_and(|row| row.events.contains(&kind))
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.get(self.row? as usize)
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Field {}

impl PartialOrd for Field {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Field {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Field {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_field_and_names_are_sorted() {
        let lines: Vec<_> = TABLE.lines().filter(|l| !l.starts_with('#')).collect();
        let names: Vec<_> = Field::all().map(Field::name).collect();
        assert_eq!(lines.len(), names.len());
        assert!(names.is_sorted());
        assert!(Field::all().all(|f| f.row().is_some_and(|row| !row.events.is_empty())));
        assert!(Field::all().all(|f| !f.says().is_empty()));
    }
}
