//! A signal as query and filters.
//!
//! In: a [`Signal`]. Out: a [`Plan`] in one of two languages. Kibana's own is taken where it says
//! every clause exactly, and where Kibana demands it; else EQL, which says more. A clause that EQL
//! does not have is a filter.
//!
//! In Kibana's language the query is readable and never misses a match: it holds the clauses that the
//! language expresses exactly, and for names a phrase on the analysed sub-field, which matches more. A
//! filter restores the exact meaning of each clause that the query only approximates. A negated part
//! without an exact form is in a filter only.

use std::fmt;

use ipnet::IpNet;

use super::eql;
use super::fields;
use super::filter;
use super::registry::{self, Seen};
use super::words;
use crate::backend::{Session, one_line};
use crate::ir::{
    Clause, Expr, NON_PUBLIC, Numbers, Op, Part, Relation, Role, Signal, Test, TextTest,
};
use crate::mapping::{self, FieldKind, Holds, Index, IndexField, Stream, Words};
use crate::pattern::{Pattern, Token};
use crate::query::elasticsearch::{Filter, Query};
use crate::query::eql::{Condition, Eql};
use crate::query::kuery::{Kuery, Literal, Values};
use crate::taxonomy::{Field, FieldType};

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
    /// Kibana's language where it says every clause exactly, else EQL where it does so
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
    if languages == Languages::Eql {
        return in_eql(seen, signal, session);
    }
    if languages == Languages::Auto {
        let says_all = |plan: &Plan| plan.filters.is_empty();
        let plain = session.attempt(|session| in_kuery(seen, signal, session), says_all);
        let said =
            plain.or_else(|| session.attempt(|session| in_eql(seen, signal, session), says_all));
        if let Some(said) = said {
            return said;
        }
    }
    in_kuery(seen, signal, session)
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

