//! A signal in Kibana's query language, with filters.
//!
//! In: a [`Signal`]. Out: a query that never misses a match, and Kibana filters. The query holds the
//! clauses that the language expresses exactly, and of every other clause what it can say of it
//! ([`superset`]). A filter restores the exact meaning of such a clause. A negated part without an
//! exact form is in a filter only.

use ipnet::IpNet;

use super::decoding;
use super::fields;
use super::filter;
use super::plan::{Plan, Written, kibana_filter, scope};
use super::registry::{self, Seen};
use super::superset::superset;
use super::text::name_beside;
use super::words;
use crate::backend::Session;
use crate::ir::{
    Clause, Expr, NON_PUBLIC, Numbers, Op, Part, Relation, Role, Signal, Test, TextTest,
};
use crate::manifest::Direction;
use crate::mapping::{FieldKind, IndexField, Words};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::elasticsearch::{Filter, Query};
use crate::query::kuery::{Bound, Kuery, Literal, Values};
use crate::taxonomy::{Field, FieldType};

/// The signal in Kibana's language
pub(super) fn plan(seen: Seen<'_>, signal: &Signal, session: &mut Session<'_>) -> Plan {
    let word = |value: &String| Literal::word(value);
    let mut parts: Vec<Kuery> = scope(signal, seen.stream)
        .iter()
        .map(|(field, words)| Kuery::field(field, Values::any(words.iter().map(word))))
        .collect();
    let mut filters = Vec::new();
    for clause in &signal.clauses {
        let (query, filter) = match clause.role {
            Role::Require => of_requirement(seen, clause, session),
            Role::Exclude => session.negated(|session| of_exclusion(seen, clause, session)),
        };
        parts.extend(query);
        filters.extend(filter);
    }
    Plan { query: Written::Kuery(Kuery::And(parts).optimised()), filters }
}

/// The parts of the query and the filter for a clause that must hold
fn of_requirement(
    seen: Seen<'_>,
    clause: &Clause,
    session: &mut Session<'_>,
) -> (Option<Kuery>, Option<Filter>) {
    if let Some(exact) = exact(seen, &clause.expr, session) {
        return (Some(exact), None);
    }
    let wider = superset(seen, &clause.expr);
    let filter = kibana_filter(clause, seen, session);
    if let Query::Exists(field) = &filter.query {
        return (Some(Kuery::field(field, Values::One(Literal::anything()))), None);
    }
    // A filter that every document matches is dropped; its loss is already noted.
    (wider, Some(filter).filter(|filter| filter.query != Query::Everything))
}

/// The part of the query or the filter for a clause that must not hold
fn of_exclusion(
    seen: Seen<'_>,
    clause: &Clause,
    session: &mut Session<'_>,
) -> (Option<Kuery>, Option<Filter>) {
    match exact(seen, &clause.expr, session) {
        Some(exact) => (Some(Kuery::Not(Box::new(exact))), None),
        None => (None, Some(kibana_filter(clause, seen, session))),
    }
}

/// The expression in Kibana's language; `None` when it has no exact form there
fn exact(seen: Seen<'_>, expr: &Expr, session: &mut Session<'_>) -> Option<Kuery> {
    let mut many = |parts: &[Expr]| -> Option<Vec<Kuery>> {
        parts.iter().map(|part| exact(seen, part, session)).collect()
    };
    match expr {
        Expr::All(parts) => many(parts).map(Kuery::And),
        Expr::Any(parts) => many(parts).map(Kuery::Or),
        Expr::Not(part) => match session.negated(|session| exact(seen, part, session))? {
            Kuery::Not(inner) => Some(*inner),
            inner @ (Kuery::And(_)
            | Kuery::Or(_)
            | Kuery::Field(..)
            | Kuery::Range(..)
            | Kuery::Nested(..)
            | Kuery::Anywhere(_)) => Some(Kuery::Not(Box::new(inner))),
        },
        Expr::Test(test) => exact_test(seen, test, session),
    }
}

fn exact_test(seen: Seen<'_>, test: &Test, session: &mut Session<'_>) -> Option<Kuery> {
    let field = &test.subject.field;
    if let (Op::Text(text), true) = (&test.op, *field == Field::EVERY) {
        let keywords = &seen.stream.keywords;
        let said = (!keywords.is_empty()).then(|| words::kuery(keywords, (test, text), session));
        return said.flatten();
    }
    if field.kind() == FieldType::Account && test.subject.part == Part::Whole {
        return None;
    }
    // A value in one of several fields is for a filter.
    let [ecs] = *fields::of_test(seen.stream, test) else { return None };
    filter::note(seen.stream, ecs, test, session);
    if name_beside(seen, ecs, test).is_some() && !test.op.is_equality() {
        return None;
    }
    let values = |values| Some(Kuery::field(&ecs.name, values));
    let note_presence =
        |session: &mut Session<'_>| registry::note_value_names(seen, ecs, test, session);
    match &test.op {
        Op::Text(asked) if ecs.words != Words::Own => word(ecs, test, asked, session),
        Op::Text(text) if ecs.kind.is_analysed() => {
            words::kuery(std::slice::from_ref(ecs), (test, text), session)
        }
        Op::Text(text) if text.folds() && ecs.caseless && seen.caseless => {
            let lowered = caseless(text, ecs)?;
            Some(Kuery::field(&ecs.lowered(), Values::any(lowered)))
        }
        // The filter asks for the decoded form of each value as well.
        Op::Text(_) if decoding::decodes(seen.stream, ecs) => None,
        Op::Text(text) if !text.folds() && ecs.kind == FieldKind::Keyword => {
            let written = text.values.iter().map(|p| keyword_value(text.relation, p, ecs));
            values(Values::any(written.collect::<Option<Vec<_>>>()?))
        }
        Op::Networks(networks) if ecs.kind == FieldKind::Ip => {
            values(Values::any(networks.iter().map(network_value)))
        }
        Op::Public if ecs.kind == FieldKind::Ip => values(public()),
        Op::Numbers(ranges) if ranges.iter().all(|range| range.from == range.to) => {
            values(Values::any(numbers(ecs, ranges)?))
        }
        Op::Numbers(ranges) if ecs.kind == FieldKind::Long => range_query(ecs, ranges),
        Op::Exists => {
            note_presence(session);
            values(Values::One(Literal::anything()))
        }
        Op::Null => {
            session.negated(note_presence);
            let there = Kuery::field(&ecs.name, Values::One(Literal::anything()));
            Some(Kuery::Not(Box::new(there)))
        }
        Op::Text(..)
        | Op::Networks(_)
        | Op::Numbers(_)
        | Op::Public
        | Op::Regex(_)
        | Op::Segments(_)
        | Op::Same(..) => None,
    }
}

