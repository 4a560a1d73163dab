//! Kibana filters: exact tests in Elasticsearch's own query language.
//!
//! In: an expression of a signal. Out: a query that matches exactly the documents that the rule
//! matches: `case_insensitive` folds ASCII, `wildcard` and `term` compare whole values. A test
//! without an exact form is refused; a form with a limit is a named loss.

use super::decoding;
use super::fields::{self, UNSAID, refuse};
use super::gaps;
use super::network;
use super::registry::{self, Seen};
use super::text::{Shape, part_of_whole, texts, with_a_dot};
use super::words;
use crate::backend::{Session, account};
use crate::diagnostic::Cause;
use crate::ir::{
    Case, Expr, NON_PUBLIC, Numbers, Op, Part, RegexPattern, Relation, Test, TextTest,
};
use crate::manifest::{Direction, LossName};
use crate::mapping::{FieldKind, Holds, IndexField, Stream, Words};
use crate::pattern::{Pattern, Token};
use crate::query::elasticsearch::{self, Limit, Lucene, Query, Scalar};
use crate::taxonomy::{Field, FieldType};

/// An expression as an Elasticsearch query
pub(super) fn query(seen: Seen<'_>, expr: &Expr, session: &mut Session<'_>) -> Query {
    let mut many = |parts: &[Expr]| -> Vec<Query> {
        parts.iter().map(|part| query(seen, part, session)).collect()
    };
    match expr {
        Expr::All(parts) => Query::all(many(parts)),
        Expr::Any(parts) => Query::any(many(parts)),
        Expr::Not(part) => {
            Query::none_of(vec![session.negated(|session| query(seen, part, session))])
        }
        Expr::Test(test) => test_query(seen, test, session),
    }
}

fn test_query(seen: Seen<'_>, test: &Test, session: &mut Session<'_>) -> Query {
    let stream = seen.stream;
    let field = &test.subject.field;
    if let (Op::Text(text), true) = (&test.op, *field == Field::EVERY) {
        if stream.keywords.is_empty() {
            return refuse(session, test, "the indices have no field for keywords");
        }
        return keywords(seen, test, text, session);
    }
    if field.kind() == FieldType::Account && test.subject.part == Part::Whole {
        return account(seen, test, session);
    }
    let places = fields::of_test(stream, test);
    if places.is_empty() {
        let wholes: Vec<&IndexField> = stream.alternatives(field).collect();
        if wholes.is_empty() {
            return absent(seen, test, session);
        }
        let parts = wholes.into_iter().map(|ecs| part_of_whole(seen, test, ecs, session));
        return Query::any(parts.collect());
    }
    let queries = places.iter().map(|ecs| one_field(seen, ecs, test, session)).collect();
    // The value is missing when it is in none of the places.
    if test.op == Op::Null && places.len() > 1 { Query::all(queries) } else { Query::any(queries) }
}

