//! Kibana filters: exact tests in Elasticsearch's own query language.
//!
//! In: an expression of a signal. Out: a query that matches exactly the documents that the rule
//! matches: `case_insensitive` folds ASCII, `wildcard` and `term` compare whole values. A test
//! without an exact form is refused; a form with a limit is a named loss.

use super::fields;
use super::registry::{self, Seen};
use super::words;
use crate::backend::{Session, account};
use crate::ir::{Case, Expr, NON_PUBLIC, Numbers, Op, Part, Relation, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{FieldKind, Holds, IndexField, Words};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::elasticsearch;
use crate::query::elasticsearch::{Limit, Query, Scalar};
use crate::taxonomy::{Field, FieldType};

/// The place of a refused test; a query that contains it is never written
const UNSAID: Query = Query::Nothing;

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
        return words::query(&stream.keywords, (test, text), session);
    }
    if field.kind() == FieldType::Account && test.subject.part == Part::Whole {
        return account(seen, test, session);
    }
    let Some(ecs) = fields::of_test(stream, test) else {
        if let Some(ecs) = stream.field(field, Holds::Whole) {
            return part_of_whole(seen, test, ecs, session);
        }
        return absent(seen, test, session);
    };
    match &test.op {
        Op::Text(actions) if matches!(ecs.words, Words::Of(_)) => {
            note_actions(ecs, test, actions, session);
            Query::terms(&ecs.name, ecs.words_for(&actions.literals().collect::<Vec<_>>()))
        }
        Op::Text(actions) if let Words::ExistsFor(value) = &ecs.words => {
            registry::actions((ecs, value), test, actions, session)
        }
        Op::Segments(values) if test.subject.part == Part::Key => {
            let found = registry::keys((seen, ecs), test, values, session);
            Query::any(found)
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
        Op::Regex(_) => refuse(
            session,
            test,
            "neither Kibana's query language nor its filters have the rule's regular expressions",
        ),
        Op::Networks(networks) => Query::terms(&ecs.name, networks.iter().map(ToString::to_string)),
        Op::Public => {
            let inside = Query::terms(&ecs.name, NON_PUBLIC.iter().map(ToString::to_string));
            Query::all_but(vec![Query::exists(&ecs.name)], vec![inside])
        }
        Op::Numbers(ranges) => numbers(ecs, (test, ranges), session),
        Op::Exists => {
            registry::note_value_names(seen, ecs, test, session);
            Query::exists(&ecs.name)
        }
        Op::Null => {
            session.negated(|session| registry::note_value_names(seen, ecs, test, session));
            Query::none_of(vec![Query::exists(&ecs.name)])
        }
        Op::Same(..) => refuse(session, test, "Kibana cannot compare two fields"),
    }
}

fn refuse(session: &mut Session<'_>, test: &Test, message: &str) -> Query {
    session.refuse(test.span, message.to_owned(), "no exact form", "");
    UNSAID
}

/// Patterns for a path that contains the directories, with `\` and with `/`; a file name may follow
fn segments(value: &Pattern) -> [Pattern; 2] {
    let rooted = value.literals().next().is_some_and(|text| !text.starts_with('/'));
    let start = (!rooted).then_some(Token::Any);
    let tokens = value.tokens().iter().cloned();
    let open = Pattern::of(start.into_iter().chain(tokens).chain([Token::Any]));
    [open.map_literals(|text| text.replace('/', "\\")), open]
}

/// A text test over an ECS field; `text` may be another form of the comparison in `test`
struct Shape<'t> {
    seen: Seen<'t>,
    test: &'t Test,
    ecs: &'t IndexField,
    text: &'t TextTest,
}

/// A query for each value
fn texts(shape: &Shape<'_>, session: &mut Session<'_>) -> Vec<Query> {
    shape.text.values.iter().map(|value| one_text(shape, value, session)).collect()
}

