//! The language of a signal's query.
//!
//! In: a [`Signal`]. Out: a [`Plan`] in one of two languages. Kibana's own is taken where it says
//! every clause exactly, and where Kibana demands it; else EQL, which says more. A clause that the
//! language does not have is a filter.

use super::eql;
use super::kuery;
use super::plan::{Plan, Written, kibana_filter, scope};
use super::registry::Seen;
use crate::backend::{Session, one_line};
use crate::ir::{Clause, ClauseOrigin, Role, Signal};
use crate::mapping::{Index, Stream};
use crate::query::elasticsearch::Query;
use crate::query::eql::{Condition, Eql};

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

impl Languages {
    /// The words of the setting `query`
    pub(super) const WORDS: &[&str] = &["auto", "kuery", "eql"];

    /// The languages of a word of the setting
    pub(super) fn named(word: &str) -> Languages {
        match word {
            "kuery" => Languages::Kuery,
            "eql" => Languages::Eql,
            _ => Languages::Auto,
        }
    }
}

/// Plans a signal
pub(super) fn plan(
    signal: &Signal,
    (stream, indices): (&Stream, &[Index]),
    languages: Languages,
    session: &mut Session<'_>,
) -> Plan {
    let seen = Seen::of(signal, stream, indices);
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
    // What the log source asks for stands beside the scope.
    let is_implied =
        |clause: &&Clause| clause.origin == ClauseOrigin::LogSource && clause.role == Role::Require;
    let (implied, own): (Vec<&Clause>, Vec<&Clause>) = signal.clauses.iter().partition(is_implied);
    for clause in implied.into_iter().chain(own) {
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
