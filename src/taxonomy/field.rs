//! Fields: their names, types and the events that carry them.
//!
//! In: `fields.tsv`. Out: [`Field`], a small copyable name that every target's field table
//! answers for. A name that is not in the table is an error in the rule, never a guess.

use std::fmt;
use std::sync::LazyLock;

use super::EventKind;

/// The table as written
const TABLE: &str = include_str!("fields.tsv");

/// What a field's values are
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
    /// What happened to a file or a registry key
    Action,
    /// A registry key, its hive spelled out
    Key,
}

struct Row {
    name: &'static str,
    kind: FieldType,
    events: Vec<EventKind>,
    says: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let (name, kind, events, says) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let kind = match kind {
        "text" => FieldType::Text,
        "path" => FieldType::Path,
        "command" => FieldType::Command,
        "account" => FieldType::Account,
        "number" => FieldType::Number,
        "address" => FieldType::Address,
        "action" => FieldType::Action,
        "key" => FieldType::Key,
        _ => return None,
    };
    Some(Row { name, kind, events: EventKind::lettered(events).collect(), says })
}

/// A field of the taxonomy; ordered by name
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field(u16);

impl Field {
    /// The field with exactly this name
    pub fn named(name: &str) -> Option<Field> {
        ROWS.iter().position(|row| row.name == name).map(|at| Field(at as u16))
    }

    /// Every field, by name
    pub fn all() -> impl Iterator<Item = Field> {
        (0..ROWS.len() as u16).map(Field)
    }

    /// The fields an event of this kind has
    pub fn of(kind: EventKind) -> impl Iterator<Item = Field> {
        Self::all().filter(move |field| field.belongs_to(kind))
    }

    /// Its name
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What its values are
    pub fn kind(self) -> FieldType {
        self.row().kind
    }

    /// What it says, in a few words
    pub fn says(self) -> &'static str {
        self.row().says
    }

    /// Whether events of this kind carry it
    pub fn belongs_to(self, kind: EventKind) -> bool {
        self.row().events.contains(&kind)
    }

    fn row(self) -> &'static Row {
        &ROWS[self.0 as usize]
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
        assert!(Field::all().all(|f| !f.row().events.is_empty() && !f.says().is_empty()));
    }
}
