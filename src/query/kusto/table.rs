//! Tables between steps: names and types of columns, and whether the rows are sorted.
//!
//! In: columns. Out: tables joined, united and renamed as Kusto does it, with its numbers after
//! doubled names. Values do not exist here.

use super::{Column, Type};

/// A column; its type is `None` after a finding
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) kind: Option<Type>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Slot>,
    /// Whether an earlier step has sorted the rows
    pub(crate) sorted: bool,
    /// Whether any column may exist, because of a finding
    pub(crate) open: bool,
}

impl Table {
    /// A table after a finding: any column may exist
    pub(crate) fn unknown() -> Table {
        Table { open: true, ..Table::default() }
    }

    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|slot| slot.name == name)
    }

    /// The type of a column; `None` when the table lacks it, `Some(None)` when its type is unknown
    pub(crate) fn column(&self, name: &str) -> Option<Option<Type>> {
        self.place_of(name).map(|at| self.columns[at].kind).or(self.open.then_some(None))
    }

    /// Sets a column, where it stands or at the end
    pub(crate) fn set(&mut self, name: &str, kind: Option<Type>) {
        match self.place_of(name) {
            Some(at) => self.columns[at].kind = kind,
            None => self.columns.push(Slot { name: name.to_owned(), kind }),
        }
    }

    /// Adds a column under its own name, or with the first free number behind it
    pub(crate) fn add(&mut self, name: &str, kind: Option<Type>) {
        let name = free(name, |name| self.place_of(name).is_some());
        self.columns.push(Slot { name, kind });
    }

    /// Both sides of a join; a name of the right side that is taken gets a number
    pub(crate) fn join(mut self, right: &Table) -> Table {
        let own = self.columns.len();
        for slot in &right.columns {
            let others = right.columns.iter().filter(|other| *other != slot);
            let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
            let added = &self.columns;
            let left = |name: &str| added[..own].iter().any(|slot| slot.name == name);
            let name = match left(&slot.name) {
                true => free(&slot.name, |name| {
                    others.contains(&name) || added.iter().any(|slot| slot.name == name)
                }),
                false => slot.name.clone(),
            };
            self.columns.push(Slot { name, kind: slot.kind });
        }
        self.open |= right.open;
        // A join does not keep the order of rows.
        self.sorted = false;
        self
    }

    /// Rows of several tables; a name with two types becomes a column for each, `X_string`
    ///
    /// This follows Kusto's reference. Where the first tables agree, Microsoft's binder keeps their
    /// type and ignores the type of a later table.
    pub(crate) fn union(tables: &[Table]) -> Table {
        let mut names: Vec<&str> = Vec::new();
        for slot in tables.iter().flat_map(|table| &table.columns) {
            if !names.contains(&slot.name.as_str()) {
                names.push(&slot.name);
            }
        }
        let mut all = Table { open: tables.iter().any(|table| table.open), ..Table::default() };
        for name in names {
            let of_name = tables.iter().flat_map(|table| &table.columns);
            let mut kinds: Vec<Option<Type>> = Vec::new();
            for slot in of_name.filter(|slot| slot.name == name) {
                if !kinds.contains(&slot.kind) {
                    kinds.push(slot.kind);
                }
            }
            for kind in &kinds {
                match kind {
                    Some(one) if kinds.len() > 1 => all.add(&format!("{name}_{one}"), *kind),
                    Some(_) | None => all.add(name, *kind),
                }
            }
        }
        all
    }

    /// The columns of a result; columns without a type are left out
    pub(crate) fn into_columns(self) -> Vec<Column> {
        let known = self.columns.into_iter();
        known.filter_map(|slot| Some(Column { kind: slot.kind?, name: slot.name })).collect()
    }
}

/// The name itself, or with the first number that makes it free
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let numbered = (1..).map(|number: usize| format!("{name}{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, Type)]) -> Table {
        let slot =
            |(name, kind): &(&str, Type)| Slot { name: (*name).to_owned(), kind: Some(*kind) };
        Table { columns: columns.iter().map(slot).collect(), ..Table::default() }
    }

    fn names(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|slot| slot.name.as_str()).collect()
    }

    #[test]
    fn a_join_numbers_the_names_of_the_right_side() {
        let left = table(&[("Group", Type::String), ("Host", Type::String)]);
        let right =
            table(&[("Group", Type::String), ("Group1", Type::Long), ("Time", Type::DateTime)]);
        assert_eq!(names(&left.join(&right)), ["Group", "Host", "Group2", "Group1", "Time"]);
    }

    #[test]
    fn a_union_parts_a_name_by_its_types() {
        let first = table(&[("A", Type::String), ("B", Type::Long)]);
        let second = table(&[("A", Type::Int), ("B", Type::Long), ("C", Type::Bool)]);
        let all = Table::union(&[first, second]);
        assert_eq!(names(&all), ["A_string", "A_int", "B", "C"]);
    }

    #[test]
    fn a_doubled_name_gets_a_number() {
        let mut table = table(&[("count_", Type::Long)]);
        table.add("count_", None);
        table.add("count_", None);
        assert_eq!(names(&table), ["count_", "count_1", "count_2"]);
    }
}
