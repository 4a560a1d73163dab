//! The tables and parsers that a query may use.
//!
//! In: a name and a platform, and the user's own [`Schema`]. Out: the columns of the table or parser,
//! and whether any platform has the name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Column, Platform, Type};

/// Tables that the user has beside the known ones, or more columns of known ones
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// The columns of each table, in their order
    pub tables: BTreeMap<String, Vec<Column>>,
}

impl Schema {
    /// The columns of a table or parser, in their order; none when the platform has no such table
    pub(crate) fn columns(&self, name: &str, platform: Platform) -> Vec<Column> {
        let mut all: Vec<Column> = columns(name, platform)
            .map(|row| Column { name: row.column.to_owned(), kind: row.kind })
            .collect();
        for own in self.tables.get(name).into_iter().flatten() {
            match all.iter_mut().find(|column| column.name == own.name) {
                Some(column) => column.kind = own.kind,
                None => all.push(own.clone()),
            }
        }
        all
    }

    /// Whether any platform has a table or parser with this name
    pub(super) fn has(&self, name: &str) -> bool {
        is_known(name) || self.tables.contains_key(name)
    }
}

/// The table of facts as written
const TABLE: &str = include_str!("columns.tsv");

/// A column of a table, on one platform or both
#[derive(Debug)]
pub(super) struct Row {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) kind: Type,
    sentinel: bool,
    xdr: bool,
}

impl Row {
    fn is_on(&self, platform: Platform) -> bool {
        match platform {
            Platform::Sentinel => self.sentinel,
            Platform::AdvancedHunting => self.xdr,
        }
    }
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [table, column, kind, platform] = cells[..] else { return None };
    let (sentinel, xdr) = match platform {
        "both" => (true, true),
        "sentinel" => (true, false),
        "xdr" => (false, true),
        _ => return None,
    };
    Some(Row { table, column, kind: Type::named(kind)?, sentinel, xdr })
}

/// The columns of a table or parser, in their order; none when the platform has no such table
pub(super) fn columns(name: &str, platform: Platform) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.table == name && row.is_on(platform))
}

/// Whether any platform has a table or parser with this name
pub(super) fn is_known(name: &str) -> bool {
    ROWS.iter().any(|row| row.table == name)
}

/// The parser, the name and the column of each parameter
static PARAMETERS: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| {
    let lines = include_str!("parameters.tsv").lines();
    let cells = |line: &'static str| line.split('\t').collect::<Vec<_>>().try_into().ok();
    lines.filter(|line| !line.starts_with('#')).filter_map(cells).collect()
});

/// The column whose terms a parameter of a parser looks for
pub(crate) fn parameter(parser: &str, name: &str) -> Option<&'static str> {
    let mut all = PARAMETERS.iter();
    all.find(|row| row[..2] == [parser, name]).map(|row| row[2])
}

/// Whether the name is that of a parser, which may be called
pub(super) fn is_parser(name: &str) -> bool {
    name.starts_with("_Im_") && is_known(name)
}

/// Whether the name is that of a table of Microsoft, which no parser stands for
pub(crate) fn is_stored(name: &str) -> bool {
    is_known(name) && !is_parser(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_no_column_stands_twice() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(ROWS.len(), lines);
        for platform in [Platform::Sentinel, Platform::AdvancedHunting] {
            let on: Vec<&Row> = ROWS.iter().filter(|row| row.is_on(platform)).collect();
            let mut names: Vec<_> = on.iter().map(|row| (row.table, row.column)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), on.len(), "{platform}");
        }
    }

    #[test]
    fn a_table_stands_in_one_piece() {
        let mut tables: Vec<&str> = ROWS.iter().map(|row| row.table).collect();
        tables.dedup();
        assert!(tables.is_sorted(), "{tables:?}");
    }

    #[test]
    fn platforms_have_tables_of_their_own() {
        let count = |name, platform| columns(name, platform).count();
        assert!(count("SecurityAlert", Platform::Sentinel) > 30);
        assert_eq!(count("SecurityAlert", Platform::AdvancedHunting), 0);
        let time = |platform| {
            let first = columns("DeviceProcessEvents", platform).next();
            first.map(|row| row.column)
        };
        assert_eq!(time(Platform::Sentinel), Some("TimeGenerated"));
        assert_eq!(time(Platform::AdvancedHunting), Some("Timestamp"));
        assert!(is_parser("_Im_WebSession") && !is_parser("W3CIISLog"));
        let stored = ["W3CIISLog", "_Im_WebSession", "MyLog_CL"].map(is_stored);
        assert_eq!(stored, [true, false, false]);
    }
}
