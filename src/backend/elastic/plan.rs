//! The query and the filters of a signal, and what each language needs of a signal for them.
//!
//! In: a [`Signal`] and its stream. Out: the tests that select the documents of a log source, and the
//! Kibana filter of each clause. A [`Plan`] is what [`language`](super::language) makes of them.

use std::fmt;

use super::filter;
use super::registry::Seen;
use crate::backend::{Session, one_line};
use crate::ir::{Clause, Role, Signal};
use crate::mapping::{self, Holds, IndexField, Stream};
use crate::query::elasticsearch::Filter;
use crate::query::eql::{Condition, Eql, EventQuery};
use crate::query::kuery::Kuery;
use crate::taxonomy::Field;

/// The query and the filters of a rule for one signal
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The query
    pub(super) query: Written,
    /// Kibana filters, in the order of the clauses
    pub(super) filters: Vec<Filter>,
}

/// A query in one of Elastic's languages
#[derive(Debug, Clone)]
pub(super) enum Written {
    /// Kibana's query language
    Kuery(Kuery),
    /// The event query language
    Eql(Eql),
}

impl Plan {
    /// The events that a plan in EQL is about, to be a step of a sequence
    pub(super) fn events(&self) -> EventQuery {
        match &self.query {
            Written::Eql(Eql::Event(query)) => query.clone(),
            // A step is planned in EQL, and as single events.
            Written::Eql(Eql::Sequence(_)) | Written::Kuery(_) => {
                EventQuery { category: None, condition: Condition::Any(Vec::new()) }
            }
        }
    }
}

impl Written {
    /// The fields that it names, with repetitions
    pub(super) fn fields(&self) -> Vec<String> {
        match self {
            Written::Kuery(query) => query.fields(),
            Written::Eql(query) => {
                query.fields().into_iter().map(|field| field.name.clone()).collect()
            }
        }
    }

    /// The name of its language in a rule
    pub(super) fn language(&self) -> &'static str {
        match self {
            Written::Kuery(_) => "kuery",
            Written::Eql(_) => "eql",
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Kuery(query) => query.fmt(f),
            Written::Eql(query) => query.fmt(f),
        }
    }
}

/// The fields that select documents of the signal's log source and product, with their words
pub(super) fn scope(signal: &Signal, stream: &Stream) -> Vec<(String, Vec<String>)> {
    let mut parts = Vec::new();
    for (name, test) in &stream.rows {
        let words = match test {
            mapping::Test::Is(values) => values.clone(),
            mapping::Test::Product => {
                signal.product.map(|product| product.name().to_owned()).into_iter().collect()
            }
            mapping::Test::With(field) if !signal.clauses.iter().any(|c| asks(c, field)) => {
                let words = stream.field(field, Holds::Whole).map(IndexField::all_words);
                words.into_iter().flatten().map(ToOwned::to_owned).collect()
            }
            mapping::Test::With(_) => Vec::new(),
        };
        if !words.is_empty() {
            parts.push((name.clone(), words));
        }
    }
    parts
}

/// Whether a clause requires a value of a field
fn asks(clause: &Clause, field: &Field) -> bool {
    let test = clause.expr.as_test().filter(|_| clause.role == Role::Require);
    test.is_some_and(|test| test.subject.field == *field && test.op.as_text().is_some())
}

/// The filter of a clause, with the clause's label as alias
pub(super) fn kibana_filter(clause: &Clause, seen: Seen<'_>, session: &mut Session<'_>) -> Filter {
    let query = filter::query(seen, &clause.expr, session);
    let alias = match (clause.role, &*clause.label) {
        (Role::Require, label) => format!("{label}, exactly"),
        (Role::Exclude, "") => "not: exclusion".to_owned(),
        (Role::Exclude, label) => format!("not: {label}"),
    };
    Filter { alias: one_line(&alias), negate: clause.role == Role::Exclude, query }
}
