//! The index fields that Elastic's pipelines fill, by the field of the event.
//!
//! In: `ecs.tsv`. Out: the [`Row`]s of a field of an event. Some pipelines treat a field by the id of
//! its event; kinds of events with one pipeline share rows.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::sources::{self, source};
use crate::taxonomy::{EventKind, Field};

/// The text of the table that maps fields to ECS
const TABLE: &str = include_str!("ecs.tsv");

/// What happens to the values of a field
pub(super) struct Row {
    /// The word for it
    pub(super) how: &'static str,
    /// The index field, or what its name begins with
    pub(super) ecs: &'static str,
    /// The ids of the events that it holds for; all events when empty
    ids: Vec<RangeInclusive<i64>>,
}

/// The rows of a field: by the name of the kind of event, or a word for several kinds, then by the
/// name of the field
type Rows = HashMap<&'static str, HashMap<&'static str, Vec<Row>>>;

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let mut rows = Rows::new();
    for (event, field, row) in TABLE.lines().filter_map(row) {
        rows.entry(event).or_default().entry(field).or_default().push(row);
    }
    rows
});

fn row(line: &'static str) -> Option<(&'static str, &'static str, Row)> {
    let cells: Vec<&str> = line.split('\t').collect();
    let (event, field, how, ecs, ids) = match cells[..] {
        [event, field, how, ecs] => (event, field, how, ecs, ""),
        [event, field, how, ecs, ids] => (event, field, how, ecs, ids),
        _ => return None,
    };
    let range = |ids: &str| {
        let (from, to) = ids.split_once('-').unwrap_or((ids, ids));
        Some(from.parse().ok()?..=to.parse().ok()?)
    };
    let ids = ids.split(' ').filter(|ids| !ids.is_empty()).map(range).collect::<Option<_>>()?;
    let known = Field::of_log(field);
    let has = |kind: &EventKind| kind.field_type(&known).is_some();
    let one = EventKind::named(event).is_some_and(|kind| has(&kind));
    (one || sources::like(event).any(has)).then_some((event, field, Row { how, ecs, ids }))
}

/// The rows of a field of an event with this id: its own, or else those that it shares
pub(super) fn rows_of(kind: &EventKind, field: &Field, id: Option<i64>) -> Vec<&'static Row> {
    let holds = |row: &&Row| {
        row.ids.is_empty() || id.is_some_and(|id| row.ids.iter().any(|ids| ids.contains(&id)))
    };
    let named = |name: &str| -> Vec<&'static Row> {
        let rows = ROWS.get(name).and_then(|fields| fields.get(field.name()));
        rows.into_iter().flatten().filter(holds).collect()
    };
    let shared = source(kind).map_or(&[][..], |source| &source.like[..]);
    let names = std::iter::once(kind.name()).chain(shared.iter().map(String::as_str));
    let mut of_names = names.map(named);
    of_names.find(|rows| !rows.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            assert!(row(line).is_some(), "{line}");
        }
    }
}