/// A test of every value of the event, over the fields that keywords are searched in
fn keywords(seen: Seen<'_>, test: &Test, text: &TextTest, session: &mut Session<'_>) -> Query {
    let fields = &seen.stream.keywords;
    if fields.iter().all(|field| field.kind.is_analysed()) {
        return words::query(fields, (test, text), session);
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let reason = format!("keywords are searched in {}", names.join(" and "));
    session.lose(LossName::Keywords, Direction::Wider, test.span, &reason);
    let one = |ecs| {
        decoding::note(seen.stream, ecs, test, session);
        Query::any(texts(&Shape { seen, test, ecs, text }, session))
    };
    Query::any(fields.iter().map(one).collect())
}

/// Notes what a test of an index field loses, whatever the test is
pub(super) fn note(stream: &Stream, ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    fields::note_wider(ecs, test, session);
    gaps::note(stream, ecs, test, session);
    decoding::note(stream, ecs, test, session);
}

/// A test of one index field
fn one_field(seen: Seen<'_>, ecs: &IndexField, test: &Test, session: &mut Session<'_>) -> Query {
    note(seen.stream, ecs, test, session);
    match &test.op {
        Op::Text(actions) if matches!(ecs.words, Words::Of(_)) => {
            note_actions(ecs, test, actions, session);
            Query::terms(&ecs.name, ecs.words_for(&actions.literals().collect::<Vec<_>>()))
        }
        Op::Text(actions) if let Words::ExistsFor(value) = &ecs.words => {
            registry::actions((ecs, value), test, actions, session)
        }
        Op::Segments(values) if test.subject.part == Part::Key => {
            let queries = registry::keys((seen, ecs), test, values, session);
            Query::any(queries)
        }
        Op::Text(text) => {
            registry::note_value_names(seen, ecs, test, session);
            Query::any(texts(&Shape { seen, test, ecs, text }, session))
        }
        Op::Segments(values) => {
            let values = values.iter().flat_map(segments).collect();
            let text = &TextTest { relation: Relation::Wildcard, values, case: Case::Insensitive };
            Query::any(texts(&Shape { seen, test, ecs, text }, session))
        }
        Op::Regex(patterns) => regexes(ecs, test, patterns, session),
        Op::Networks(networks) if ecs.kind == FieldKind::Ip => {
            Query::terms(&ecs.name, networks.iter().map(ToString::to_string))
        }
        Op::Networks(networks) => {
            let texts: Option<Vec<_>> = networks.iter().map(network::patterns).collect();
            let Some(texts) = texts else {
                return refuse(session, test, "this network over addresses that are kept as text");
            };
            let (relation, values) = (Relation::Wildcard, texts.concat());
            let text = &TextTest { relation, values, case: Case::Insensitive };
            Query::any(self::texts(&Shape { seen, test, ecs, text }, session))
        }
        Op::Public if ecs.kind != FieldKind::Ip => {
            refuse(session, test, "public addresses that are kept as text")
        }
        Op::Public => {
            let inside = Query::terms(&ecs.name, NON_PUBLIC.iter().map(ToString::to_string));
            Query::all_but(vec![Query::exists(&ecs.name)], vec![inside])
        }
        Op::Numbers(ranges) => numbers(ecs, (test, ranges), session),
        Op::Exists => {
            registry::note_value_names(seen, ecs, test, session);
            with_a_dot(Query::exists(&ecs.name), (seen, ecs), test)
        }
        Op::Null => {
            session.negated(|session| registry::note_value_names(seen, ecs, test, session));
            Query::none_of(vec![with_a_dot(Query::exists(&ecs.name), (seen, ecs), test)])
        }
        Op::Same(..) => refuse(session, test, "Kibana cannot compare two fields"),
    }
}

/// Regular expressions over whole values
fn regexes(
    ecs: &IndexField,
    test: &Test,
    patterns: &[RegexPattern],
    session: &mut Session<'_>,
) -> Query {
    if !matches!(ecs.kind, FieldKind::Keyword | FieldKind::Wildcard) || ecs.words != Words::Own {
        return refuse(session, test, "a regular expression over a field of this type");
    }
    if let (Some(limit), FieldKind::Keyword) = (ecs.long, ecs.kind) {
        let reason =
            format!("a {} of more than {limit} characters is not indexed in Elastic", ecs.name);
        session.lose(LossName::LongValue, Direction::Narrower, test.span, &reason);
    }
    let mut queries = Vec::new();
    for pattern in patterns {
        match elasticsearch::lucene(pattern) {
            Ok(Lucene { written, fold }) => queries.push(Query::Value {
                field: ecs.name.clone(),
                test: elasticsearch::Test::Regexp(written),
                fold,
            }),
            Err(why) => return refuse(session, test, why),
        }
    }
    Query::any(queries)
}

/// Patterns for a path that contains the directories, with `\` and with `/`; a file name may follow
fn segments(value: &Pattern) -> [Pattern; 2] {
    let rooted = value.literals().next().is_some_and(|text| !text.starts_with('/'));
    let start = (!rooted).then_some(Token::Any);
    let tokens = value.tokens().iter().cloned();
    let open = Pattern::of(start.into_iter().chain(tokens).chain([Token::Any]));
    [open.map_literals(|text| text.replace('/', "\\")), open]
}

/// Notes a loss when the index field has one word for a value that is asked and another one; refuses a
/// value that it has no word for
pub(super) fn note_actions(
    ecs: &IndexField,
    test: &Test,
    actions: &TextTest,
    session: &mut Session<'_>,
) {
    if let Some(unknown) = actions.literals().find(|value| ecs.words_for(&[value]).is_empty()) {
        let message = format!("{} has no word for `{unknown}`", ecs.name);
        let field = test.subject.field.name().to_owned();
        let cause = Cause::Value { value: unknown.to_string(), field };
        session.refuse(cause, test.span, message, "no event of the index is one", "");
    }
    if ecs.confuses(&actions.literals().collect::<Vec<_>>()) {
        let reason = "ECS does not tell a modified file from a renamed one";
        session.lose(LossName::Actions, Direction::Wider, test.span, reason);
    }
}

/// A test of a field that holds whole numbers, as such or as text; a limit between two whole numbers
/// is the next one
fn numbers(
    ecs: &IndexField,
    (test, ranges): (&Test, &[Numbers]),
    session: &mut Session<'_>,
) -> Query {
    let field = &ecs.name;
    if ecs.kind != FieldKind::Long {
        return match ranges.iter().all(Numbers::is_one) {
            true => Query::terms(field, ranges.iter().map(|range| range.from.to_string())),
            false => refuse(session, test, "a range or a fraction of numbers kept as text"),
        };
    }
    if !ranges.iter().any(Numbers::has_whole) {
        return refuse(session, test, "a fraction, and the index holds whole numbers");
    }
    let singles: Vec<i64> =
        ranges.iter().filter(|range| range.is_one()).map(|range| range.from).collect();
    let mut parts = Vec::new();
    if !singles.is_empty() {
        parts.push(Query::terms(field, singles));
    }
    for range in ranges.iter().filter(|range| range.has_whole() && !range.is_one()) {
        let (from, to) = range.ends();
        let from = from.map(|from| (Limit::AtLeast, Scalar::from(from)));
        let to = to.map(|to| (Limit::AtMost, Scalar::from(to)));
        parts.push(Query::Range(field.clone(), from.into_iter().chain(to).collect()));
    }
    Query::any(parts)
}

/// A test of `DOMAIN\name`, which an index keeps whole or in two fields
fn account(seen: Seen<'_>, test: &Test, session: &mut Session<'_>) -> Query {
    let field = &test.subject.field;
    let whole = seen.stream.field(field, Holds::Whole);
    let halves = fields::account(seen.stream, field);
    let Some(name) = halves.map(|(_, name)| name).or(whole) else {
        return absent(seen, test, session);
    };
    gaps::note(seen.stream, name, test, session);
    let text = match &test.op {
        Op::Exists => return Query::exists(&name.name),
        Op::Null => return Query::none_of(vec![Query::exists(&name.name)]),
        Op::Text(text) => text,
        Op::Regex(_)
        | Op::Segments(_)
        | Op::Networks(_)
        | Op::Public
        | Op::Numbers(_)
        | Op::Same(..) => return refuse(session, test, "a test over domain and name together"),
    };
    let Some((domain, name)) = halves else {
        return Query::any(texts(&Shape { seen, test, ecs: name, text }, session));
    };
    let Some(alternatives) = account::parts(text) else {
        return refuse(session, test, "wildcards over domain and name together");
    };
    let mut queries = Vec::new();
    for parts in alternatives {
        let mut all = Vec::new();
        for (ecs, part) in [(domain, parts.domain), (name, parts.name)] {
            let Some(text) = &part else { continue };
            all.push(Query::any(texts(&Shape { seen, test, ecs, text }, session)));
        }
        let bare = parts.bare.then(|| Query::exists(&domain.name));
        queries.push(match (all.len(), &bare) {
            (1, None) => all.swap_remove(0),
            _ => Query::all_but(all, bare.into_iter().collect()),
        });
    }
    Query::any(queries)
}

fn absent(seen: Seen<'_>, test: &Test, session: &mut Session<'_>) -> Query {
    let (field, events) = (&test.subject.field, &seen.stream.events);
    let message = format!("{} has no field for {field} of {events} events", seen.stream.mapping);
    let help = format!(
        "Leave the test out of this signal, or use a field that the indices have: `rulecast show \
         mapping {}` shows them.",
        seen.stream.mapping
    );
    let cause = Cause::Field(field.name().to_owned());
    session.refuse(cause, test.span, message, "no such field", &help);
    UNSAID
}