/// The signal in Kibana's language
fn in_kuery(seen: Seen<'_>, signal: &Signal, session: &mut Session<'_>) -> Plan {
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

/// The parts of the query and the filter for a clause that must hold
fn of_requirement(
    seen: Seen<'_>,
    clause: &Clause,
    session: &mut Session<'_>,
) -> (Option<Kuery>, Option<Filter>) {
    if let Some(exact) = exact(seen, &clause.expr, session) {
        return (Some(exact), None);
    }
    let wider = if seen.text { superset(seen.stream, &clause.expr) } else { None };
    let filter = kibana_filter(clause, seen, session);
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

/// The fields that select documents of the signal's log source and product, with their words
fn scope(signal: &Signal, stream: &Stream) -> Vec<(String, Vec<String>)> {
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
fn kibana_filter(clause: &Clause, seen: Seen<'_>, session: &mut Session<'_>) -> Filter {
    let query = filter::query(seen, &clause.expr, session);
    let alias = match (clause.role, &*clause.label) {
        (Role::Require, label) => format!("{label}, exactly"),
        (Role::Exclude, "") => "not: exclusion".to_owned(),
        (Role::Exclude, label) => format!("not: {label}"),
    };
    Filter { alias: one_line(&alias), negate: clause.role == Role::Exclude, query }
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
    fields::note_wider(ecs, test, session);
    let values = |values| Some(Kuery::field(&ecs.name, values));
    let note_presence =
        |session: &mut Session<'_>| registry::note_value_names(seen, ecs, test, session);
    match &test.op {
        Op::Text(asked) if ecs.words != Words::Own => word(ecs, test, asked, session),
        Op::Text(text) if ecs.kind.is_analysed() => {
            words::kuery(std::slice::from_ref(ecs), (test, text), session)
        }
        Op::Text(text) if !text.folds() && ecs.kind == FieldKind::Keyword => {
            let written = text.values.iter().map(|p| keyword_value(text.relation, p, ecs));
            values(Values::any(written.collect::<Option<Vec<_>>>()?))
        }
        Op::Networks(networks) if ecs.kind == FieldKind::Ip => {
            values(Values::any(networks.iter().map(network_value)))
        }
        Op::Public if ecs.kind == FieldKind::Ip => {
            let networks = NON_PUBLIC.iter().map(network_value);
            let not = Values::Not(Box::new(Values::any(networks)));
            values(Values::All(vec![Values::One(Literal::anything()), not]))
        }
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

fn number(number: i64) -> Literal {
    Literal::word(&number.to_string())
}

fn network_value(network: &IpNet) -> Literal {
    Literal::Quoted(network.to_string())
}

fn range_query(ecs: &IndexField, ranges: &[Numbers]) -> Option<Kuery> {
    // A range (`field >= 1`) cannot be in a field's group of values, so short ranges are listed.
    if !ranges.iter().any(Numbers::has_whole) {
        return None;
    }
    let short = ranges.iter().all(|range| range.to.saturating_sub(range.from) < 50);
    let numbers = ranges.iter().flat_map(|range| range.from..=range.to);
    short.then(|| Kuery::field(&ecs.name, Values::any(numbers.map(number))))
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

/// A readable expression that matches at least the same documents
///
/// `None` when Elasticsearch could answer no such expression from an index.
fn superset(stream: &Stream, expr: &Expr) -> Option<Kuery> {
    match expr {
        Expr::All(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(|part| superset(stream, part)).collect();
            (!parts.is_empty()).then_some(Kuery::And(parts))
        }
        Expr::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| superset(stream, part)).collect();
            parts.map(joined)
        }
        Expr::Not(_) => None,
        Expr::Test(test) => superset_test(stream, test),
    }
}

/// Joins alternatives by `or`; alternatives on one field become one list
fn joined(parts: Vec<Kuery>) -> Kuery {
    let parts: Vec<Kuery> = parts.into_iter().map(Kuery::optimised).collect();
    let mut lists: Vec<(&Pattern, Vec<Values>)> = Vec::new();
    for part in &parts {
        let Kuery::Field(name, values) = part else { return Kuery::Or(parts) };
        let values = match values {
            Values::Any(values) => values.clone(),
            one @ (Values::One(_) | Values::All(_) | Values::Not(_)) => vec![one.clone()],
        };
        match lists.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => list.extend(values),
            None => lists.push((name, values)),
        }
    }
    match &*lists {
        [(name, values)] => {
            let mut values = values.clone();
            values.sort_by_key(|value| match value {
                Values::One(value) => value.unquoted().to_lowercase(),
                Values::Any(_) | Values::All(_) | Values::Not(_) => String::new(),
            });
            values.dedup();
            Kuery::Field((*name).clone(), Values::Any(values))
        }
        _ => Kuery::Or(parts),
    }
}

fn superset_test(stream: &Stream, test: &Test) -> Option<Kuery> {
    let text = test.op.as_text()?;
    let ecs = fields::of_part(stream, &test.subject.field, test.subject.part)?;
    if !ecs.text {
        return None;
    }
    let values = text.values.iter().map(|pattern| match text.relation {
        Relation::Equals => phrase(pattern.as_literal()?),
        Relation::Starts | Relation::Wildcard => prefix(pattern),
        Relation::Ends | Relation::Contains => None,
    });
    Some(Kuery::field(&ecs.analysed(), Values::any(values.collect::<Option<Vec<_>>>()?)))
}

/// The value as a phrase: the same words in sequence, whatever their case
///
/// Equal values have equal words, so the phrase matches every value that the test matches. `None`
/// for a value without any word, since its phrase would match nothing.
fn phrase(text: &str) -> Option<Literal> {
    text.chars().any(char::is_alphanumeric).then(|| Literal::quoted(text)).flatten()
}

/// The letters and digits a value starts with, as the start of a word
///
/// The analyser never splits a run of ASCII letters, digits and underscores, so the first word of
/// a matching value starts with that run. After the run it may split anywhere (`tomcat9.exe`
/// becomes `tomcat9` and `exe`), so the pattern ends with the run.
fn prefix(pattern: &Pattern) -> Option<Literal> {
    let Some(Token::Literal(first)) = pattern.tokens().first() else { return None };
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = first.find(|c: char| !joins(c)).unwrap_or(first.len());
    let run = &first[..end];
    let speaks = run.len() >= 2 && run.starts_with(|c: char| c.is_ascii_alphanumeric());
    let open = Pattern::of([Token::Literal(run.to_owned()), Token::Any]);
    speaks.then(|| Literal::wildcard(&open)).flatten()
}
