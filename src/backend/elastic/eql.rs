//! A signal in Elastic's event query language.
//!
//! In: the tests that select the documents of a log source, and the exact query of each clause. Out: an
//! [`EventQuery`] with the same meaning, as Elastic's own authors write it. `None` for a query over
//! words of a text, which EQL does not have.
//!
//! Elasticsearch runs EQL as the queries that a clause is made of, so a form is chosen by what it
//! becomes: `:` is `term` or `wildcard` in any case, `in` is `terms`, `not` is `must_not`. `*` and `?`
//! have no escape in patterns; a value with one of them is compared by another operator.
//!
//! A field that no index maps is the constant null, and `not ?field : "x"` would match nothing then;
//! a negation is therefore pushed down to the comparison and joined with `?field == null`.

use crate::mapping::{FieldKind, Stream};
use crate::pattern::{Pattern, Token};
use crate::query::elasticsearch::{Bool, Limit, Query, Scalar, Test, of_pattern};
use crate::query::eql::{
    Comparison, Condition, EventQuery, FieldName, Matching, NETWORKS, Value, merged, one_of,
};

/// What is known of the index fields that a query names
#[derive(Clone, Copy)]
pub(super) struct Fields<'s>(pub(super) &'s Stream);

/// The field whose single value is the category of an event
pub(super) const CATEGORY: &str = "event.category";

/// The events of the scope for which every condition holds
///
/// The scope is fields with the words that they may have.
pub(super) fn events(scope: Vec<(String, Vec<String>)>, conditions: Vec<Condition>) -> EventQuery {
    let mut category = None;
    let mut parts = Vec::new();
    for (field, words) in scope {
        match words.as_slice() {
            [one] if field == CATEGORY && category.is_none() => category = Some(one.clone()),
            _ => parts.push(one_of(Value::field(&field), texts(&words), false)),
        }
    }
    parts.extend(conditions);
    EventQuery { category, condition: Condition::all(parts).simplified() }
}

impl Fields<'_> {
    /// A query as a condition
    pub(super) fn condition(self, query: &Query) -> Option<Condition> {
        Some(match query {
            Query::Everything => Condition::Truth(Value::Truth(true)),
            Query::Nothing => Condition::Truth(Value::Truth(false)),
            Query::Bool(parts) => self.joined(parts)?,
            Query::Exists(field) if self.kind(field).is_some_and(FieldKind::is_analysed) => {
                return None;
            }
            Query::Exists(field) => Condition::there(self.value(field)),
            Query::Terms(field, values) => self.terms(field, values)?,
            Query::Range(field, limits) => {
                let limit = |(limit, value): &(Limit, Scalar)| {
                    Condition::Compare(self.value(field), comparison(*limit), constant(value))
                };
                Condition::all(limits.iter().map(limit).collect())
            }
            Query::Value { field, test, fold } => self.whole_value(field, test, *fold)?,
            Query::Words { .. } => return None,
        })
    }

    /// The condition that a query does not fit
    pub(super) fn negated(self, query: &Query) -> Option<Condition> {
        self.condition(query).map(negated)
    }

    fn kind(self, name: &str) -> Option<FieldKind> {
        self.0.index_fields().find(|own| own.name == name).map(|own| own.kind)
    }

    fn value(self, name: &str) -> Value {
        let of_name = self.0.index_fields().find(|field| field.name == name);
        let optional = of_name.is_some_and(|field| field.dynamic);
        Value::Field(FieldName { name: name.to_owned(), optional })
    }

    fn joined(self, parts: &Bool) -> Option<Condition> {
        let Bool { must, filter, should, minimum_should_match, must_not } = parts;
        let each = |parts: &[Query]| -> Option<Vec<Condition>> {
            parts.iter().map(|part| self.condition(part)).collect()
        };
        let mut all = each(must)?;
        all.extend(each(filter)?);
        if !should.is_empty() && minimum_should_match.unwrap_or(1) == 1 {
            all.push(Condition::any(merged(each(should)?)));
        }
        all.extend(merged(each(must_not)?).into_iter().map(negated));
        Some(Condition::all(all))
    }

    fn terms(self, field: &str, values: &[Scalar]) -> Option<Condition> {
        let value = self.value(field);
        match self.kind(field) {
            Some(FieldKind::Flattened) => None,
            Some(FieldKind::Ip) => {
                let networks = values.iter().map(constant);
                let call = Value::Call {
                    function: NETWORKS.to_owned(),
                    fold: false,
                    arguments: std::iter::once(value).chain(networks).collect(),
                };
                Some(Condition::Truth(call))
            }
            _ => Some(one_of(value, values.iter().map(constant).collect(), false)),
        }
    }

    fn whole_value(self, field: &str, test: &Test, fold: bool) -> Option<Condition> {
        if self.kind(field) == Some(FieldKind::Flattened) {
            return None;
        }
        let value = self.value(field);
        let matching = if fold { Matching::Colon } else { Matching::Like };
        let regex = |fold| if fold { Matching::RegexFolded } else { Matching::Regex };
        Some(match test {
            Test::Term(Scalar::Text(text)) if fold && !has_wildcard(text) => {
                Condition::Matches(value, Matching::Colon, vec![text.clone()])
            }
            Test::Term(term) => one_of(value, vec![constant(term)], fold),
            Test::Prefix(Scalar::Text(text)) if !has_wildcard(text) => {
                Condition::Matches(value, matching, vec![format!("{text}*")])
            }
            Test::Prefix(start) => Condition::Truth(Value::Call {
                function: "startsWith".to_owned(),
                fold,
                arguments: vec![value, constant(start)],
            }),
            Test::Wildcard(pattern) => match wildcard(pattern) {
                Some(text) => Condition::Matches(value, matching, vec![text]),
                None => Condition::Matches(value, regex(fold), vec![of_pattern(pattern)]),
            },
            Test::Regexp(regexp) => Condition::Matches(value, regex(fold), vec![regexp.clone()]),
        })
    }
}

