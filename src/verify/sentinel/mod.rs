//! Kusto queries against the engine.
//!
//! ```text
//!  event ──┬─► Engine ───────────────────────────────► matches ─┐
//!          └─► rows of Microsoft's tables ─┐                    ├─► Finding
//!  query ──► execute::Run ◄────────────────┘ ──► rows reported ─┘
//! ```
//!
//! In: the query emitted for a rule, its manifest, and events. Out: a tally of both sides' verdicts. The rows are made
//! from the events by tables of this room ([`family`], [`channel`]), which were written from Microsoft's
//! documentation; nothing comes from the mappings that the queries are made with.

mod asim;
mod asked;
mod by_run;
mod channel;
mod cloud;
mod course;
mod defender;
mod event;
mod evidence;
mod explain;
mod family;
mod judge;
mod own_series;
mod parts;
mod played;
mod process;
mod recorded;
mod registry;
mod row;
mod scene;
mod schedule;
mod together;
mod trial;
mod windows;

pub use asked::Asked;
#[cfg(test)]
pub(super) use recorded::{HASHES, recorded};
#[cfg(test)]
pub(crate) use trial::returned;
pub use trial::{Trials, Watcher, matching};

/// The rows of an event in every table, each with the name of its table
#[cfg(test)]
pub(super) fn rows_of(
    record: &crate::matcher::Record,
    kind: &crate::taxonomy::EventKind,
    written: &serde_json::Value,
) -> Vec<row::Row> {
    row::rows(&event::Event::of(record, kind, written), |table| !table.is_empty())
}
