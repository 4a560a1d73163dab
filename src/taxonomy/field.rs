//! Fields: their names, types and the events that carry them.
//!
//! In: `fields.tsv`, and names that only rules and logs know. Out: [`Field`], a name that is cheap
//! to clone. A name outside the table lives as long as the rules that hold it. Every target's own
//! table covers the fields of `fields.tsv`; a target refuses any other field.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use serde::{Serialize, Serializer};

use super::EventKind;

/// The table as written
const TABLE: &str = include_str!("fields.tsv");

/// The type of a field's values
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldType {
    /// Text without a structure
    Text,
    /// The name of a host, with its domain or without; or an address
    Host,
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
    /// Whether a value of the type can be an empty text
    pub(crate) fn may_be_empty(self) -> bool {
        match self {
            FieldType::Text
            | FieldType::Host
            | FieldType::Path
            | FieldType::Command
            | FieldType::Account
            | FieldType::Any => true,
            FieldType::Number | FieldType::Address | FieldType::Action | FieldType::Key => false,
        }
    }

    /// The type with this name in the tables
    pub(super) fn named(name: &str) -> Option<FieldType> {
        Some(match name {
            "text" => FieldType::Text,
            "host" => FieldType::Host,
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
    let events = events.split(' ').map(EventKind::named).collect::<Option<_>>()?;
    Some(Row { name, kind, events, says })
}

/// A field; ordered by name
#[derive(Clone, PartialEq, Eq)]
pub struct Field(Name);

/// A name is held in one way only, so equal fields are equal here
#[derive(Clone, PartialEq, Eq)]
enum Name {
    /// Index of a row of the table
    Row(u16),
    /// The name of [`Field::EVERY`]
    Every,
    /// A name outside the table
    Other(Arc<str>),
}

impl Field {
    /// Every value of the event, which keywords are searched in
    ///
    /// No field of an event can have this name in a rule.
    pub const EVERY: Field = Field(Name::Every);

    const EVERY_NAME: &str = "*";

    /// The field of the table with exactly this name
    pub fn named(name: &str) -> Option<Field> {
        PLACES.get(name).map(|at| Field(Name::Row(*at)))
    }

    /// The field with this name, inside the table or not
    pub fn of_log(name: &str) -> Field {
        match Field::named(name) {
            Some(field) => field,
            None if name == Self::EVERY_NAME => Field::EVERY,
            None => Field(Name::Other(name.into())),
        }
    }

    /// Every field of the table, by name
    pub fn all() -> impl Iterator<Item = Field> {
        (0..).zip(ROWS.iter()).map(|(at, _)| Field(Name::Row(at)))
    }

    /// The fields of the table that an event of this kind has
    pub fn of(kind: &EventKind) -> impl Iterator<Item = Field> {
        Self::all().filter(move |field| field.belongs_to(kind))
    }

    /// The names of the fields of the table that an event of this kind has
    pub fn names_of(kind: &EventKind) -> impl Iterator<Item = &'static str> {
        ROWS.iter().filter(move |row| row.events.contains(kind)).map(|row| row.name)
    }

    /// Its name
    pub fn name(&self) -> &str {
        match &self.0 {
            Name::Row(at) => ROWS[usize::from(*at)].name,
            Name::Every => Self::EVERY_NAME,
            Name::Other(name) => name,
        }
    }

    /// Type of its values; [`FieldType::Any`] for a field outside the table
    pub fn kind(&self) -> FieldType {
        self.row().map_or(FieldType::Any, |row| row.kind)
    }

    /// Short description; empty for a field outside the table
    pub fn says(&self) -> &'static str {
        self.row().map_or("", |row| row.says)
    }

    /// Whether events of this kind carry it
    pub fn belongs_to(&self, kind: &EventKind) -> bool {
        self.row().is_some_and(|row| row.events.contains(kind))
    }

    /// A name outside the table, not kept alive
    #[cfg(test)]
    pub(crate) fn outside(&self) -> Option<std::sync::Weak<str>> {
        if let Name::Other(name) = &self.0 { Some(Arc::downgrade(name)) } else { None }
    }

    fn row(&self) -> Option<&'static Row> {
        match &self.0 {
            Name::Row(at) => ROWS.get(usize::from(*at)),
            Name::Every | Name::Other(_) => None,
        }
    }
}

impl PartialOrd for Field {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Field {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // The table is sorted by name.
            (Name::Row(one), Name::Row(other)) => one.cmp(other),
            _ => self.name().cmp(other.name()),
        }
    }
}

impl Hash for Field {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// A field is looked up by its name: both are ordered and hashed alike
impl Borrow<str> for Field {
    fn borrow(&self) -> &str {
        self.name()
    }
}

/// A field is written as its name
impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
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
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(lines.len(), names.len());
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(Field::all().all(|f| f.row().is_some_and(|row| !row.events.is_empty())));
        assert!(Field::all().all(|f| !f.says().is_empty()));
    }
    #[test]
    fn fields_are_one_when_their_names_are() {
        let names = ["AAA", "Image", "*", "NoSuchField", "zzz", "Image", "*", "NoSuchField"];
        for (one, other) in names.iter().flat_map(|one| names.iter().map(move |o| (one, o))) {
            let (a, b) = (Field::of_log(one), Field::of_log(other));
            assert_eq!((a == b, a.cmp(&b)), (one == other, one.cmp(other)), "{a} {b}");
        }
        assert_eq!(Field::of_log("*"), Field::EVERY);
        let held = HashMap::from(names.map(|name| (Field::of_log(name), name)));
        assert!(names.iter().all(|name| held.get(*name) == Some(name)));
    }
}
