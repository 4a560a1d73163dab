//! A signal as query and filters.
//!
//! In: a [`Signal`]. Out: a [`Plan`] in one of two languages. Kibana's own is taken where it says
//! every clause exactly, and where Kibana demands it; else EQL, which says more. A clause that EQL
//! does not have is a filter.

use std::fmt;

use super::eql;
use super::filter;
use super::kuery;
use super::registry::Seen;
use crate::backend::{Session, one_line};
use crate::ir::{Clause, Role, Signal};
use crate::mapping::{self, Holds, Index, IndexField, Stream};
use crate::query::elasticsearch::{Filter, Query};
use crate::query::eql::{Condition, Eql};
use crate::query::kuery::Kuery;
use crate::taxonomy::Field;

/// The query and the filters of a rule for one signal
#[derive(Debug)]
pub(super) struct Plan {
    /// The query
    pub(super) query: Written,
    /// Kibana filters, in the order of the clauses
    pub(super) filters: Vec<Filter>,
}

/// A query in one of Elastic's languages
#[derive(Debug)]
pub(super) enum Written {
    /// Kibana's query language
    Kuery(Kuery),
    /// The event query language
    Eql(Eql),
}

/// The languages that a signal may be written in
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Languages {
    /// Kibana's language where it says every clause exactly; else the language that needs fewer
    /// filters, EQL where both need as many
    #[default]
    Auto,
    /// Kibana's language with filters
    Kuery,
    /// EQL, with filters for what it does not have
    Eql,
}

/// Plans a signal
pub(super) fn plan(
    signal: &Signal,
    (stream, indices): (&Stream, &[Index]),
    languages: Languages,
    session: &mut Session<'_>,
) -> Plan {
    let seen = Seen::of(signal, stream, indices.iter().all(|index| index.text));
    match languages {
        Languages::Kuery => return kuery::plan(seen, signal, session),
        Languages::Eql => return in_eql(seen, signal, session),
        Languages::Auto => (),
    }
    let mut fewest = usize::MAX;
    let plain = session.attempt(
        |session| kuery::plan(seen, signal, session),
        |plan| {
            fewest = plan.filters.len();
            plan.filters.is_empty()
        },
    );
    let said = plain.or_else(|| {
        let fewer = |plan: &Plan| plan.filters.len() <= fewest;
        session.attempt(|session| in_eql(seen, signal, session), fewer)
    });
    said.unwrap_or_else(|| kuery::plan(seen, signal, session))
}

/// The signal in EQL; a clause that EQL does not have is a filter
fn in_eql(seen: Seen<'_>, signal: &Signal, session: &mut Session<'_>) -> Plan {
    let fields = eql::Fields(seen.stream);
    let (mut conditions, mut filters) = (Vec::new(), Vec::new());
    for clause in &signal.clauses {
        let filter = match clause.role {
            Role::Require => kibana_filter(clause, seen, session),
            Role::Exclude => session.negated(|session| kibana_filter(clause, seen, session)),
        };
        let condition = match clause.role {
            // What every document fits need not be said; its loss is noted.
            Role::Require if filter.query == Query::Everything => continue,
            Role::Require => fields.condition(&filter.query),
            Role::Exclude => {
                let not = fields.negated(&filter.query);
                let label = one_line(&clause.label);
                not.map(|not| match label.as_str() {
                    "" => not,
                    _ => Condition::Noted(label, Box::new(not)),
                })
            }
        };
        match condition {
            Some(condition) => conditions.push(condition),
            None => filters.push(filter),
        }
    }
    let events = eql::events(scope(signal, seen.stream), conditions);
    Plan { query: Written::Eql(Eql::Event(events)), filters }
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
