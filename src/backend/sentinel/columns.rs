//! The columns of a result.
//!
//! In: the rule's columns and the kind of a signal. Out: the signal's projection. Names and types
//! agree in every signal, so that `union` joins them. The projection omits a column that the kind
//! of event lacks: `union` fills it with the empty value of its type.
//!
//! INVARIANT: a column's [`Role`] states its purpose; no decision depends on the column's name.

use std::sync::LazyLock;

use super::profile::Profile;
use crate::ir::{Column, Rule, Signal};
use crate::query::kusto::{self, Expression, Item, Type};
use crate::taxonomy::EventKind;

/// A column of the result
struct Row {
    profile: Profile,
    column: Column,
    result: &'static str,
    kind: Type,
    /// The value for each of [`EventKind::ALL`], in that order; `None` where it has no such column
    values: Vec<Option<Expression>>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = |profile: &Profile| {
        let profile = *profile;
        let lines = profile.columns().lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(move |line| row(profile, line))
    };
    Profile::ALL.iter().flat_map(rows).collect()
});

fn row(profile: Profile, line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let (column, result, kind) = (cells.next()?, cells.next()?, cells.next()?);
    let value = |cell: &str| match cell {
        "-" => Some(None),
        cell => kusto::expression(cell).ok().map(Some),
    };
    let values = cells.map(value).collect::<Option<_>>()?;
    Some(Row { profile, column: group(column)?, result, kind: Type::named(kind)?, values })
}

/// The rule column that a word of the table names
fn group(word: &str) -> Option<Column> {
    Some(match word {
        "Host" => Column::Host,
        "Account" => Column::Account,
        "Subject" => Column::Subject,
        "CommandLine" => Column::CommandLine,
        "Actor" => Column::Actor,
        "Grandparent" => Column::Grandparent,
        "Registry" => Column::Registry,
        "Remote" => Column::Remote,
        "Request" => Column::Request,
        "Alert" => Column::Alert,
        "Report" => Column::Report,
        _ => return None,
    })
}

impl Row {
    fn value(&self, event: &EventKind) -> Option<&Expression> {
        let at = EventKind::ALL.iter().position(|kind| kind == event)?;
        self.values.get(at)?.as_ref()
    }

    fn role(&self) -> Role {
        match (self.column, self.kind) {
            (Column::Alert, Type::DateTime) => Role::Raised,
            _ => Role::Result,
        }
    }
}

/// Whether a result has a column of this name on any profile
pub(super) fn is_result(name: &str) -> bool {
    ROWS.iter().any(|row| row.result == name)
}

/// The purpose of a column
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Shows a part of the event
    Result,
    /// Shows when the alert was raised
    Raised,
    /// Holds a key of correlations
    Key,
    /// Holds a value that a correlation counts
    Counted,
    /// Names the signal, the severity or the group
    Label,
    /// Set by a correlation about its events: start time, number, clients
    Measure,
}

/// A column of the result, its type, and its value over a signal's table
#[derive(Debug, Clone)]
pub(super) struct Projected {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) role: Role,
    pub(super) value: Expression,
}

impl Projected {
    pub(super) fn new(name: &str, kind: Type, role: Role, value: Expression) -> Self {
        Projected { name: name.to_owned(), kind, role, value }
    }

    /// A column that the rows already have under this name
    pub(super) fn own(name: &str, kind: Type, role: Role) -> Self {
        Projected::new(name, kind, role, Expression::name(name))
    }

    /// The column as an item of `project`
    pub(super) fn item(&self) -> Item {
        Item::named(&self.name, self.value.clone())
    }
}

/// The columns of one signal, in the order of the result
pub(super) fn projection(profile: Profile, rule: &Rule, signal: &Signal) -> Vec<Projected> {
    let label = |name, value| Projected::new(name, Type::String, Role::Label, value);
    let mut out = Vec::new();
    for column in &rule.columns {
        match column {
            Column::Time => {
                out.push(Projected::own(profile.time(), Type::DateTime, Role::Result));
            }
            Column::Signal => out.push(label("Signal", Expression::text(&signal.name))),
            Column::Level if signal.cases.is_empty() => {
                out.push(label("Level", Expression::text(rule.level.as_str())));
            }
            Column::Level => out.push(label("Level", Expression::name("Level"))),
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
                let rows = ROWS.iter().filter(|row| row.profile == profile);
                for row in rows.filter(|row| row.column == *column) {
                    let value = row.value(&signal.kind).cloned();
                    out.extend(
                        value.map(|value| Projected::new(row.result, row.kind, row.role(), value)),
                    );
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
            let rows: Vec<&Row> = ROWS.iter().filter(|row| row.profile == *profile).collect();
            assert_eq!(rows.len(), lines, "{profile:?}");
            for row in rows {
                assert_eq!(row.values.len(), EventKind::ALL.len(), "{}", row.result);
                assert!(row.values.iter().any(Option::is_some), "{}", row.result);
            }
        }
    }
}
