//! The index field of each test, and the indices of a signal.
//!
//! In: the stream of a signal's log source, and a test. Out: the [`IndexField`] that the test looks
//! at, or `None` when the stream has none. The indices of a rule are chosen so that each field it
//! uses has one type in all of them.

use std::cmp::Reverse;

use crate::backend::{Session, asked_of, compared};
use crate::diagnostic::Cause;
use crate::ir::{NewTerms, Op, Part, Signal, Test};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Holds, Index, IndexField, Stream};
use crate::query::elasticsearch::Query;
use crate::taxonomy::{Field, FieldType};

/// The place of a refused test; a query that contains it is never written
pub(super) const UNSAID: Query = Query::Nothing;

/// Refuses a test that has no exact form
pub(super) fn refuse(session: &mut Session<'_>, test: &Test, message: &str) -> Query {
    session.refuse(compared(test), test.span, message.to_owned(), "no exact form", "");
    UNSAID
}

/// The documents of a signal's log source, in the order in which mappings are asked
///
/// Those that are in more of the indices under `asked` come first.
pub(super) fn streams<'r>(
    session: &Session<'r>,
    signal: &'r Signal,
    asked: &[Index],
) -> Vec<&'r Stream> {
    let mut streams: Vec<&Stream> =
        session.mappings().streams(session.order(), asked_of(signal)).collect();
    if !asked.is_empty() {
        streams.sort_by_key(|stream| Reverse(indices(stream, signal, asked).len()));
    }
    streams
}

/// The index field that holds this part of a field
pub(super) fn of_part<'s>(stream: &'s Stream, field: &Field, part: Part) -> Option<&'s IndexField> {
    let holds = match part {
        Part::Whole => Holds::Whole,
        Part::Key => Holds::Key,
        Part::Name => Holds::Name,
        Part::Extension => Holds::Extension,
        Part::Argument(_) => Holds::Argument,
        Part::Time(_) => return None,
    };
    stream.field(field, holds)
}

/// The index fields that a test looks at: each document has the value in one of them
///
/// A stream may have no field for a registry key alone; then the path, which begins with the key,
/// shows whether the key is present.
pub(super) fn of_test<'s>(stream: &'s Stream, test: &Test) -> Vec<&'s IndexField> {
    let field = &test.subject.field;
    if test.subject.part == Part::Whole && stream.field(field, Holds::Whole).is_some() {
        return stream.alternatives(field).collect();
    }
    let presence = matches!(test.op, Op::Exists | Op::Null);
    let key = || stream.field(field, Holds::Key).filter(|_| presence);
    of_part(stream, field, test.subject.part).or_else(key).into_iter().collect()
}

/// Notes a loss where an index field holds more than the values of the rule's field
pub(super) fn note_wider(ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    if let Some(reason) = &ecs.wider {
        session.lose(LossName::Place, Direction::Wider, test.span, reason);
    }
}

/// The fields of an account: domain and name
pub(super) fn account<'s>(
    stream: &'s Stream,
    field: &Field,
) -> Option<(&'s IndexField, &'s IndexField)> {
    Some((stream.field(field, Holds::Domain)?, stream.field(field, Holds::Name)?))
}

/// The index fields whose values together form a new term
pub(super) fn terms<'s>(stream: &'s Stream, field: &Field) -> Vec<&'s str> {
    let parts: Vec<&IndexField> = match account(stream, field) {
        Some((domain, name)) => vec![domain, name],
        None => {
            let term = stream.field(field, Holds::Term);
            term.or_else(|| stream.field(field, Holds::Whole)).into_iter().collect()
        }
    };
    parts.iter().map(|field| field.name.as_str()).collect()
}

/// Refuses new terms that have no field
pub(super) fn check_terms(stream: &Stream, new: &NewTerms, session: &mut Session<'_>) {
    for field in new.fields.iter().filter(|field| terms(stream, field).is_empty()) {
        let message = format!("ECS has no field for the new term {field}");
        let cause = Cause::Field(field.name().to_owned());
        session.refuse(cause, new.span, message, "no such field", "");
    }
    let kind = |field| stream.events.field_type(field).unwrap_or(FieldType::Any);
    if new.fields.iter().any(|field| kind(field).may_be_empty()) {
        let reason =
            "Elastic's pipelines drop empty values and `-`, which are new terms for rulecast";
        session.lose_rarely(LossName::Empty, Direction::Narrower, new.span, reason);
    }
}

/// The indices of a signal: those of `asked` that hold such events, or the usual ones without any
pub(super) fn indices(stream: &Stream, signal: &Signal, asked: &[Index]) -> Vec<Index> {
    let of_product = |index: &&Index| index.holds(signal.product);
    if asked.is_empty() {
        return stream.indices.iter().filter(of_product).cloned().collect();
    }
    let is_asked = |index: &&Index| asked.iter().any(|one| one.pattern == index.pattern);
    let all = stream.indices.iter().chain(&stream.on_request);
    let mut indices: Vec<Index> = all.filter(is_asked).filter(of_product).cloned().collect();
    indices.sort_by(|one, other| one.pattern.cmp(&other.pattern));
    indices
}
