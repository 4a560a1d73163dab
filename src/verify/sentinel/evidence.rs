//! What the columns of a result show.
//!
//! In: a row that a query returns, and the row of the table that it is of. Out: the first column that shows
//! something else than its name says: another column of the table, or an identifier of an entity that is not made of the
//! column beside it.
//!
//! Source: Microsoft's references of the tables and of the identifiers of entities; `evidence.tsv`.

use std::sync::{Arc, LazyLock};

use super::event::Fields;
use super::family::lines;
use crate::query::kusto::execute::{Data, text_of};
use crate::query::kusto::{Column, Type};

static SHOWN: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| {
    lines(include_str!("evidence.tsv")).filter_map(|cells| cells.try_into().ok()).collect()
});

/// How an identifier is made of a column
type Made = fn(&str) -> String;

/// Identifiers of entities: the column that each is made of, and how
const IDENTIFIED: &[(&str, &str, Made)] = &[
    ("HostName", "DeviceName", |name| before(name, '.').to_owned()),
    ("DnsDomain", "DeviceName", |name| after(name, '.').to_owned()),
    ("Directory", "FolderPath", |path| {
        path.rfind(['\\', '/']).map_or("", |at| &path[..at]).to_owned()
    }),
    ("FileHashAlgorithm", "SHA256", |_| "SHA256".to_owned()),
    ("RegistryHive", "RegistryKey", |key| before(key, '\\').to_owned()),
    ("RegistryKeyPath", "RegistryKey", |key| after(key, '\\').to_owned()),
];

fn before(text: &str, mark: char) -> &str {
    text.split(mark).next().unwrap_or_default()
}

fn after(text: &str, mark: char) -> &str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

/// The columns of a result, with the texts of all rows
pub(super) struct Evidence<'d> {
    shown: Vec<Shown<'d>>,
    identified: Vec<Identified>,
}

/// A column that identifies an entity, beside the column that it is made of
struct Identified {
    name: &'static str,
    made: Made,
    shown: Vec<Arc<str>>,
    whole: Vec<Arc<str>>,
}

/// A column of a result, and the column of the table that it should show
struct Shown<'d> {
    name: String,
    column: &'d str,
    /// Whether `evidence.tsv` has it
    is_written: bool,
    kind: Type,
    texts: Vec<Arc<str>>,
}

/// A column that shows something else: its name, what it should show, and what it shows
pub(super) type Wrong = (String, String, String);

impl<'d> Evidence<'d> {
    /// The columns of a result about rows of a table
    pub(super) fn of(data: &'d Data, table: &str, columns: &[Column]) -> Evidence<'d> {
        Evidence::of_part(data, table, columns, Some)
    }

    /// Those of the columns of a result that are about rows of a table; `called` is what a column is called where
    /// no other row is shown beside
    pub(super) fn of_part(
        data: &'d Data,
        table: &str,
        columns: &[Column],
        called: impl Fn(&'d str) -> Option<&'d str>,
    ) -> Evidence<'d> {
        let known = |name: &str| {
            let written = SHOWN.iter().find(|[of, result, _]| *of == table && *result == name);
            written.map(|[_, _, column]| *column)
        };
        let made = |name: &str| IDENTIFIED.iter().any(|(known, ..)| *known == name);
        let shown = data.names().filter(|name| !made(name)).filter_map(|name| {
            let own = called(name)?;
            let (column, is_written) = known(own).map_or((own, false), |column| (column, true));
            let kind = columns.iter().find(|one| one.name == column).map(|one| one.kind);
            // A time is what the rows are known by; nothing is computed of a column that stays.
            let judged = kind != Some(Type::DateTime) && (is_written || kind.is_some());
            let texts = data.texts(name).filter(|_| judged && column != "-")?;
            let kind = kind.unwrap_or(Type::String);
            Some(Shown { name: name.to_owned(), column, is_written, kind, texts })
        });
        let identified = IDENTIFIED.iter().filter_map(|(name, of, made)| {
            let (shown, whole) = (data.texts(name)?, data.texts(of)?);
            Some(Identified { name, made: *made, shown, whole })
        });
        Evidence { shown: shown.collect(), identified: identified.collect() }
    }

    /// The first column of a row that shows something else than its name says
    pub(super) fn wrong(&self, row: usize, of_table: &Fields) -> Option<Wrong> {
        self.other(row, of_table).or_else(|| self.unidentified(row))
    }

    /// The first column of a row that shows something else than the row of the table
    pub(super) fn other(&self, row: usize, of_table: &Fields) -> Option<Wrong> {
        for one in &self.shown {
            let meant = match of_table.get(one.column) {
                Some(value) if value.is_object() || value.is_array() => continue,
                Some(value) => text_of(value, one.kind),
                // A column that nothing fills may be computed of others.
                None if !one.is_written => continue,
                None => "".into(),
            };
            if one.texts[row] != meant {
                let shown = one.texts[row].to_string();
                return Some((one.name.clone(), meant.to_string(), shown));
            }
        }
        None
    }

    /// The first identifier of an entity that is not made of the column beside it
    pub(super) fn unidentified(&self, row: usize) -> Option<Wrong> {
        self.identified.iter().find_map(|one| {
            let (shown, whole) = (&one.shown[row], &one.whole[row]);
            // A place has no line breaks; what is made of them is no one's directory.
            let meant = (one.made)(whole);
            let same = **shown == *meant || whole.contains(['\n', '\r']);
            (!same).then(|| (one.name.to_owned(), meant, shown.to_string()))
        })
    }
}