/// A public address: one that is there, outside the networks that are not public
fn public() -> Values {
    let not = Values::Not(Box::new(Values::any(NON_PUBLIC.iter().map(network_value))));
    Values::All(vec![Values::One(Literal::anything()), not])
}

/// A test of a field that has words of its own for values
fn word(
    ecs: &IndexField,
    test: &Test,
    asked: &TextTest,
    session: &mut Session<'_>,
) -> Option<Kuery> {
    let values = |values| Some(Kuery::field(&ecs.name, values));
    match &ecs.words {
        Words::Of(_) => {
            filter::note_actions(ecs, test, asked, session);
            let words = ecs.words_for(&asked.literals().collect::<Vec<_>>());
            values(Values::any(words.into_iter().map(Literal::word)))
        }
        Words::ExistsFor(value) if asked.only() == Some(value) => {
            registry::note_empty_data(Direction::Narrower, test, session);
            values(Values::One(Literal::anything()))
        }
        Words::False(incoming) => direction(&ecs.name, incoming, asked),
        Words::ExistsFor(_) | Words::Own => None,
    }
}

/// Single numbers, quoted where the index keeps them as text
fn numbers(ecs: &IndexField, ranges: &[Numbers]) -> Option<Vec<Literal>> {
    let literal = |range: &Numbers| match ecs.kind == FieldKind::Long {
        true => Some(number(range.from)),
        false => Literal::quoted(&range.from.to_string()),
    };
    ranges.iter().map(literal).collect()
}

/// The literal for a case-sensitive test of a keyword
///
/// `None` for a wildcard over a field that can hold values too long for the index.
fn keyword_value(relation: Relation, pattern: &Pattern, ecs: &IndexField) -> Option<Literal> {
    if relation == Relation::Equals {
        return Literal::quoted(pattern.as_literal()?);
    }
    let start = matches!(relation, Relation::Ends | Relation::Contains).then_some(Token::Any);
    let end = matches!(relation, Relation::Starts | Relation::Contains).then_some(Token::Any);
    let tokens = pattern.tokens().iter().cloned();
    let open = Pattern::of(start.into_iter().chain(tokens).chain(end));
    if ecs.long.is_some() { None } else { Literal::wildcard(&open) }
}

/// The literals for a test of a value in lower case
///
/// `None` for a wildcard over a field that can hold values too long for the sub-field, and for letters
/// beyond ASCII, which Elasticsearch may lower otherwise than the engine.
fn caseless(text: &TextTest, ecs: &IndexField) -> Option<Vec<Literal>> {
    if ecs.kind == FieldKind::Wildcard && text.relation != Relation::Equals {
        return None;
    }
    let one = |pattern: &Pattern| {
        let plain = !pattern.literals().any(has_wide_case);
        let lowered = plain.then(|| pattern.map_literals(str::to_ascii_lowercase))?;
        keyword_value(text.relation, &lowered, ecs)
    };
    text.values.iter().map(one).collect()
}

fn number(number: i64) -> Literal {
    Literal::word(&number.to_string())
}

fn network_value(network: &IpNet) -> Literal {
    Literal::Quoted(network.to_string())
}

/// Single numbers as a list, then a pair of limits for each range
fn range_query(ecs: &IndexField, ranges: &[Numbers]) -> Option<Kuery> {
    if !ranges.iter().any(Numbers::has_whole) {
        return None;
    }
    let singles = ranges.iter().filter(|range| range.is_one()).map(|range| number(range.from));
    let singles: Vec<Literal> = singles.collect();
    let mut parts = Vec::new();
    if !singles.is_empty() {
        parts.push(Kuery::field(&ecs.name, Values::any(singles)));
    }
    let field = Pattern::literal(&ecs.name);
    let limit = |bound, to| Kuery::Range(field.clone(), bound, number(to));
    for range in ranges.iter().filter(|range| range.has_whole() && !range.is_one()) {
        let (from, to) = range.ends();
        let from = from.map(|from| limit(Bound::AtLeast, from));
        let to = to.map(|to| limit(Bound::AtMost, to));
        parts.push(Kuery::And(from.into_iter().chain(to).collect()));
    }
    Some(Kuery::Or(parts))
}

/// A test of `Initiated` by `network.direction`: `false` is an incoming connection
fn direction(field: &str, incoming: &[String], words: &TextTest) -> Option<Kuery> {
    let incoming = Values::any(incoming.iter().filter_map(|word| Literal::quoted(word)));
    match words.only() {
        Some("false") => Some(Kuery::field(field, incoming)),
        Some("true") => {
            let there = Values::One(Literal::anything());
            let not = Values::Not(Box::new(incoming));
            Some(Kuery::field(field, Values::All(vec![there, not])))
        }
        _ => None,
    }
}
