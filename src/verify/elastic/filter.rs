//! Kibana filters, which are queries of Elasticsearch.
//!
//! In: a filter of a rule, as JSON. Out: a [`Query`], or nothing for one that is switched off.
//! Every key is either understood or refused: one that is overlooked would change the meaning.

use serde_json::{Map, Value};

use super::fields::{self, Field, Type};
use super::glob::Glob;
use super::point::Side;
use super::query::{self, Query};
use crate::query::Error;

/// What a filter asks of documents
pub(super) fn of(filter: &Value) -> Result<Option<Query>, Error> {
    let outer = object(filter, "a filter")?;
    let meta =
        |key: &str| outer.get("meta").and_then(|meta| meta.get(key)).and_then(Value::as_bool);
    if meta("disabled") == Some(true) {
        return Ok(None);
    }
    let inner = match outer.get("query") {
        Some(inner) => query(inner)?,
        // Kibana takes what is left for the query.
        None => {
            let own = |(key, _): &(&String, &Value)| *key != "meta" && *key != "$state";
            let rest = outer.iter().filter(own).map(|(key, part)| (key.clone(), part.clone()));
            query(&Value::Object(rest.collect()))?
        }
    };
    Ok(Some(if meta("negate") == Some(true) { Query::negate(inner) } else { inner }))
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| Error::new(format!("{what} is no object")))
}

fn query(value: &Value) -> Result<Query, Error> {
    let (kind, body) = only(value, "a query of a filter")?;
    match kind.as_str() {
        "bool" => bool(object(body, "`bool`")?),
        "match_all" => Ok(Query::All(Vec::new())),
        "match_none" => Ok(Query::any(Vec::new())),
        "exists" => {
            let name = body.get("field").and_then(Value::as_str);
            let none = || Error::new("`exists` has no field".to_owned());
            allow(body, &["field", "boost"])?;
            Ok(query::exists(fields::named(name.ok_or_else(none)?)?))
        }
        "terms" => {
            let body = object(body, "`terms`")?;
            let mut fields = body.iter().filter(|(key, _)| *key != "boost");
            let (Some((name, values)), None) = (fields.next(), fields.next()) else {
                return Err(Error::new("`terms` has not one field".to_owned()));
            };
            let field = fields::named(name)?;
            let no_list = || Error::new(format!("`terms` has no list for {name}"));
            let values = values.as_array().ok_or_else(no_list)?.iter();
            let terms = values.map(|value| query::term(field, &scalar(value)?, false));
            terms.collect::<Result<Vec<_>, Error>>().map(Query::any)
        }
        "range" => {
            let (field, body) = of_field(body, kind)?;
            let limits = object(body, "`range`")?.iter().map(|(key, limit)| {
                let side = match key.as_str() {
                    "gt" => Side::From(false),
                    "gte" => Side::From(true),
                    "lt" => Side::To(false),
                    "lte" => Side::To(true),
                    key => return Err(unknown(key)),
                };
                Ok((side, scalar(limit)?))
            });
            query::range(field, &limits.collect::<Result<Vec<_>, Error>>()?)
        }
        "term" | "prefix" | "wildcard" => {
            let (field, body) = of_field(body, kind)?;
            let (text, fold) = written(body, kind)?;
            match kind.as_str() {
                "term" => query::term(field, &text, fold),
                "prefix" => {
                    whole(field).and_then(|f| query::wildcard(f, Glob::prefix(&text), fold))
                }
                _ => whole(field).and_then(|f| query::wildcard(f, Glob::read(&text), fold)),
            }
        }
        "match" | "match_phrase" => {
            let (field, body) = of_field(body, kind)?;
            allow(body, &["query", "boost"])?;
            let text = scalar(body.get("query").unwrap_or(body))?;
            query::analyse(field, &text, kind == "match_phrase")
        }
        kind => Err(unknown(kind)),
    }
}

