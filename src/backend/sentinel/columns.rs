//! What a result shows.
//!
//! In: the rule's columns and the kind of a signal. Out: its projection, with the same names and
//! types in every signal, so that `union` joins them. A column that a kind of event does not have
//! is left out there: `union` gives it the empty value of its type.

use super::expr::quote;
use super::profile::Profile;
use crate::ir::{Column, Rule, Signal};
use crate::taxonomy::EventKind;

/// A column of the result
struct Row {
    column: &'static str,
    result: &'static str,
    kind: &'static str,
    expressions: Vec<&'static str>,
}

fn rows(profile: Profile) -> impl Iterator<Item = Row> {
    profile.columns().lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        let (column, result, kind) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Row { column, result, kind, expressions: cells.collect() })
    })
}

impl Row {
    fn expression(&self, event: EventKind) -> Option<&'static str> {
        let at = EventKind::ALL.iter().position(|kind| *kind == event)?;
        self.expressions.get(at).copied().filter(|cell| *cell != "-")
    }
}

/// A column of the result, its type and how a signal's table gives it
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Projected {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) expression: String,
}

impl Projected {
    pub(super) fn new(name: &str, kind: &'static str, expression: &str) -> Self {
        Projected { name: name.to_owned(), kind, expression: expression.to_owned() }
    }

    /// As `project` takes it
    pub(super) fn print(&self) -> String {
        if self.name == self.expression {
            return self.name.clone();
        }
        format!("{} = {}", self.name, self.expression)
    }
}

/// The columns of one signal, in the order of the result
pub(super) fn projection(profile: Profile, rule: &Rule, signal: &Signal) -> Vec<Projected> {
    let mut out = Vec::new();
    for column in &rule.columns {
        match column {
            Column::Time => {
                out.push(Projected::new(profile.time(), "datetime", profile.time()));
            }
            Column::Signal => out.push(Projected::new("Signal", "string", &quote(&signal.name))),
            Column::Level if signal.cases.is_empty() => {
                out.push(Projected::new("Level", "string", &quote(rule.level.as_str())));
            }
            Column::Level => out.push(Projected::new("Level", "string", "Level")),
            Column::Host
            | Column::Account
            | Column::Subject
            | Column::CommandLine
            | Column::Actor
            | Column::Grandparent
            | Column::Registry
            | Column::Remote
            | Column::Request
            | Column::Alert
            | Column::Report => {
                let name = format!("{column:?}");
                for row in rows(profile).filter(|row| row.column == name) {
                    let expression = row.expression(signal.kind);
                    out.extend(expression.map(|cell| Projected::new(row.result, row.kind, cell)));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_table_gives_a_column_for_every_kind_of_event() {
        for profile in Profile::ALL {
            let lines = profile.columns().lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(rows(*profile).count(), lines, "{profile:?}");
            for row in rows(*profile) {
                assert_eq!(row.expressions.len(), EventKind::ALL.len(), "{}", row.result);
                assert!(row.expressions.iter().any(|cell| *cell != "-"), "{}", row.result);
            }
        }
    }
}
