//! A query of Elasticsearch as a tree.
//!
//! In: fields, values and patterns that a plan or the reader joins. Out: a [`Query`] and, around
//! it, a [`Filter`] as Kibana keeps one. The tree has the forms that rulecast emits, and the forms
//! that other authors write in rules.
//!
//! INVARIANT: a pattern stays a list of tokens here; only the printer writes its notation.

use std::fmt;

use crate::pattern::Pattern;

/// An enabled filter of a rule
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The text that people read in place of the query
    pub alias: String,
    /// Whether documents that fit the query are left out
    pub negate: bool,
    /// The query
    pub query: Query,
}

/// A query
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// `match_all`: every document fits
    Everything,
    /// `match_none`: no document fits
    Nothing,
    /// `bool`
    Bool(Bool),
    /// `exists`: the field has a value
    Exists(String),
    /// `terms`: a value of the field is one of these
    Terms(String, Vec<Scalar>),
    /// `range`: one value of the field is inside all of these limits
    Range(String, Vec<(Limit, Scalar)>),
    /// `term`, `prefix` and `wildcard`: a whole value of the field
    Value {
        /// The field
        field: String,
        /// The comparison with the value
        test: Test,
        /// Whether ASCII letters are compared without their case
        fold: bool,
    },
    /// `match` and `match_phrase`: words of the analysed value
    Words {
        /// The field
        field: String,
        /// The words
        text: Scalar,
        /// Whether the words must follow one another
        phrase: bool,
    },
}

/// Queries joined by `must`, `filter`, `should` and `must_not`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bool {
    /// All of these fit
    pub must: Vec<Query>,
    /// All of these fit, without effect on the rank
    pub filter: Vec<Query>,
    /// At least `minimum_should_match` of these fit
    pub should: Vec<Query>,
    /// How many of `should` must fit; `None` is one, or none where something else is required
    pub minimum_should_match: Option<usize>,
    /// None of these fits
    pub must_not: Vec<Query>,
}

/// A comparison with a whole value
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The value is this one
    Term(Scalar),
    /// The value starts with this text; no character is a wildcard
    Prefix(Scalar),
    /// The value fits the pattern
    Wildcard(Pattern),
    /// The value fits the regular expression, which is in Lucene's notation
    Regexp(String),
}

/// A side of a range
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `gt`
    Above,
    /// `gte`
    AtLeast,
    /// `lt`
    Below,
    /// `lte`
    AtMost,
}

/// A value
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A text
    Text(String),
    /// A number
    Number(serde_json::Number),
    /// True or false
    Truth(bool),
}

impl Query {
    /// Every part fits
    pub fn all(parts: Vec<Query>) -> Query {
        Query::Bool(Bool { filter: parts, ..Bool::default() })
    }

    /// One of the parts fits; alternatives inside alternatives are one list
    pub fn any(parts: Vec<Query>) -> Query {
        let flat =
            parts.into_iter().flat_map(|part| part.alternatives().unwrap_or_else(|one| vec![one]));
        let mut parts: Vec<Query> = flat.collect();
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                parts.extend(last);
                Query::Bool(Bool {
                    should: parts,
                    minimum_should_match: Some(1),
                    ..Bool::default()
                })
            }
        }
    }

    /// No part fits
    pub fn none_of(parts: Vec<Query>) -> Query {
        Query::all_but(Vec::new(), parts)
    }

    /// Every part of the first list fits, and none of the second
    pub fn all_but(filter: Vec<Query>, must_not: Vec<Query>) -> Query {
        Query::Bool(Bool { filter, must_not, ..Bool::default() })
    }

    /// The field has a value
    pub fn exists(field: &str) -> Query {
        Query::Exists(field.to_owned())
    }

    /// A value of the field is one of these
    pub fn terms<V: Into<Scalar>>(field: &str, values: impl IntoIterator<Item = V>) -> Query {
        Query::Terms(field.to_owned(), values.into_iter().map(Into::into).collect())
    }

    /// The fields of its leaves, in their order
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Query::Everything | Query::Nothing => Vec::new(),
            Query::Bool(parts) => parts.parts().flat_map(Query::fields).collect(),
            Query::Exists(field)
            | Query::Terms(field, _)
            | Query::Range(field, _)
            | Query::Value { field, .. }
            | Query::Words { field, .. } => vec![field],
        }
    }

    /// The parts of a query that is only a choice of one of them; any other query comes back as
    /// `Err`
    fn alternatives(self) -> Result<Vec<Query>, Query> {
        match self {
            Query::Bool(Bool { must, filter, should, minimum_should_match: Some(1), must_not })
                if must.is_empty() && filter.is_empty() && must_not.is_empty() =>
            {
                Ok(should)
            }
            whole @ (Query::Everything
            | Query::Nothing
            | Query::Bool(_)
            | Query::Exists(_)
            | Query::Terms(..)
            | Query::Range(..)
            | Query::Value { .. }
            | Query::Words { .. }) => Err(whole),
        }
    }
}

impl Bool {
    fn parts(&self) -> impl Iterator<Item = &Query> {
        let Bool { must, filter, should, must_not, .. } = self;
        [must, filter, should, must_not].into_iter().flatten()
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Scalar {
        Scalar::Text(text)
    }
}

impl From<bool> for Scalar {
    fn from(truth: bool) -> Scalar {
        Scalar::Truth(truth)
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Scalar {
        Scalar::Number(number.into())
    }
}

impl fmt::Display for Scalar {
    /// The value as text, without quotes
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(text),
            Scalar::Number(number) => number.fmt(f),
            Scalar::Truth(truth) => truth.fmt(f),
        }
    }
}
