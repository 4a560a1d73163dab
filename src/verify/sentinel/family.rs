//! Which table shows the events of which kinds, and in which columns.
//!
//! In: `tables.tsv` and `rows.tsv`, written from Microsoft's documentation of the tables and of the ASIM
//! parsers, not from the mappings of the compiler, which are what is to be judged. Out: a [`Family`] of
//! kinds of events whose rows have one form. The proof of emitted Kusto reads the same two files.

use std::sync::LazyLock;

/// Kinds of events that one table shows in one way
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    kinds: Vec<&'static str>,
    pub(super) table: &'static str,
    /// What every row says in `ActionType`; empty for nothing
    pub(super) action: &'static str,
    /// The parser of ASIM that shows its rows; empty for none
    pub(super) parser: &'static str,
    pub(super) shown: Vec<Shown>,
}

/// A field and the column that shows it
#[derive(Debug)]
pub(super) struct Shown {
    /// The field; empty for a column that other fields fill
    pub(super) field: &'static str,
    /// The column, a path inside a column, or in brackets how several columns are filled
    pub(super) column: &'static str,
    /// The column of the ASIM parser; empty for none
    pub(super) parsed: &'static str,
    /// What is written for a missing value
    pub(super) nothing: &'static str,
}

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    lines(include_str!("tables.tsv")).filter_map(|cells| family(&cells)).collect()
});

fn family(cells: &[&'static str]) -> Option<Family> {
    let [name, kinds, table, action, parser] = *cells else { return None };
    let shown = lines(include_str!("rows.tsv")).filter_map(|cells| {
        let [of, field, column, parsed, nothing] = cells[..] else { return None };
        (of == name).then_some(Shown { field, column, parsed, nothing })
    });
    let kinds = kinds.split(' ').collect();
    Some(Family { name, kinds, table, action, parser, shown: shown.collect() })
}

/// The cells of the lines of a table; `.` is nothing
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let cell = |cell: &'static str| if cell == "." { "" } else { cell };
    lines.map(move |line| line.split('\t').map(cell).collect())
}

/// The family of a kind of events
pub(super) fn of(kind: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.kinds.contains(&kind))
}

/// Whether rows of a table, or of a parser, are made
pub(super) fn is_known(table: &str) -> bool {
    FAMILIES.iter().any(|family| family.table == table || family.parser == table)
}

impl Family {
    /// How a column that fields fill together is filled
    pub(super) fn filled(&self, field: &str) -> Option<&'static str> {
        let shown = self.shown.iter().find(|shown| shown.field == field)?;
        shown.column.strip_prefix('(')?.strip_suffix(')')
    }

    /// Whether a column, or several, show a field
    pub(super) fn shows(&self, field: &str) -> bool {
        self.shown.iter().any(|shown| shown.field == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::EventKind;
    use crate::verify::sources::source;

    #[test]
    fn every_line_of_the_tables_is_read() {
        let count = |text: &'static str| lines(text).count();
        assert_eq!(FAMILIES.len(), count(include_str!("tables.tsv")));
        let shown: usize = FAMILIES.iter().map(|family| family.shown.len()).sum();
        assert_eq!(shown, count(include_str!("rows.tsv")));
        assert!(EventKind::ALL.iter().all(|kind| of(kind.name()).is_some()));
    }

    #[test]
    fn events_of_every_kind_are_looked_at() {
        let kinds = FAMILIES.iter().flat_map(|family| family.kinds.iter().copied());
        let channels = lines(include_str!("channels.tsv")).map(|cells| cells[0]);
        for name in kinds.chain(channels) {
            let kind = EventKind::category(name).map(|(kind, _)| kind);
            let kind = kind.or_else(|| EventKind::named(name)).unwrap();
            assert!(source(&kind).is_some(), "no event of {name} is tried");
        }
    }
}
