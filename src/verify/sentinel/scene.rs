//! The rows that queries are asked over, with the event of each.
//!
//! In: events, and tables with columns. Out: a [`Scene`]: rows of these tables, each at an instant of its own,
//! by which what a query returns is known to be of an event.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::asked::ALERTS;
use super::event::{Event, Fields, text};
use super::row::{Row, rows};
use crate::query::kusto::Column;
use crate::query::kusto::execute::{Rows, instant};
use crate::taxonomy::{EventKind, Product};
use crate::verify::observation::Observer;
use crate::verify::trial::Example;

/// How long an alert is raised after what it is about
const ALERTED: SignedDuration = SignedDuration::from_secs(60);

/// How long a row is on its way
const ARRIVES: SignedDuration = SignedDuration::from_millis(1);

/// When the first event happens; the engine takes none from the future
pub(super) const BEGINNING: Timestamp = Timestamp::constant(1_704_672_000, 0);

/// Rows, and the event of each instant
pub(super) struct Scene {
    pub(super) rows: Rows,
    pub(super) sides: Vec<Side>,
    /// The times of rows that are of another kind than the event of a side
    pub(super) strays: BTreeMap<i64, usize>,
}

/// What tells rows of several kinds apart
enum Told {
    /// The values of columns
    By(&'static [&'static str]),
    /// Whether columns have a value
    ByAny(&'static [&'static str]),
}

/// Tables with rows of several kinds
const KINDS: &[(&str, Told)] = &[
    ("DeviceEvents", Told::By(&["ActionType"])),
    ("DeviceFileEvents", Told::By(&["ActionType"])),
    ("DeviceNetworkEvents", Told::By(&["ActionType"])),
    ("DeviceProcessEvents", Told::By(&["ActionType"])),
    ("DeviceRegistryEvents", Told::By(&["ActionType"])),
    ("Event", Told::By(&["EventLog", "Source"])),
    ("WindowsEvent", Told::By(&["Channel", "Provider"])),
    ("_Im_NetworkSession", Told::ByAny(&["SrcProcessName", "DstProcessName"])),
];

impl Told {
    /// The row of another kind that is alike otherwise
    fn other(&self, row: &Fields) -> Fields {
        let (columns, value) = match self {
            Told::By(columns) => (columns, "Other"),
            Told::ByAny(columns) => {
                let has = |column: &&str| text(row, column).is_some_and(|text| !text.is_empty());
                (columns, if columns.iter().any(has) { "" } else { "Other" })
            }
        };
        let mut other = row.clone();
        other.extend(columns.iter().map(|column| ((*column).to_owned(), json!(value))));
        other
    }
}

/// Of so many events one has a row of another kind beside its own
const STRAYS: usize = 3;

/// When events happen, and how long they are on their way, by turns
pub(super) struct Times<'t> {
    pub(super) happened: &'t [Timestamp],
    pub(super) delays: [SignedDuration; 3],
}

/// An event as one of the kinds that it may be
#[derive(Debug)]
pub(super) struct Side {
    /// Its place among the events
    pub(super) example: usize,
    /// Whether its kind is known; if not, the event has a side for each
    pub(super) known: bool,
    pub(super) kind: EventKind,
    pub(super) product: Option<Product>,
    pub(super) time: Timestamp,
    pub(super) arrived: Timestamp,
    /// Its rows
    pub(super) rows: Vec<Row>,
}

impl Side {
    /// The time of its rows: an alert is raised after what it is about
    pub(super) fn shown(&self) -> Timestamp {
        self.rows.iter().map(|(table, _)| shown(table, self.time)).max().unwrap_or(self.time)
    }
}

impl Scene {
    /// Sets out the rows of events, a millisecond apart, or at the times given
    pub(super) fn new(
        examples: &[Example],
        times: Option<&Times<'_>>,
        tables: &BTreeMap<String, Vec<Column>>,
        observer: &Observer,
    ) -> Scene {
        let (mut sides, mut strays) = (Vec::<Side>::new(), BTreeMap::new());
        let mut others: Vec<(&str, Timestamp, Fields)> = Vec::new();
        for (example, one) in examples.iter().enumerate() {
            let Ok(observation) = observer.look(&one.event, one.kind.as_ref()) else { continue };
            for side in &observation.sides {
                let at = sides.len();
                let (time, delay) = match times {
                    Some(Times { happened, delays }) => {
                        (happened[example], delays[example % delays.len()])
                    }
                    None => (BEGINNING + SignedDuration::from_millis(at as i64), ARRIVES),
                };
                let mut event = Event::of(&side.record, &side.kind, &one.event);
                event.fields.insert("time".to_owned(), json!(time.to_string()));
                let mut made = rows(&event, |table| tables.contains_key(table));
                for (table, row) in &mut made {
                    let kinds = KINDS.iter().find(|(known, _)| known == table);
                    if let (Some((_, told)), None, 2) = (kinds, times, at % STRAYS) {
                        let beside = time + SignedDuration::from_micros(500);
                        strays.insert(instant(beside), at);
                        let mut other = told.other(row);
                        put_time(&mut other, shown(table, beside));
                        others.push((table, shown(table, beside) + delay, other));
                    }
                    put_time(row, shown(table, time));
                }
                sides.push(Side {
                    example,
                    known: observation.known,
                    kind: side.kind.clone(),
                    product: side.record.product,
                    time,
                    arrived: time + delay,
                    rows: made,
                });
            }
        }
        let mut all = Rows::default();
        for (name, columns) in tables {
            let own = sides.iter().flat_map(|side| {
                let rows = side.rows.iter().filter(|(table, _)| table == name);
                let delay = side.arrived.duration_since(side.time);
                rows.map(move |(table, row)| (shown(table, side.time) + delay, row))
            });
            let others = others.iter().filter(|(table, ..)| table == name);
            all.add(name, columns, own.chain(others.map(|(_, arrived, row)| (*arrived, row))));
        }
        Scene { rows: all, sides, strays }
    }

    /// The first and the last time of its rows
    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        let times = || self.sides.iter().map(|side| side.time);
        let first = times().min().unwrap_or(BEGINNING);
        (first, times().max().unwrap_or(BEGINNING) + ALERTED)
    }
}

/// The time of a row about an event of this time
fn shown(table: &str, time: Timestamp) -> Timestamp {
    if table == ALERTS { time + ALERTED } else { time }
}

/// Lets a row be of a time
fn put_time(row: &mut Fields, time: Timestamp) {
    for column in ["TimeGenerated", "Timestamp"] {
        row.insert(column.to_owned(), json!(time.to_string()));
    }
}
