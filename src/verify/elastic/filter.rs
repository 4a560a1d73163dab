//! The queries of a rule's filters.
//!
//! In: a filter, as JSON. Out: a [`Query`] over typed fields, or `None` for a disabled filter. A
//! test that a field's type does not support is refused, as Elasticsearch refuses it.

use serde_json::Value;

use super::fields::{Field, Known, Type};
use super::glob::Glob;
use super::point::Side;
use super::query::{self, Query};
use super::regexp;
use crate::query::Error;
use crate::query::elasticsearch::{self, Bool, Limit, Scalar, Test};

/// The query of a filter; `None` when the filter is disabled
pub(super) fn of(filter: &Value, known: &Known) -> Result<Option<Query>, Error> {
    let Some(filter) = elasticsearch::filter(filter)? else { return Ok(None) };
    let inner = query(&filter.query, known)?;
    Ok(Some(if filter.negate { Query::negate(inner) } else { inner }))
}

fn query(asked: &elasticsearch::Query, known: &Known) -> Result<Query, Error> {
    use elasticsearch::Query as Asked;
    match asked {
        Asked::Everything => Ok(Query::All(Vec::new())),
        Asked::Nothing => Ok(Query::any(Vec::new())),
        Asked::Bool(parts) => bool(parts, known),
        Asked::Exists(name) => known.named(name).map(query::exists),
        Asked::Terms(name, values) => {
            let field = known.named(name)?;
            let terms = values.iter().map(|value| query::term(field, &value.to_string(), false));
            terms.collect::<Result<Vec<_>, Error>>().map(Query::any)
        }
        Asked::Range(name, limits) => {
            let side = |(limit, value): &(Limit, Scalar)| (side(*limit), value.to_string());
            query::range(known.named(name)?, &limits.iter().map(side).collect::<Vec<_>>())
        }
        Asked::Value { field, test, fold } => {
            let field = known.named(field)?;
            match test {
                Test::Term(value) => query::term(field, &value.to_string(), *fold),
                Test::Prefix(value) => {
                    query::wildcard(whole(field)?, Glob::prefix(&value.to_string()), *fold)
                }
                Test::Regexp(written) => {
                    query::regexp(whole(field)?, regexp::read(written, *fold)?)
                }
                Test::Wildcard(pattern) => query::wildcard(whole(field)?, Glob::of(pattern), *fold),
            }
        }
        Asked::Words { field, text, phrase } => {
            query::analyse(known.named(field)?, &text.to_string(), *phrase)
        }
    }
}

fn side(limit: Limit) -> Side {
    match limit {
        Limit::Above => Side::From(false),
        Limit::AtLeast => Side::From(true),
        Limit::Below => Side::To(false),
        Limit::AtMost => Side::To(true),
    }
}

// Versions of Elasticsearch differ in folding such a test of analysed text, so it is refused.
fn whole(field: &Field) -> Result<&Field, Error> {
    match field.kind == Type::Text {
        true => Err(query::analysed(field)),
        false => Ok(field),
    }
}

fn bool(parts: &Bool, known: &Known) -> Result<Query, Error> {
    let many = |parts: &[elasticsearch::Query]| {
        parts.iter().map(|part| query(part, known)).collect::<Result<Vec<_>, Error>>()
    };
    let mut all = many(&parts.must)?;
    all.extend(many(&parts.filter)?);
    // Beside `must` or `filter`, `should` only ranks the documents.
    let fewest = usize::from(!parts.should.is_empty() && all.is_empty());
    all.extend(many(&parts.must_not)?.into_iter().map(Query::negate));
    let least = parts.minimum_should_match.unwrap_or(fewest);
    all.push(Query::AtLeast(least, many(&parts.should)?));
    Ok(Query::All(all))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::evaluate;
    use super::super::fields::Groups;
    use super::*;

    fn fits(filter: &Value, document: &Value) -> bool {
        let query = of(filter, &Known::default()).unwrap().unwrap();
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
        let why =
            |query: Value| of(&json!({"query": query}), &Known::default()).unwrap_err().to_string();
        assert_eq!(
            why(json!({"fuzzy": {"user.name": "a"}})),
            "`fuzzy` in a filter is not judged here"
        );
        let flags = json!({"wildcard": {"user.name": {"value": "a", "rewrite": "x"}}});
        assert_eq!(why(flags), "`rewrite` in a filter is not judged here");
        assert!(why(json!({"prefix": {"process.name.text": "a"}})).contains("analysed text"));
        assert!(why(json!({"term": {"user.name": null}})).contains("`null` is no value"));
        assert!(why(json!({"term": {"a": 1, "b": 2}})).contains("has not one key"));
        assert!(of(&json!({"meta": {"disabled": true}}), &Known::default()).unwrap().is_none());
    }
}
