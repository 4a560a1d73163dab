//! Evaluates a query on a document.
//!
//! In: a [`Query`], a document and the indices it may be in. Out: whether the document matches. A
//! field that these indices do not map has no values. A test is true when any value passes it.

use std::ops::RangeBounds;

use serde_json::Value;

use super::analyse::words;
use super::document::{leaves, text};
use super::fields::{Field, Groups, Type};
use super::glob::lower;
use super::point;
use super::query::{Leaf, Query};

/// Whether the document matches the query
pub(super) fn holds(query: &Query, document: &Value, groups: Groups) -> bool {
    match query {
        Query::All(parts) => parts.iter().all(|part| holds(part, document, groups)),
        Query::AtLeast(wanted, parts) => {
            let holding = parts.iter().filter(|part| holds(part, document, groups));
            holding.take(*wanted).count() == *wanted
        }
        Query::Not(part) => !holds(part, document, groups),
        Query::Leaf(field, leaf) => {
            let values = || leaves(document, field.path()).into_iter();
            field.is_in(groups) && values().any(|value| fits(field, leaf, value))
        }
    }
}

/// Whether one value passes a test
fn fits(field: &Field, leaf: &Leaf, value: &Value) -> bool {
    match (leaf, field.kind) {
        (Leaf::Points(wanted), _) => {
            let point = point::of_value(field.kind, value);
            point.is_some_and(|point| wanted.iter().any(|points| points.contains(&point)))
        }
        (Leaf::Exists, Type::Text) => true,
        (Leaf::Exists, Type::Long | Type::Ip | Type::Date | Type::Boolean) => {
            point::of_value(field.kind, value).is_some()
        }
        (Leaf::Exists, Type::Keyword | Type::Lowercase | Type::Wildcard) => {
            indexed(field, value).is_some()
        }
        (Leaf::Globs(globs, fold), Type::Text) => {
            let words = words(&text(value), field.analyser);
            globs.iter().any(|glob| words.iter().any(|word| glob.fits(word, *fold)))
        }
        (Leaf::Globs(globs, fold), _) => indexed(field, value)
            .is_some_and(|value| globs.iter().any(|glob| glob.fits(&value, *fold))),
        (Leaf::Regexp(regex), _) => {
            indexed(field, value).is_some_and(|value| regex.is_match(&value))
        }
        (Leaf::Between(from, to), Type::Text) => {
            let range = (from.as_ref(), to.as_ref());
            let words = words(&text(value), field.analyser);
            words.iter().any(|word| RangeBounds::<String>::contains(&range, word))
        }
        (Leaf::Between(from, to), _) => {
            let range = (from.as_ref(), to.as_ref());
            indexed(field, value).is_some_and(|v| RangeBounds::<String>::contains(&range, &v))
        }
        (Leaf::AnyWord(wanted), _) => {
            words(&text(value), field.analyser).iter().any(|word| wanted.contains(word))
        }
        (Leaf::Phrase(wanted), _) => {
            // An empty phrase matches nothing (`windows(0)` panics).
            let length = wanted.len().max(1);
            words(&text(value), field.analyser).windows(length).any(|window| window == wanted)
        }
    }
}

/// A whole value as the index holds it; `None` when it is too long to be indexed
fn indexed(field: &Field, value: &Value) -> Option<String> {
    let text = text(value);
    let folded = match field.kind {
        Type::Lowercase => text.chars().map(lower).collect(),
        Type::Keyword
        | Type::Wildcard
        | Type::Text
        | Type::Long
        | Type::Ip
        | Type::Date
        | Type::Boolean => text,
    };
    let short = field.limit.is_none_or(|limit| folded.chars().count() <= limit);
    short.then_some(folded)
}
