//! The JSON of a Kibana filter, read back.
//!
//! In: a filter of a rule. Out: a [`Filter`], or `None` for a disabled filter. Short forms are
//! expanded: `{"term": {"a": "b"}}` gives the same tree as its long form. A boost only ranks
//! documents, so it is read and left out.
//!
//! INVARIANT: every key is either understood or refused.

use serde_json::{Map, Value};

use super::tree::{Bool, Filter, Limit, Query, Scalar, Test};
use crate::pattern::{Pattern, Token};
use crate::query::Error;

/// Reads a filter; `None` when it is disabled
///
/// # Errors
/// When the JSON is not a filter, or has a part that the tree has no form for.
pub fn filter(filter: &Value) -> Result<Option<Filter>, Error> {
    let outer = object(filter, "a filter")?;
    let meta = |key: &str| outer.get("meta").and_then(|meta| meta.get(key));
    let flag = |key: &str| match meta(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(Error::new(format!(
            "`{key}` of a filter is {other}, which is neither true nor false"
        ))),
    };
    if flag("disabled")? {
        return Ok(None);
    }
    let query = match outer.get("query") {
        Some(inner) => query(inner)?,
        // Without `query`, Kibana takes the other keys as the query.
        None => {
            let own = |(key, _): &(&String, &Value)| *key != "meta" && *key != "$state";
            let rest = outer.iter().filter(own).map(|(key, part)| (key.clone(), part.clone()));
            query(&Value::Object(rest.collect()))?
        }
    };
    let alias = meta("alias").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(Filter { alias, negate: flag("negate")?, query }))
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| Error::new(format!("{what} is no object")))
}

fn query(value: &Value) -> Result<Query, Error> {
    let (kind, body) = only(value, "a query of a filter")?;
    match kind.as_str() {
        "bool" => bool(object(body, "`bool`")?).map(Query::Bool),
        "match_all" => allow(body, &["boost"]).map(|()| Query::Everything),
        "match_none" => allow(body, &["boost"]).map(|()| Query::Nothing),
        "exists" => {
            allow(body, &["field", "boost"])?;
            let name = body.get("field").and_then(Value::as_str);
            let none = || Error::new("`exists` has no field");
            Ok(Query::exists(name.ok_or_else(none)?))
        }
        "terms" => {
            let mut fields =
                object(body, "`terms`")?.iter().filter(|(key, _)| key.as_str() != "boost");
            let (Some((name, values)), None) = (fields.next(), fields.next()) else {
                return Err(Error::new("`terms` has not one field"));
            };
            let no_list = || Error::new(format!("`terms` has no list for {name}"));
            let values = values.as_array().ok_or_else(no_list)?.iter().map(scalar);
            Ok(Query::Terms(name.clone(), values.collect::<Result<_, Error>>()?))
        }
        "range" => {
            let (field, body) = only(body, "`range`")?;
            let limits = object(body, "`range`")?.iter().map(|(key, value)| {
                let limit = match key.as_str() {
                    "gt" => Limit::Above,
                    "gte" => Limit::AtLeast,
                    "lt" => Limit::Below,
                    "lte" => Limit::AtMost,
                    key => return Err(unknown(key)),
                };
                Ok((limit, scalar(value)?))
            });
            Ok(Query::Range(field.clone(), limits.collect::<Result<_, Error>>()?))
        }
        "term" | "prefix" | "wildcard" => {
            let (field, body) = only(body, &format!("`{kind}`"))?;
            let (value, fold) = whole(body, kind)?;
            let test = match kind.as_str() {
                "term" => Test::Term(value),
                "prefix" => Test::Prefix(value),
                _ => Test::Wildcard(wildcard(&value.to_string())),
            };
            Ok(Query::Value { field: field.clone(), test, fold })
        }
        "regexp" => {
            let (field, body) = only(body, "`regexp`")?;
            let (test, fold) = regexp(body)?;
            Ok(Query::Value { field: field.clone(), test, fold })
        }
        "match" | "match_phrase" => {
            let (field, body) = only(body, &format!("`{kind}`"))?;
            allow(body, &["query", "boost"])?;
            let text = scalar(body.get("query").unwrap_or(body))?;
            Ok(Query::Words { field: field.clone(), text, phrase: kind == "match_phrase" })
        }
        kind => Err(unknown(kind)),
    }
}