fn one_text(shape: &Shape<'_>, value: &Pattern, session: &mut Session<'_>) -> Query {
    let Shape { seen, test, ecs, text } = *shape;
    let (relation, insensitive) = (text.relation, text.folds());
    match (&ecs.words, ecs.kind) {
        (Words::Own, FieldKind::Keyword | FieldKind::Wildcard) => {}
        (Words::Own, FieldKind::Text | FieldKind::MatchOnlyText) => {
            let text = &text.with(vec![value.clone()]);
            return words::query(std::slice::from_ref(ecs), (test, text), session);
        }
        // Elasticsearch knows no wildcards over the values of a flattened field.
        (Words::Own, FieldKind::Flattened)
            if relation == Relation::Equals && value.as_literal().is_some() => {}
        (Words::Own, FieldKind::Flattened) => {
            return refuse(session, test, "a part of a value of a flattened field");
        }
        (Words::Own, FieldKind::Boolean) => {
            let said = value.as_literal().map(str::to_ascii_lowercase);
            return match (relation, said.as_deref()) {
                (Relation::Equals, Some(said @ ("true" | "false"))) => {
                    Query::terms(&ecs.name, [said == "true"])
                }
                _ => refuse(session, test, "a truth compares with true and false only"),
            };
        }
        (Words::Own, FieldKind::Ip) => {
            return refuse(session, test, "an address field compares with networks only");
        }
        (Words::Own, FieldKind::Long) => {
            return refuse(session, test, "a number compares with numbers only");
        }
        (Words::Of(_), _) => {
            let values: Vec<&str> = value.as_literal().into_iter().collect();
            return Query::terms(&ecs.name, ecs.words_for(&values));
        }
        (Words::ExistsFor(_), _) => {
            return refuse(session, test, "what happened to a key inside another test");
        }
        (Words::False(words), _) => return direction(shape, words, value, session),
    }
    if insensitive && value.literals().any(has_wide_case) {
        let reason = format!("`{value}` matches only in the case it is written in, beyond ASCII");
        session.lose(LossName::Case, Direction::Narrower, test.span, &reason);
    }
    let exact = relation == Relation::Equals;
    if let (Some(limit), FieldKind::Keyword, false) = (ecs.long, ecs.kind, exact) {
        let reason =
            format!("a {} of more than {limit} characters is not indexed in Elastic", ecs.name);
        session.lose(LossName::LongValue, Direction::Narrower, test.span, &reason);
    }
    if ecs.decoded && value.literals().any(|text| text.contains(['%', '+'])) {
        let reason = "Elastic's pipeline for IIS decodes url.query before it is compared";
        session.lose(LossName::Encoding, Direction::Narrower, test.span, reason);
    }
    if relation == Relation::Contains && value.as_literal() == Some("") {
        return Query::exists(&ecs.name);
    }
    let field = ecs.name.clone();
    let found = Query::Value { field, test: whole(relation, value), fold: insensitive };
    let name = seen.stream.field(&test.subject.field, Holds::Name);
    if let (Part::Extension, true, false, Some(name)) =
        (test.subject.part, ecs.path_dot, exact, name)
    {
        // The ECS extension may come from a dot in a directory, so the name must have a dot too.
        let dot = Pattern::of([Token::Any, Token::Literal(".".to_owned()), Token::Any]);
        let test = elasticsearch::Test::Wildcard(dot);
        let named = Query::Value { field: name.name.clone(), test, fold: false };
        return Query::all(vec![found, named]);
    }
    found
}

/// The Elasticsearch test for a relation; a literal without wildcards needs no `wildcard` test
fn whole(relation: Relation, value: &Pattern) -> elasticsearch::Test {
    use elasticsearch::Test;
    let open = |start: bool, end: bool| {
        let any = |open: bool| open.then_some(Token::Any);
        let tokens = value.tokens().iter().cloned();
        Test::Wildcard(Pattern::of(any(start).into_iter().chain(tokens).chain(any(end))))
    };
    match (relation, value.as_literal()) {
        (Relation::Equals, Some(literal)) => Test::Term(literal.into()),
        (Relation::Starts, Some(literal)) => Test::Prefix(literal.into()),
        (Relation::Ends, _) => open(true, false),
        (Relation::Contains, _) => open(true, true),
        (Relation::Equals | Relation::Starts | Relation::Wildcard, _) => open(false, false),
    }
}

