//! Elasticsearch's query DSL, as Kibana's filters hold it.
//!
//! ```text
//!  JSON ──► read ──► Filter, Query ──► print ──► JSON
//! ```
//!
//! In: JSON, or parts that a plan joins. Out: a [`Query`], or its JSON. Deliberately absent:
//! running a query over documents, which the judge in `verify` does.
//!
//! INVARIANT: a tree that is printed and read back is the same tree. The reader understands or
//! refuses every key, because a key it overlooked would change the meaning.

mod exception;
mod print;
mod read;
mod regexp;
mod tree;

pub use exception::{Entry, EntryTest, Item};
pub use read::filter;
pub use regexp::{Lucene, lucene, of_pattern};
pub use tree::{Bool, Filter, Limit, Query, Scalar, Test};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pattern::Pattern;

    #[test]
    fn what_is_printed_reads_back_as_it_was() {
        let name = |test| Query::Value { field: "process.name".to_owned(), test, fold: true };
        let port = |limit, number: i64| (limit, Scalar::from(number));
        let queries = [
            Query::Everything,
            Query::Nothing,
            Query::all(vec![Query::exists("user.name"), name(Test::Term("a".into()))]),
            Query::any(vec![name(Test::Prefix("a*".into())), Query::Nothing]),
            Query::none_of(vec![name(Test::Wildcard(Pattern::read(r"*\\a\*?")))]),
            name(Test::Regexp(r"a\.(b|c)+".to_owned())),
            Query::Bool(Bool { must: vec![Query::Everything], ..Bool::default() }),
            Query::Bool(Bool::default()),
            Query::any(Vec::new()),
            Query::terms("source.port", [1, 2]),
            Query::Range(
                "source.port".to_owned(),
                vec![port(Limit::AtLeast, 1), port(Limit::Below, 2)],
            ),
            Query::Words { field: "message".to_owned(), text: "a b".into(), phrase: true },
            Query::Words { field: "message".to_owned(), text: "a b".into(), phrase: false },
        ];
        for query in queries {
            let whole = Filter { alias: "why".to_owned(), negate: true, query };
            let json = whole.to_json();
            assert_eq!(filter(&json), Ok(Some(whole)), "{json}");
        }
    }

    #[test]
    fn keys_stand_in_one_order() {
        let is = |name: &str| Query::terms("user.name", [name]);
        let query = Query::Bool(Bool {
            must: vec![],
            filter: vec![is("a")],
            should: vec![is("b")],
            minimum_should_match: Some(1),
            must_not: vec![is("c")],
        });
        let whole = Filter { alias: "a".to_owned(), negate: false, query };
        assert_eq!(
            whole.to_json().to_string(),
            concat!(
                r#"{"meta":{"alias":"a","disabled":false,"negate":false,"type":"custom"},"#,
                r#""query":{"bool":{"filter":[{"terms":{"user.name":["a"]}}],"#,
                r#""should":[{"terms":{"user.name":["b"]}}],"minimum_should_match":1,"#,
                r#""must_not":[{"terms":{"user.name":["c"]}}]}}}"#
            )
        );
    }

    #[test]
    fn alternatives_inside_alternatives_are_one_list() {
        let is = |name: &str| Query::terms("user.name", [name]);
        let inner = Query::any(vec![is("a"), is("b")]);
        let flat = Query::any(vec![is("a"), is("b"), is("c")]);
        assert_eq!(Query::any(vec![inner.clone(), is("c")]), flat);
        assert_eq!(Query::any(vec![inner.clone()]), inner);
        assert_eq!(Query::any(vec![is("a")]), is("a"));
    }

    #[test]
    fn the_fields_of_a_query_are_those_of_its_leaves() {
        let query = Query::all_but(
            vec![Query::exists("a"), Query::terms("b", [1])],
            vec![Query::any(vec![Query::exists("c"), Query::Everything])],
        );
        assert_eq!(query.fields(), ["a", "b", "c"]);
    }

    #[test]
    fn nothing_is_overlooked() {
        let why = |whole: serde_json::Value| filter(&whole).unwrap_err().to_string();
        assert_eq!(
            why(json!({"meta": {"negate": "yes"}, "query": {"match_all": {}}})),
            "`negate` of a filter is \"yes\", which is neither true nor false"
        );
        assert_eq!(
            why(json!({"query": {"match_all": {"x": 1}}})),
            "`x` in a filter is not judged here"
        );
    }
}