/// A regular expression, and whether case is folded
fn regexp(body: &Value) -> Result<(Test, bool), Error> {
    allow(body, &["value", "flags", "case_insensitive", "boost"])?;
    if body.get("flags").and_then(Value::as_str) != Some("NONE") {
        return Err(Error::new("`regexp` with `flags` other than NONE is not judged here"));
    }
    let written = body.get("value").and_then(Value::as_str);
    let written = written.ok_or_else(|| Error::new("`regexp` has no value"))?;
    let fold = body.get("case_insensitive").and_then(Value::as_bool).unwrap_or(false);
    Ok((Test::Regexp(written.to_owned()), fold))
}

fn bool(parts: &Map<String, Value>) -> Result<Bool, Error> {
    let many = |part: &Value| match part.as_array() {
        Some(parts) => parts.iter().map(query).collect::<Result<Vec<_>, Error>>(),
        None => query(part).map(|part| vec![part]),
    };
    let mut read = Bool::default();
    for (key, part) in parts {
        match key.as_str() {
            "must" => read.must = many(part)?,
            "filter" => read.filter = many(part)?,
            "should" => read.should = many(part)?,
            "must_not" => read.must_not = many(part)?,
            "minimum_should_match" => {
                let number = part.as_u64().and_then(|number| usize::try_from(number).ok());
                let odd = || Error::new(format!("`{key}` is {part}, which is not judged here"));
                read.minimum_should_match = Some(number.ok_or_else(odd)?);
            }
            "boost" => {}
            key => return Err(unknown(key)),
        }
    }
    Ok(read)
}

/// The only entry of an object; an error when it has none or several
fn only<'v>(value: &'v Value, what: &str) -> Result<(&'v String, &'v Value), Error> {
    let mut entries = object(value, what)?.iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(Error::new(format!("{what} has not one key"))),
    }
}

/// The value of a comparison with a whole value, and whether case is folded
fn whole(body: &Value, kind: &str) -> Result<(Scalar, bool), Error> {
    if !body.is_object() {
        return Ok((scalar(body)?, false));
    }
    allow(body, &["value", "case_insensitive", "boost", kind])?;
    let fold = match body.get("case_insensitive") {
        None => false,
        Some(fold) => {
            let odd = || Error::new(format!("`case_insensitive` is {fold}"));
            fold.as_bool().ok_or_else(odd)?
        }
    };
    let text = body.get("value").or_else(|| body.get(kind).filter(|_| kind == "wildcard"));
    Ok((scalar(text.unwrap_or(&Value::Null))?, fold))
}

/// The notation of a wildcard: a backslash makes the next character literal
pub(super) fn wildcard(text: &str) -> Pattern {
    let mut tokens = Vec::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        tokens.push(match c {
            '\\' => Token::Literal(characters.next().unwrap_or('\\').to_string()),
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Literal(c.to_string()),
        });
    }
    Pattern::of(tokens)
}

fn scalar(value: &Value) -> Result<Scalar, Error> {
    match value {
        Value::String(text) => Ok(Scalar::Text(text.clone())),
        Value::Number(number) => Ok(Scalar::Number(number.clone())),
        Value::Bool(truth) => Ok(Scalar::Truth(*truth)),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Error::new(format!("`{value}` is no value of a filter")))
        }
    }
}

/// Refuses keys that are not understood
fn allow(body: &Value, known: &[&str]) -> Result<(), Error> {
    let keys = body.as_object().into_iter().flat_map(Map::keys);
    match keys.into_iter().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(key)),
        None => Ok(()),
    }
}

fn unknown(key: &str) -> Error {
    Error::new(format!("`{key}` in a filter is not judged here"))
}