/// A test of a name or an extension where ECS has only the whole path
fn part_of_whole(
    seen: Seen<'_>,
    test: &Test,
    ecs: &IndexField,
    session: &mut Session<'_>,
) -> Query {
    let Some(text) = test.op.as_text() else {
        return refuse(session, test, "this test over a part of a path");
    };
    let mut found = Vec::new();
    for value in &text.values {
        let Some(literal) = value.as_literal() else {
            return refuse(session, test, "wildcards over a part of a path");
        };
        let (relation, values) = match (test.subject.part, text.relation) {
            (Part::Extension, Relation::Equals) => {
                (Relation::Ends, vec![Pattern::literal(&format!(".{literal}"))])
            }
            (Part::Name, Relation::Ends) => (Relation::Ends, vec![value.clone()]),
            (Part::Name, Relation::Equals) => {
                let after = |separator: &str| {
                    Pattern::of([Token::Any, Token::Literal(format!("{separator}{literal}"))])
                };
                (Relation::Wildcard, vec![value.clone(), after("/"), after("\\")])
            }
            _ => return refuse(session, test, "this test over a part of a path"),
        };
        let text = &TextTest { relation, values, case: text.case };
        found.extend(texts(&Shape { seen, test, ecs, text }, session));
    }
    Query::any(found)
}

/// Notes a loss when the index field has one word for an action that is asked and another one
pub(super) fn note_actions(
    ecs: &IndexField,
    test: &Test,
    actions: &TextTest,
    session: &mut Session<'_>,
) {
    if ecs.confuses(&actions.literals().collect::<Vec<_>>()) {
        let reason = "ECS does not tell a modified file from a renamed one";
        session.lose(LossName::Actions, Direction::Wider, test.span, reason);
    }
}

/// A test of `Initiated`: `true` is an outgoing connection, `false` an incoming connection
fn direction(
    shape: &Shape<'_>,
    incoming: &[String],
    value: &Pattern,
    session: &mut Session<'_>,
) -> Query {
    let field = &shape.ecs.name;
    let said = value.as_literal().map(str::to_ascii_lowercase);
    let fits = |word: &str| match (shape.text.relation, said.as_deref()) {
        (Relation::Equals, Some(said)) => word == said,
        (Relation::Starts, Some(said)) => word.starts_with(said),
        (Relation::Ends, Some(said)) => word.ends_with(said),
        (Relation::Contains, Some(said)) => word.contains(said),
        (Relation::Wildcard, _) | (_, None) => false,
    };
    let incoming = Query::terms(field, incoming.iter().cloned());
    match (fits("true"), fits("false")) {
        (true, true) => Query::exists(field),
        (true, false) => Query::all_but(vec![Query::exists(field)], vec![incoming]),
        (false, true) => incoming,
        (false, false) => refuse(session, shape.test, "a direction is true or false"),
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
        let from = (range.from != i64::MIN).then(|| (Limit::AtLeast, Scalar::from(range.from)));
        let to = (range.to != i64::MAX || range.from == i64::MIN)
            .then(|| (Limit::AtMost, Scalar::from(range.to)));
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
    let text = match &test.op {
        Op::Exists => return Query::exists(&name.name),
        Op::Null => return Query::none_of(vec![Query::exists(&name.name)]),
        Op::Text(text) => text,
        _ => return refuse(session, test, "a test over domain and name together"),
    };
    let Some((domain, name)) = halves else {
        return Query::any(texts(&Shape { seen, test, ecs: name, text }, session));
    };
    let Some(alternatives) = account::parts(text) else {
        return refuse(session, test, "wildcards over domain and name together");
    };
    let mut found = Vec::new();
    for parts in alternatives {
        let mut all = Vec::new();
        for (ecs, part) in [(domain, parts.domain), (name, parts.name)] {
            let Some(text) = &part else { continue };
            all.push(Query::any(texts(&Shape { seen, test, ecs, text }, session)));
        }
        let bare = parts.bare.then(|| Query::exists(&domain.name));
        found.push(match (all.len(), &bare) {
            (1, None) => all.swap_remove(0),
            _ => Query::all_but(all, bare.into_iter().collect()),
        });
    }
    Query::any(found)
}

fn absent(seen: Seen<'_>, test: &Test, session: &mut Session<'_>) -> Query {
    let (field, events) = (&test.subject.field, &seen.stream.events);
    let message = format!("{} has no field for {field} of {events} events", seen.stream.mapping);
    let help = "Leave the test out of this signal, or say it with another field.";
    session.refuse(test.span, message, "no such field", help);
    UNSAID
}