/// Whether a text would be read as a pattern
fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The pattern in EQL's notation; `None` when it has a literal `*` or `?`
fn wildcard(pattern: &Pattern) -> Option<String> {
    if pattern.literals().any(has_wildcard) {
        return None;
    }
    let token = |token: &Token| match token {
        Token::Literal(text) => text.clone(),
        Token::Any => "*".to_owned(),
        Token::One => "?".to_owned(),
    };
    Some(pattern.tokens().iter().map(token).collect())
}

fn texts(words: &[String]) -> Vec<Value> {
    words.iter().cloned().map(Value::Text).collect()
}

fn constant(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Text(text) => Value::Text(text.clone()),
        Scalar::Number(number) => Value::Number(number.clone()),
        Scalar::Truth(truth) => Value::Truth(*truth),
    }
}

fn comparison(limit: Limit) -> Comparison {
    match limit {
        Limit::Above => Comparison::Above,
        Limit::AtLeast => Comparison::AtLeast,
        Limit::Below => Comparison::Below,
        Limit::AtMost => Comparison::AtMost,
    }
}

/// The part does not hold, with a guard for each field that may be mapped nowhere
fn negated(condition: Condition) -> Condition {
    let optional = optional_fields(&condition);
    if optional.is_empty() {
        return Condition::none(condition);
    }
    match condition {
        Condition::Compare(value, Comparison::Equal, Value::Null) => Condition::there(value),
        Condition::Compare(value, Comparison::NotEqual, Value::Null) => Condition::missing(value),
        Condition::All(parts) => Condition::any(parts.into_iter().map(negated).collect()),
        Condition::Any(parts) => Condition::all(parts.into_iter().map(negated).collect()),
        Condition::Not(inner) => *inner,
        leaf @ (Condition::Truth(_)
        | Condition::Compare(..)
        | Condition::In { .. }
        | Condition::Matches(..)
        | Condition::Noted(..)) => {
            let missing = optional.into_iter().map(|field| Condition::missing(Value::Field(field)));
            Condition::any(missing.chain([Condition::none(leaf)]).collect())
        }
    }
}

fn optional_fields(condition: &Condition) -> Vec<FieldName> {
    let mut fields = Vec::new();
    condition.each_value(&mut |value| {
        fields.extend(value.as_field().filter(|field| field.optional).cloned());
    });
    fields
}
