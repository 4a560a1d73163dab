//! Text tests as Elasticsearch's own queries.
//!
//! In: a text test and an index field. Out: a query for each value, by the field's type and the words
//! that it holds. A form with a limit is a named loss; a test without an exact form is refused.

use super::decoding;
use super::fields::refuse;
use super::registry::Seen;
use super::words;
use crate::backend::Session;
use crate::backend::expression::{self, Around};
use crate::ir::{Case, Part, Relation, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{FieldKind, Holds, IndexField, Words};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::elasticsearch::{self, Lucene, Query};

/// A text test over an ECS field; `text` may be another form of the comparison in `test`
pub(super) struct Shape<'t> {
    pub(super) seen: Seen<'t>,
    pub(super) test: &'t Test,
    pub(super) ecs: &'t IndexField,
    pub(super) text: &'t TextTest,
}

/// A query for each value
pub(super) fn texts(shape: &Shape<'_>, session: &mut Session<'_>) -> Vec<Query> {
    let forms = |value| {
        let forms = decoding::forms((shape.seen.stream, shape.ecs), shape.test, value, session);
        Query::any(forms.iter().map(|form| one_text(shape, form, session)).collect())
    };
    shape.text.values.iter().map(forms).collect()
}

fn one_text(shape: &Shape<'_>, value: &Pattern, session: &mut Session<'_>) -> Query {
    let Shape { test, ecs, text, .. } = *shape;
    let relation = text.relation;
    match (&ecs.words, ecs.kind) {
        (Words::Own, FieldKind::Keyword | FieldKind::Wildcard) => {
            one_keyword(shape, value, session)
        }
        (Words::Own, FieldKind::Text | FieldKind::MatchOnlyText) => {
            let text = &text.with(vec![value.clone()]);
            words::query(std::slice::from_ref(ecs), (test, text), session)
        }
        // Elasticsearch knows no wildcards over the values of a flattened field.
        (Words::Own, FieldKind::Flattened)
            if relation == Relation::Equals && value.as_literal().is_some() =>
        {
            one_keyword(shape, value, session)
        }
        (Words::Own, FieldKind::Flattened) => {
            refuse(session, test, "a part of a value of a flattened field")
        }
        (Words::Own, FieldKind::Boolean) => {
            let said = value.as_literal().map(str::to_ascii_lowercase);
            match (relation, said.as_deref()) {
                (Relation::Equals, Some(said @ ("true" | "false"))) => {
                    Query::terms(&ecs.name, [said == "true"])
                }
                _ => refuse(session, test, "a truth compares with true and false only"),
            }
        }
        (Words::Own, FieldKind::Ip) => address(ecs, test, (relation, value), session),
        (Words::Own, FieldKind::Long) => {
            refuse(session, test, "a number compares with numbers only")
        }
        (Words::Of(_), _) => {
            let values: Vec<&str> = value.as_literal().into_iter().collect();
            Query::terms(&ecs.name, ecs.words_for(&values))
        }
        (Words::ExistsFor(_), _) => {
            refuse(session, test, "what happened to a key inside another test")
        }
        (Words::False(words), _) => direction(shape, words, value, session),
    }
}

/// A query for a value that the index holds as a whole
fn one_keyword(shape: &Shape<'_>, value: &Pattern, session: &mut Session<'_>) -> Query {
    let Shape { seen, test, ecs, text } = *shape;
    let (relation, insensitive) = (text.relation, text.folds());
    let exact = relation == Relation::Equals;
    if let (Some(limit), FieldKind::Keyword, false) = (ecs.long, ecs.kind, exact) {
        let reason =
            format!("a {} of more than {limit} characters is not indexed in Elastic", ecs.name);
        session.lose(LossName::LongValue, Direction::Narrower, test.span, &reason);
    }
    if relation == Relation::Contains && value.as_literal() == Some("") {
        return with_a_dot(Query::exists(&ecs.name), (seen, ecs), test);
    }
    let field = ecs.name.clone();
    // `case_insensitive` folds letters of ASCII only.
    let wide = insensitive && value.literals().any(has_wide_case);
    let cases = wide.then(|| any_case(relation, value)).flatten();
    if wide && cases.is_none() {
        let reason = format!("`{value}` matches only in the case it is written in, beyond ASCII");
        session.lose(LossName::Case, Direction::Narrower, test.span, &reason);
    }
    let query = match cases {
        Some(Lucene { written, fold }) => {
            let test = elasticsearch::Test::Regexp(written);
            Query::Value { field, test, fold }
        }
        None => Query::Value { field, test: whole(relation, value), fold: insensitive },
    };
    if exact { query } else { with_a_dot(query, (seen, ecs), test) }
}

/// A query for extensions, of documents whose name has a dot
///
/// The extension in ECS may come from a dot in a directory; the extension of one literal shows whether it
/// does, every other test has to ask for the dot.
pub(super) fn with_a_dot(query: Query, (seen, ecs): (Seen<'_>, &IndexField), test: &Test) -> Query {
    match name_beside(seen, ecs, test) {
        Some(name) => {
            let dot = Pattern::of([Token::Any, Token::Literal(".".to_owned()), Token::Any]);
            let test = elasticsearch::Test::Wildcard(dot);
            let named = Query::Value { field: name.name.clone(), test, fold: false };
            Query::all(vec![query, named])
        }
        None => query,
    }
}

/// The name that shows whether an extension comes from a dot in a directory
pub(super) fn name_beside<'s>(
    seen: Seen<'s>,
    ecs: &IndexField,
    test: &Test,
) -> Option<&'s IndexField> {
    let may_be_of_directory = test.subject.part == Part::Extension && ecs.path_dot;
    may_be_of_directory.then(|| seen.stream.field(&test.subject.field, Holds::Name)).flatten()
}

/// A regular expression for a value with letters beyond ASCII in any case; `None` when it is too long
fn any_case(relation: Relation, value: &Pattern) -> Option<Lucene> {
    let (around, value) = match relation {
        Relation::Equals | Relation::Wildcard => (Around::Ends, value.clone()),
        Relation::Starts => (Around::Start, value.clone()),
        Relation::Contains => (Around::Nothing, value.clone()),
        Relation::Ends => {
            let open = [Token::Any].into_iter().chain(value.tokens().iter().cloned());
            (Around::Ends, Pattern::of(open))
        }
    };
    let written = expression::regex(&[value], Case::Insensitive, around);
    elasticsearch::lucene(&written).ok()
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
pub(super) fn part_of_whole(
    seen: Seen<'_>,
    test: &Test,
    ecs: &IndexField,
    session: &mut Session<'_>,
) -> Query {
    let Some(text) = test.op.as_text() else {
        return refuse(session, test, "this test over a part of a path");
    };
    let mut queries = Vec::new();
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
        queries.extend(texts(&Shape { seen, test, ecs, text }, session));
    }
    Query::any(queries)
}

/// A text test of an address: with an address, or with `-`, which no index keeps
fn address(
    ecs: &IndexField,
    test: &Test,
    (relation, value): (Relation, &Pattern),
    session: &mut Session<'_>,
) -> Query {
    match (relation, value.as_literal()) {
        (Relation::Equals, Some("-")) => {
            let reason = "`-` in place of an address cannot be told from a missing one in Elastic";
            session.lose(LossName::Empty, Direction::Wider, test.span, reason);
            Query::none_of(vec![Query::exists(&ecs.name)])
        }
        (Relation::Equals, Some(text)) if text.parse::<std::net::IpAddr>().is_ok() => {
            Query::terms(&ecs.name, [text])
        }
        _ => refuse(session, test, "an address field compares with networks only"),
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
