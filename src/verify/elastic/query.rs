//! A query as Elasticsearch runs it.
//!
//! In: fields with their types, and values as text. Out: a [`Query`] whose values have the indexed
//! form of their field. A value that does not fit the field's type is refused, since Elasticsearch
//! refuses the whole search, whatever the documents.

use std::ops::Bound;

use regex::Regex;

use super::analyse::words;
use super::fields::{Field, Type};
use super::glob::{Glob, lower};
use super::point::{self, Points, Side};
use crate::query::Error;

/// A condition on a document
#[derive(Debug, Clone)]
pub(super) enum Query {
    /// Every part; matches every document when empty
    All(Vec<Query>),
    /// At least this number of the parts
    AtLeast(usize, Vec<Query>),
    Not(Box<Query>),
    /// Some value of the field passes the test
    Leaf(Field, Leaf),
}

/// A test of one value of a field
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    Exists,
    /// The whole value, or one word of text, matches one of the globs; `true` folds ASCII
    Globs(Vec<Glob>, bool),
    /// The whole value fits the regular expression
    Regexp(Regex),
    /// The value, or one word of text, is between two limits in the order of characters
    Between(Bound<String>, Bound<String>),
    /// The value's point is in one of the ranges
    Points(Vec<Points>),
    /// The text has one of the words
    AnyWord(Vec<String>),
    /// The text has all of the words, in sequence
    Phrase(Vec<String>),
}

impl Query {
    pub(super) fn any(parts: Vec<Query>) -> Query {
        Query::AtLeast(1, parts)
    }

    pub(super) fn negate(part: Query) -> Query {
        Query::Not(Box::new(part))
    }
}

/// The field has a value
pub(super) fn exists(field: &Field) -> Query {
    Query::Leaf(field.clone(), Leaf::Exists)
}

/// The whole value equals `value`
pub(super) fn term(field: &Field, value: &str, fold: bool) -> Result<Query, Error> {
    let glob = Glob::literal(value);
    let leaf = match field.kind {
        Type::Keyword | Type::Wildcard => Leaf::Globs(vec![glob], fold),
        Type::Lowercase => Leaf::Globs(vec![glob.lowered()], fold),
        Type::Text => return Err(analysed(field)),
        Type::Long | Type::Ip | Type::Date | Type::Boolean if fold => {
            return Err(Error::new(format!("{} is {}, and has no case", field.name, says(field))));
        }
        Type::Long | Type::Ip | Type::Date | Type::Boolean => {
            let points = point::equal(field, value).ok_or_else(|| no_value(field, value))?;
            Leaf::Points(vec![points])
        }
    };
    Ok(Query::Leaf(field.clone(), leaf))
}

/// The whole value matches the glob; for analysed text, one word does
pub(super) fn wildcard(field: &Field, glob: Glob, fold: bool) -> Result<Query, Error> {
    let glob = match field.kind {
        Type::Keyword | Type::Wildcard => glob,
        Type::Lowercase | Type::Text => glob.lowered(),
        Type::Long | Type::Ip | Type::Date | Type::Boolean => {
            let message = format!("{} is {}, and has no wildcards", field.name, says(field));
            return Err(Error::new(message));
        }
    };
    Ok(Query::Leaf(field.clone(), Leaf::Globs(vec![glob], fold)))
}

/// The whole value fits a regular expression
pub(super) fn regexp(field: &Field, regex: Regex) -> Result<Query, Error> {
    match field.kind {
        Type::Keyword | Type::Wildcard => Ok(Query::Leaf(field.clone(), Leaf::Regexp(regex))),
        Type::Lowercase | Type::Text | Type::Long | Type::Ip | Type::Date | Type::Boolean => {
            let says = says(field);
            Err(Error::new(format!("{} is {says}, and has no regular expressions", field.name)))
        }
    }
}

/// The analysed value: a phrase, or any of its words; other types compare the whole value
pub(super) fn analyse(field: &Field, value: &str, phrase: bool) -> Result<Query, Error> {
    match field.kind {
        Type::Text => {
            let words = words(value, field.analyser);
            let leaf = if phrase { Leaf::Phrase(words) } else { Leaf::AnyWord(words) };
            Ok(Query::Leaf(field.clone(), leaf))
        }
        Type::Keyword
        | Type::Lowercase
        | Type::Wildcard
        | Type::Long
        | Type::Ip
        | Type::Date
        | Type::Boolean => term(field, value, false),
    }
}

/// One value, or one word of analysed text, is inside all of the limits
///
/// Source: Elasticsearch's text fields make a range over the words in the index, and take the limits
/// as they are written.
pub(super) fn range(field: &Field, limits: &[(Side, String)]) -> Result<Query, Error> {
    let leaf = match field.kind {
        Type::Keyword | Type::Lowercase | Type::Wildcard | Type::Text => between(field, limits)?,
        Type::Long | Type::Ip | Type::Date | Type::Boolean => {
            let mut inside = 0..=u128::MAX;
            for (side, limit) in limits {
                let points = point::beyond(field, limit, *side);
                let points = points.ok_or_else(|| no_value(field, limit))?;
                inside = *inside.start().max(points.start())..=*inside.end().min(points.end());
            }
            Leaf::Points(vec![inside])
        }
    };
    Ok(Query::Leaf(field.clone(), leaf))
}

fn between(field: &Field, limits: &[(Side, String)]) -> Result<Leaf, Error> {
    let (mut from, mut to) = (Bound::Unbounded, Bound::Unbounded);
    for (side, limit) in limits {
        let limit: String = match field.kind == Type::Lowercase {
            true => limit.chars().map(lower).collect(),
            false => limit.clone(),
        };
        let (bound, inside) = match side {
            Side::From(inside) => (&mut from, *inside),
            Side::To(inside) => (&mut to, *inside),
        };
        if *bound != Bound::Unbounded {
            let message = format!("a range over {} has two limits on one side", field.name);
            return Err(Error::new(message));
        }
        *bound = if inside { Bound::Included(limit) } else { Bound::Excluded(limit) };
    }
    Ok(Leaf::Between(from, to))
}

/// The error for a whole-value test of analysed text, which is indexed by words
pub(super) fn analysed(field: &Field) -> Error {
    Error::new(format!(
        "{} is analysed text, and whole values of it are not judged here",
        field.name
    ))
}

fn no_value(field: &Field, value: &str) -> Error {
    Error::new(format!("`{value}` is no value of {}, which is {}", field.name, says(field)))
}

fn says(field: &Field) -> &'static str {
    match field.kind {
        Type::Keyword | Type::Lowercase | Type::Wildcard => "a keyword",
        Type::Text => "text",
        Type::Long => "a number",
        Type::Ip => "an address",
        Type::Date => "a date",
        Type::Boolean => "true or false",
    }
}
