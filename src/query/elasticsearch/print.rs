//! Prints a query as JSON.
//!
//! In: a [`Filter`] or a [`Query`]. Out: its JSON, with the keys of each form in one order. Only
//! this file writes a pattern in the notation of a wildcard.
//!
//! INVARIANT: JSON that is read back gives the tree it was written from.

use serde_json::{Map, Value, json};

use super::tree::{Bool, Filter, Limit, Query, Scalar, Test};
use crate::pattern::{Pattern, Token};

impl Filter {
    /// The object that Kibana keeps beside the query: alias and negation
    pub fn meta(&self) -> Value {
        json!({"alias": self.alias, "disabled": false, "negate": self.negate, "type": "custom"})
    }

    /// The filter as JSON, with `meta` and `query`
    pub fn to_json(&self) -> Value {
        json!({"meta": self.meta(), "query": self.query.to_json()})
    }
}

impl Query {
    /// The query as JSON for Elasticsearch
    pub fn to_json(&self) -> Value {
        match self {
            Query::Everything => json!({"match_all": {}}),
            Query::Nothing => json!({"match_none": {}}),
            Query::Bool(parts) => json!({"bool": parts.to_json()}),
            Query::Exists(field) => json!({"exists": {"field": field}}),
            Query::Terms(field, values) => {
                json!({"terms": {field: values.iter().map(Scalar::to_json).collect::<Vec<_>>()}})
            }
            Query::Range(field, limits) => {
                let limit = |(limit, value): &(Limit, Scalar)| (key(*limit), value.to_json());
                let limits: Map<String, Value> = limits.iter().map(limit).collect();
                json!({"range": {field: limits}})
            }
            Query::Value { field, test: Test::Regexp(written), fold } => {
                // Without `flags`, more characters have a meaning.
                let value = json!({"value": written, "flags": "NONE", "case_insensitive": fold});
                json!({"regexp": {field: value}})
            }
            Query::Value { field, test, fold } => {
                let (kind, value) = match test {
                    Test::Term(value) => ("term", value.to_json()),
                    Test::Prefix(value) => ("prefix", value.to_json()),
                    Test::Wildcard(pattern) => ("wildcard", json!(wildcard(pattern))),
                    Test::Regexp(written) => ("regexp", json!(written)),
                };
                match fold {
                    true => json!({kind: {field: {"value": value, "case_insensitive": true}}}),
                    false => json!({kind: {field: {"value": value}}}),
                }
            }
            Query::Words { field, text, phrase } => {
                let kind = if *phrase { "match_phrase" } else { "match" };
                json!({kind: {field: {"query": text.to_json()}}})
            }
        }
    }
}

impl Bool {
    fn to_json(&self) -> Value {
        let list = |parts: &[Query]| json!(parts.iter().map(Query::to_json).collect::<Vec<_>>());
        let Bool { must, filter, should, minimum_should_match, must_not } = self;
        let mut parts = Map::new();
        let mut set = |key: &str, value| parts.insert(key.to_owned(), value);
        if !must.is_empty() {
            set("must", list(must));
        }
        if !filter.is_empty() {
            set("filter", list(filter));
        }
        if !should.is_empty() || minimum_should_match.is_some() {
            set("should", list(should));
        }
        if let Some(least) = minimum_should_match {
            set("minimum_should_match", json!(least));
        }
        if !must_not.is_empty() {
            set("must_not", list(must_not));
        }
        Value::Object(parts)
    }
}

impl Scalar {
    fn to_json(&self) -> Value {
        match self {
            Scalar::Text(text) => json!(text),
            Scalar::Number(number) => Value::Number(number.clone()),
            Scalar::Truth(truth) => json!(truth),
        }
    }
}

fn key(limit: Limit) -> String {
    let key = match limit {
        Limit::Above => "gt",
        Limit::AtLeast => "gte",
        Limit::Below => "lt",
        Limit::AtMost => "lte",
    };
    key.to_owned()
}

/// The notation of a wildcard: a backslash before every literal `*`, `?` and backslash
pub(super) fn wildcard(pattern: &Pattern) -> String {
    let mut out = String::new();
    for token in pattern.tokens() {
        match token {
            Token::Any => out.push('*'),
            Token::One => out.push('?'),
            Token::Literal(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}
