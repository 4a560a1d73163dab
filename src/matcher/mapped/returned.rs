//! Rows that an emitted query has returned.
//!
//! In: a row as JSON. Out: the event that it is of. The signal that the row names has a log source in the
//! rules; the mapping says which column of a result shows which column of the table. Only what a result shows
//! is read. A row of a correlation that counts is of the event that completes it; a row of any other correlation
//! has parts of several events, and is none of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value as Json};

use super::Told;
use super::held::{Held, Met};
use super::part::{Place, fields, is_read};
use crate::ir::{Rule, Signal};
use crate::mapping::{Column, Mappings, Table, results};
use crate::query::kusto::Expression;
use crate::taxonomy::{EventKind, Field, Log, Product};

/// The column that names the signal
const SIGNAL: &str = "Signal";

/// The events that signals look for, by the name that their rows have
pub(super) type Signals = BTreeMap<String, Vec<Sought>>;

/// The events that a signal looks for
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sought {
    kind: EventKind,
    /// The actions of which each of them has one; none for any action
    actions: Vec<String>,
}

/// The log sources of the signals of these rules, and of the correlations that count events
pub(super) fn signals(rules: &[Rule]) -> Signals {
    let mut signals = Signals::new();
    let mut add = |name: &str, signal: &Signal| {
        let all = signals.entry(name.to_owned()).or_default();
        let sought = Sought { kind: signal.kind.clone(), actions: signal.required_actions() };
        if !all.contains(&sought) {
            all.push(sought);
        }
    };
    for rule in rules {
        rule.signals.iter().for_each(|signal| add(&signal.shown, signal));
        for (at, one) in rule.correlations.iter().enumerate() {
            let ends = one.ends.iter().filter(|_| rule.shows_one_event(at));
            ends.for_each(|end| add(&one.name, &rule.signals[*end]));
        }
    }
    signals
}

/// Reads what queries return
pub(super) struct Returned {
    readers: BTreeMap<String, Vec<Reader>>,
}

/// Reads what a query over one table returns
struct Reader {
    kind: EventKind,
    /// The actions of which each of its events has one
    actions: Vec<String>,
    log: Option<Log>,
    product: Option<Product>,
    /// The columns of a result that the table has
    columns: HashSet<String>,
    places: Vec<Place>,
    met: Met,
}

impl Returned {
    /// The results of queries for these signals, with the fields that are asked for, or with all
    pub(super) fn of(
        signals: &Signals,
        mappings: &Mappings,
        asked: Option<&HashSet<Field>>,
    ) -> Returned {
        let readers = signals.iter().map(|(name, all)| {
            let readers = all.iter().flat_map(|sought| {
                let tables = mappings.all_tables().filter(|table| table.events == sought.kind);
                tables.map(|table| Reader::of(table, &sought.actions, asked))
            });
            (name.clone(), readers.collect())
        });
        Returned { readers: readers.collect() }
    }

    /// Adds what a row says of its event, where it names a known signal
    ///
    /// It is of the table that has every column with a value, of several the one with the most columns of the row,
    /// then the one with the fewest that the row lacks.
    pub(super) fn read(&self, row: &Map<String, Json>, told: &mut Told) {
        let signal = row.get(SIGNAL).and_then(Json::as_str);
        let Some(readers) = signal.and_then(|signal| self.readers.get(signal)) else { return };
        let has_value = |name: &str| row.get(name).is_some_and(|value| !text(value).is_empty());
        let filled: Vec<&str> = results()
            .columns
            .iter()
            .filter(|column| column.made.is_none() && has_value(&column.name))
            .map(|column| column.name.as_str())
            .collect();
        let fitting = readers
            .iter()
            .filter(|reader| filled.iter().all(|name| reader.columns.contains(*name)));
        let likeness = |reader: &&Reader| {
            let has = reader.columns.iter().filter(|name| row.contains_key(*name)).count();
            (has, Reverse(reader.columns.len()))
        };
        if let Some(reader) = fitting.max_by_key(likeness)
            && !filled.is_empty()
        {
            reader.read(row, told);
        }
    }

    /// Adds the fields of the log sources that were met
    pub(super) fn add_held(&self, held: &mut Held) {
        for reader in self.readers.values().flatten().filter(|reader| reader.met.is()) {
            held.add(&reader.kind, reader.places.iter().map(|place| place.field.clone()));
        }
    }
}

impl Reader {
    fn of(table: &Table, actions: &[String], asked: Option<&HashSet<Field>>) -> Reader {
        let shown: Vec<(&str, &Expression)> = results()
            .columns
            .iter()
            .filter_map(|column| Some((column.name.as_str(), table.result(&column.name)?)))
            .collect();
        let mut places = Vec::new();
        let is_asked = |field: &Field| asked.is_none_or(|asked| asked.contains(field));
        for (field, columns) in table.places().filter(|(field, _)| is_asked(field)) {
            for column in columns.iter().filter(|column| is_read(column.holds)) {
                let shows = |(_, value): &&(&str, &Expression)| shows(value, column);
                if let Some((name, _)) = shown.iter().find(shows) {
                    let (field, column) = (field.clone(), column.clone());
                    places.push(Place { field, column, name: (*name).to_owned() });
                }
            }
        }
        Reader {
            kind: table.events.clone(),
            actions: actions.to_vec(),
            log: table.log().cloned(),
            product: table.product(),
            columns: shown.iter().map(|(name, _)| (*name).to_owned()).collect(),
            places,
            met: Met::default(),
        }
    }

    fn read(&self, row: &Map<String, Json>, told: &mut Told) {
        self.met.note();
        told.is_of(&self.kind, self.log.as_ref(), self.product);
        told.add("Action", self.actions.clone());
        let shown = |name: &str| row.get(name).map(text).unwrap_or_default();
        for (field, values) in fields(&self.places, shown) {
            told.add(field.name(), values);
        }
    }
}

/// Whether a column of a result shows a column of the table: as it is, or as text
fn shows(result: &Expression, column: &Column) -> bool {
    // What stood there before a renaming or a deletion is the event's own value, and no result shows it.
    let is_own = column.earlier.is_none();
    let value = &column.value;
    is_own && (result == value || *result == Expression::call("tostring", [value.clone()]))
}

/// A value as text
fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}
