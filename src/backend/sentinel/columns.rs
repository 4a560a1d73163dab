//! The columns of a result.
//!
//! In: the rule's columns and the kind of a signal. Out: the signal's projection. Names and types
//! agree in every signal, so that `union` joins them. The projection omits a column that the kind
//! of event lacks: `union` fills it with the empty value of its type.
//!
//! INVARIANT: a column's [`Role`] states its purpose; no decision depends on the column's name.

use super::profile::Profile;
use crate::ir::{Column, Rule, Signal};
use crate::mapping::{ResultRole, Table, results};
use crate::query::kusto::{Expression, Item, Type};

/// How much a result shows beside what its rule asks for
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// Nothing
    Least,
    /// Also the events before the one that completes a correlation
    Events,
    /// Also what only identifies entities
    Entities,
}

/// The purpose of a column
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Shows a part of the event
    Result,
    /// Shows when the alert was raised
    Raised,
    /// Identifies the host; always that of the event itself
    Identity,
    /// Holds a key of correlations
    Key,
    /// Holds a value that a correlation counts
    Counted,
    /// Names the signal, the severity or the group
    Label,
    /// Shows a part of an event before the event itself
    Earlier,
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
    /// Whether correlations group or count by it
    pub(super) correlated: bool,
}

impl Projected {
    pub(super) fn new(name: &str, kind: Type, role: Role, value: Expression) -> Self {
        Projected { name: name.to_owned(), kind, role, value, correlated: false }
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

/// Named rows and their columns
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) name: String,
    pub(super) columns: Vec<Projected>,
}

/// The columns of the result that are made of others, as entities need them
pub(super) fn identified(shown: &[String]) -> Vec<Projected> {
    let has = |name: &str| shown.iter().any(|column| column == name);
    let missing = results().columns.iter().filter(|column| !has(&column.name));
    let made = missing.filter_map(|column| {
        let (_, value) = column.made.as_ref().filter(|(of, _)| has(of))?;
        Some(Projected::new(&column.name, column.kind, Role::Result, value.clone()))
    });
    made.collect()
}

/// The columns of one signal, in the order of the result
pub(super) fn projection(
    (profile, detail, table): (Profile, Detail, &Table),
    rule: &Rule,
    signal: &Signal,
) -> Vec<Projected> {
    let label = |name, value| Projected::new(name, Type::String, Role::Label, value);
    let mut out = Vec::new();
    for column in &rule.columns {
        match column {
            Column::Time => {
                out.push(Projected::own(profile.time(), Type::DateTime, Role::Result));
            }
            Column::Signal => out.push(label("Signal", Expression::text(&signal.shown))),
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
            | Column::Event
            | Column::Report => {
                let all = results().columns.iter().filter(|shown| shown.shows == *column);
                for shown in all.filter(|shown| detail == Detail::Entities || !shown.entity) {
                    let role = match shown.role {
                        ResultRole::Shown => Role::Result,
                        ResultRole::Raised => Role::Raised,
                        ResultRole::Identity => Role::Identity,
                    };
                    let value = table.result(&shown.name).cloned();
                    out.extend(
                        value.map(|value| Projected::new(&shown.name, shown.kind, role, value)),
                    );
                }
            }
        }
    }
    out
}