// Whether Elasticsearch folds such a test of text differs between its versions.
fn whole(field: &'static Field) -> Result<&'static Field, Error> {
    match field.kind == Type::Text {
        true => Err(query::analysed(field)),
        false => Ok(field),
    }
}

fn bool(parts: &Map<String, Value>) -> Result<Query, Error> {
    let (mut all, mut should, mut least) = (Vec::new(), Vec::new(), None);
    let many = |part: &Value| match part.as_array() {
        Some(parts) => parts.iter().map(query).collect::<Result<Vec<_>, Error>>(),
        None => query(part).map(|part| vec![part]),
    };
    let mut required = false;
    for (key, part) in parts {
        match key.as_str() {
            "must" | "filter" => {
                let parts = many(part)?;
                required |= !parts.is_empty();
                all.extend(parts);
            }
            "must_not" => all.extend(many(part)?.into_iter().map(Query::negate)),
            "should" => should = many(part)?,
            "minimum_should_match" => {
                let number = part.as_u64().and_then(|number| usize::try_from(number).ok());
                let odd = || Error::new(format!("`{key}` is {part}, which is not judged here"));
                least = Some(number.ok_or_else(odd)?);
            }
            "boost" => {}
            key => return Err(unknown(key)),
        }
    }
    // Where something is required, the rest only ranks the documents.
    let least = least.unwrap_or(usize::from(!should.is_empty() && !required));
    all.push(Query::AtLeast(least, should));
    Ok(Query::All(all))
}

/// The one entry of an object
fn only<'v>(value: &'v Value, what: &str) -> Result<(&'v String, &'v Value), Error> {
    let mut entries = object(value, what)?.iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(Error::new(format!("{what} has not one key"))),
    }
}

fn of_field<'v>(body: &'v Value, kind: &str) -> Result<(&'static Field, &'v Value), Error> {
    let (name, body) = only(body, &format!("`{kind}`"))?;
    Ok((fields::named(name)?, body))
}

/// The value and whether case is folded
fn written(body: &Value, kind: &str) -> Result<(String, bool), Error> {
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

fn scalar(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::evaluate;
    use super::super::fields::Groups;
    use super::*;

    fn fits(filter: &Value, document: &Value) -> bool {
        let query = of(filter).unwrap().unwrap();
        evaluate::holds(&query, document, Groups::named("others").unwrap())
    }

    #[test]
    fn case_is_folded_where_asked_and_beyond_ascii_never() {
        let asks = |kind: &str, value: &str, fold: bool, name: &str| {
            let filter = json!({"query": {kind: {"process.name": {"value": value, "case_insensitive": fold}}}});
            fits(&filter, &json!({"process": {"name": name}}))
        };
        assert!(
            asks("term", "CMD.exe", true, "cmd.EXE") && !asks("term", "CMD.exe", false, "cmd.EXE")
        );
        assert!(asks("prefix", "cm*", true, "CM*d") && !asks("prefix", "cm*", true, "cmd"));
        assert!(asks("wildcard", r"*\\C?d.*", true, r"C:\cmd.exe"));
        assert!(!asks("term", "ä", true, "Ä") && !asks("wildcard", "*k", true, "\u{212a}"));
    }

    #[test]
    fn parts_of_bool_are_counted_as_elasticsearch_does() {
        let is = |name: &str| json!({"term": {"user.name": name}});
        let of = |body: Value, name: &str| {
            fits(&json!({"query": {"bool": body}}), &json!({"user.name": name}))
        };
        assert!(!of(json!({"should": [is("a"), is("b")]}), "c"));
        assert!(of(
            json!({"should": [is("a")], "filter": {"exists": {"field": "user.name"}}}),
            "c"
        ));
        assert!(!of(json!({"should": [is("a"), is("b")], "minimum_should_match": 2}), "a"));
        assert!(of(json!({"must_not": is("a")}), "c") && !of(json!({"must_not": [is("a")]}), "a"));
        assert!(of(json!({}), "c"));
    }

    #[test]
    fn both_limits_of_a_range_are_about_one_value() {
        let filter = json!({"query": {"range": {"source.port": {"gte": 10, "lt": 20}}}});
        assert!(fits(&filter, &json!({"source.port": [1, 10]})));
        assert!(!fits(&filter, &json!({"source.port": [1, 20]})));
        let bare = json!({"meta": {"negate": true}, "terms": {"source.port": [1, "2"]}});
        assert!(
            fits(&bare, &json!({"source.port": 3})) && !fits(&bare, &json!({"source.port": 2}))
        );
    }

    #[test]
    fn nothing_is_overlooked() {
        let why = |query: Value| of(&json!({"query": query})).unwrap_err().to_string();
        assert_eq!(
            why(json!({"fuzzy": {"user.name": "a"}})),
            "`fuzzy` in a filter is not judged here"
        );
        let flags = json!({"wildcard": {"user.name": {"value": "a", "rewrite": "x"}}});
        assert_eq!(why(flags), "`rewrite` in a filter is not judged here");
        assert!(why(json!({"prefix": {"process.name.text": "a"}})).contains("analysed text"));
        assert!(why(json!({"term": {"user.name": null}})).contains("`null` is no value"));
        assert!(why(json!({"term": {"a": 1, "b": 2}})).contains("has not one key"));
        assert!(of(&json!({"meta": {"disabled": true}})).unwrap().is_none());
    }
}
