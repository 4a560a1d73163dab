//! Registry tests over ECS fields.
//!
//! In: keys and actions of a signal. Out: Kibana filters over `registry.path`, which ends with the
//! value's name in an event about a value, and over `registry.data.type`, which exists only when a
//! value is set. Source: the Sysmon, Winlogbeat and Elastic Defend field references.

use crate::backend::Session;
use crate::ir::{Part, Role, Signal, Test, TextTest};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Holds, Index, IndexField, Stream, Words};
use crate::pattern::{Pattern, Token};
use crate::query::elasticsearch;
use crate::query::elasticsearch::Query;
use crate::taxonomy::{ACTIONS, Field, FieldType, registry};

/// Facts about the documents that a test is applied to
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'s> {
    pub(super) stream: &'s Stream,
    /// Whether a clause of the signal keeps only events that set a registry value
    pub(super) values_only: bool,
    /// Whether every index has the analysed sub-fields
    pub(super) text: bool,
    /// Whether every index has the sub-fields in lower case
    pub(super) caseless: bool,
}

impl<'s> Seen<'s> {
    pub(super) fn of(signal: &Signal, stream: &'s Stream, indices: &[Index]) -> Seen<'s> {
        let text = indices.iter().all(|index| index.text);
        let caseless = !indices.is_empty() && indices.iter().all(|index| index.caseless);
        let values_only = signal.clauses.iter().any(|clause| {
            let test = clause.expr.as_test().filter(|_| clause.role == Role::Require);
            let asks = test.filter(|test| test.subject.field.kind() == FieldType::Action);
            let field = asks.and_then(|test| stream.field(&test.subject.field, Holds::Whole));
            match (field.map(|field| &field.words), asks.and_then(|test| test.op.as_text())) {
                (Some(Words::ExistsFor(value)), Some(words)) => words.only() == Some(value),
                (_, _) => false,
            }
        });
        Seen { stream, values_only, text, caseless }
    }

    /// Whether a document has the field that tells the setting of a value
    fn sets_a_value(self) -> Query {
        let action = Field::named("Action");
        let field = action.and_then(|action| self.stream.field(&action, Holds::Whole));
        field.map_or(Query::Nothing, |field| Query::exists(&field.name))
    }
}

/// A query for actions by a field that exists for one of them, with a loss where ECS cannot
/// distinguish the others
pub(super) fn actions(
    (ecs, value): (&IndexField, &str),
    test: &Test,
    actions: &TextTest,
    session: &mut Session<'_>,
) -> Query {
    let set = Query::exists(&ecs.name);
    let all = ACTIONS.iter().filter(|word| **word != value);
    let others = all.clone().filter(|word| actions.has(word)).count();
    if others > 0 && others < all.count() {
        let reason = "ECS does not tell registry keys created, deleted and renamed apart";
        session.lose(LossName::Actions, Direction::Wider, test.span, reason);
    }
    match actions.has(value) {
        true if others > 0 => {}
        true => note_empty_data(Direction::Narrower, test, session),
        false => note_empty_data(Direction::Wider, test, session),
    }
    match (actions.has(value), others) {
        (true, 0) => set,
        (true, _) => Query::Everything,
        (false, _) => Query::none_of(vec![set]),
    }
}

/// Notes a loss: the field that tells the setting of a value is missing for empty data
pub(super) fn note_empty_data(direction: Direction, test: &Test, session: &mut Session<'_>) {
    let reason = "Elastic's pipelines do not say that a value is set to empty data";
    session.lose_rarely(LossName::Gaps, direction, test.span, reason);
}

/// Queries for keys, as wildcards over `registry.path`
pub(super) fn keys(
    (seen, ecs): (Seen<'_>, &IndexField),
    test: &Test,
    values: &[Pattern],
    session: &mut Session<'_>,
) -> Vec<Query> {
    if let Some(limit) = ecs.long {
        let reason =
            format!("a {} of more than {limit} characters is not indexed in Elastic", ecs.name);
        session.lose(LossName::LongValue, Direction::Narrower, test.span, &reason);
    }
    if !seen.values_only {
        let reason = "ECS does not tell a deleted registry value from a deleted key";
        session.lose(LossName::Actions, Direction::Wider, test.span, reason);
    }
    let path = |pattern: Vec<Token>| {
        let test = elasticsearch::Test::Wildcard(Pattern::of(pattern));
        Query::Value { field: ecs.name.clone(), test, fold: true }
    };
    let mut queries = Vec::new();
    for value in values.iter().flat_map(|value| Part::Key.spellings(value)) {
        let tokens = from_the_hive(&value);
        let below = tokens.iter().cloned().chain([Token::Any]).collect();
        queries.push(path(below));
        if !seen.values_only {
            let mut itself = tokens;
            if let Some(Token::Literal(last)) = itself.last_mut() {
                last.pop();
            }
            let set = seen.sets_a_value();
            queries.push(Query::all_but(vec![path(itself)], vec![set]));
        }
    }
    queries
}

/// Shortens a leading hive (`HKLM\`), or prepends `*` when there is none
fn from_the_hive(value: &Pattern) -> Vec<Token> {
    let mut tokens = value.tokens().to_vec();
    let Some(Token::Literal(first)) = tokens.first_mut() else { return tokens };
    match first.split_once('\\').and_then(|(hive, rest)| Some((registry::short(hive)?, rest))) {
        Some((hive, rest)) => *first = format!("{hive}\\{rest}"),
        None => tokens.insert(0, Token::Any),
    }
    tokens
}

/// Notes a loss: a created key also has a `registry.value`, the key's last segment
pub(super) fn note_value_names(
    seen: Seen<'_>,
    ecs: &IndexField,
    test: &Test,
    session: &mut Session<'_>,
) {
    if ecs.of_keys && !seen.values_only {
        let reason = "ECS gives an event about a registry key the name of a value too";
        session.lose(LossName::Actions, Direction::Wider, test.span, reason);
    }
}
