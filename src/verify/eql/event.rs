//! Queries of single events.
//!
//! In: a category and a condition. Out: whether a document matches. The category is compared as it
//! is written, with every value of `event.category`.

use serde_json::Value;

use super::index::Index;
use super::prepare;
use super::test::Test;
use crate::query::Error;
use crate::query::eql::EventQuery;
use crate::verify::elastic::document::leaves;

/// A query of single events, ready to judge documents
#[derive(Debug, Clone)]
pub struct EventJudge {
    category: Option<String>,
    test: Test,
}

impl EventJudge {
    pub(super) fn of(query: &EventQuery, index: &Index<'_>) -> Result<EventJudge, Error> {
        let test = prepare::condition(&query.condition, index)?.test();
        Ok(EventJudge { category: query.category.clone(), test })
    }

    /// Whether a document matches; its fields may be nested, dotted or both
    pub fn matches(&self, document: &Value) -> bool {
        let is = |wanted: &str| {
            let categories = leaves(document, "event.category");
            categories.into_iter().any(|category| category.as_str() == Some(wanted))
        };
        self.category.as_deref().is_none_or(is) && self.test.holds(document)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::index::FieldType;
    use super::*;
    use crate::query::eql::{Comparison, Condition, FieldName, Matching, Value as V};

    /// `name` and `path` are keywords, `size` a number, `up` a truth, `ip` an address
    fn types(name: &str) -> Option<FieldType> {
        let kind = match name {
            "name" | "path" => "keyword",
            "size" => "long",
            "up" => "boolean",
            "ip" => "ip",
            "name.text" => "text",
            _ => return None,
        };
        FieldType::named(kind)
    }

    fn judge(condition: Condition) -> Result<EventJudge, Error> {
        EventJudge::of(&EventQuery { category: None, condition }, &Index::new(&types))
    }

    fn matches(condition: &Condition, document: Value) -> bool {
        judge(condition.clone()).unwrap().matches(&document)
    }

    fn colon(value: V, pattern: &str) -> Condition {
        Condition::Matches(value, Matching::Colon, vec![pattern.to_owned()])
    }

    fn is(value: V, comparison: Comparison, other: V) -> Condition {
        Condition::Compare(value, comparison, other)
    }

    fn text(text: &str) -> V {
        V::Text(text.to_owned())
    }

    fn number(number: i64) -> V {
        V::Number(number.into())
    }

    fn call(function: &str, fold: bool, arguments: Vec<V>) -> V {
        V::Call { function: function.to_owned(), fold, arguments }
    }

    /// `?who`, which no index maps
    fn who() -> V {
        V::Field(FieldName { name: "who".to_owned(), optional: true })
    }

    #[test]
    fn a_missing_value_fails_every_test_and_passes_every_negation() {
        let long = "x".repeat(1025);
        let addresses = call("cidrMatch", false, vec![V::field("ip"), text("10.0.0.0/8")]);
        let items = vec![text("a"), text("x")];
        let tests = [
            colon(V::field("name"), "*"),
            is(V::field("name"), Comparison::Equal, text("a")),
            is(V::field("size"), Comparison::AtMost, number(1)),
            is(call("length", false, vec![V::field("name")]), Comparison::Above, number(0)),
            Condition::In { value: V::field("name"), items, fold: false },
            Condition::Truth(addresses),
            Condition::Truth(V::field("up")),
        ];
        let full = json!({"name": "a", "size": 1, "up": true, "ip": "10.1.1.1"});
        for test in &tests {
            for value in [json!(null), json!([]), json!(long)] {
                let empty = json!({ "name": value });
                assert!(!matches(test, empty.clone()), "{test:?}");
                assert!(matches(&Condition::none(test.clone()), empty), "{test:?}");
            }
            assert!(matches(test, full.clone()), "{test:?}");
        }
        let differs = is(V::field("name"), Comparison::NotEqual, text("a"));
        assert!(matches(&differs, json!({})) && !matches(&differs, json!({"name": ["a", "b"]})));
    }

    #[test]
    fn null_is_a_missing_value() {
        let null = is(V::field("name"), Comparison::Equal, V::Null);
        assert!(matches(&null, json!({"name": []})) && !matches(&null, json!({"name": ""})));
        let some = is(V::Null, Comparison::NotEqual, V::field("name"));
        assert!(matches(&some, json!({"name": ""})) && !matches(&some, json!({"name": null})));
        let length = call("length", false, vec![V::field("name")]);
        assert!(matches(&is(length, Comparison::Equal, V::Null), json!({})));
    }

    #[test]
    fn an_optional_field_that_is_mapped_nowhere_is_null() {
        let equal = |comparison, value| is(who(), comparison, value);
        assert!(matches(&equal(Comparison::Equal, V::Null), json!({"who": "x"})));
        assert!(matches(&equal(Comparison::NotEqual, text("x")), json!({"who": "x"})));
        assert!(!matches(&equal(Comparison::Equal, text("x")), json!({"who": "x"})));
        let negated = Condition::none(equal(Comparison::Equal, text("x")));
        assert!(matches(&negated, json!({})));
        assert!(!matches(&Condition::Truth(who()), json!({"who": true})));
    }

    #[test]
    fn a_constant_null_spoils_and_but_not_or() {
        let (x, a) = (colon(who(), "x"), colon(V::field("name"), "a"));
        let document = || json!({"name": "a"});
        assert!(matches(&Condition::Any(vec![x.clone(), a.clone()]), document()));
        let not = Condition::none(x.clone());
        assert!(!matches(&not, document()) && !matches(&Condition::all(vec![a, not]), document()));
        let both =
            Condition::All(vec![x.clone(), is(V::field("size"), Comparison::Equal, number(1))]);
        assert!(!matches(&Condition::none(both), document()));
        let null = is(who(), Comparison::Equal, V::Null);
        let guarded = Condition::Any(vec![null, Condition::none(x)]);
        assert!(matches(&guarded, document()));
        for null in [
            Condition::In { value: who(), items: vec![text("x")], fold: true },
            Condition::Matches(who(), Matching::Regex, vec!["x".to_owned()]),
        ] {
            assert!(!matches(&Condition::none(null), document()));
        }
    }

    #[test]
    fn each_comparison_looks_at_the_values_by_itself() {
        let above = is(V::field("size"), Comparison::Above, number(100));
        let below = is(number(50), Comparison::Above, V::field("size"));
        let both = Condition::all(vec![above, below]);
        assert!(matches(&both, json!({"size": [10, 200]})) && !matches(&both, json!({"size": 70})));
    }

    #[test]
    fn texts_of_functions_are_searched_as_elasticsearch_does() {
        let asks = |function, fold, part| {
            Condition::Truth(call(function, fold, vec![V::field("name"), text(part)]))
        };
        let of = |condition: &Condition, name: &str| matches(condition, json!({ "name": name }));
        assert!(of(&asks("startsWith", true, r"A\*"), r"a\*b"));
        assert!(!of(&asks("startsWith", false, r"A\*"), r"a\*b"));
        let ends = asks("endsWith", false, r"\cmd.exe");
        assert!(of(&ends, "xcmd.exe"), "a backslash makes the next character literal");
        assert!(of(&asks("stringContains", true, "A?C"), "xabcx"), "a mark is a wildcard");
        let negated = is(asks_value("startsWith", "a"), Comparison::Equal, V::Truth(false));
        assert!(of(&negated, "b") && !of(&negated, "a"));
        let joined = call("concat", false, vec![V::field("name"), text("-"), V::field("size")]);
        let joined = colon(joined, "A-1");
        assert!(matches(&joined, json!({"name": ["b", "a"], "size": [2, 1]})));
        assert!(!matches(&joined, json!({"name": "a"})));
    }

    fn asks_value(function: &str, part: &str) -> V {
        call(function, false, vec![V::field("name"), text(part)])
    }

    #[test]
    fn what_elasticsearch_refuses_is_an_error() {
        let why = |condition| judge(condition).unwrap_err().to_string();
        assert_eq!(why(colon(V::field("who"), "x")), "the field `who` is mapped in no index");
        assert_eq!(
            why(colon(V::field("name.text"), "x")),
            "the field `name.text` is analysed text"
        );
        assert!(why(colon(V::field("size"), "1")).contains("compares texts"));
        assert!(why(colon(V::field("ip"), "10.*")).contains("compares texts"));
        let fields = is(V::field("name"), Comparison::Equal, V::field("path"));
        assert!(why(fields).contains("another value of it"));
        let mixed = is(V::field("size"), Comparison::Equal, text("1"));
        assert_eq!(why(mixed), "`1` is not of the type that it is compared with");
        assert_eq!(
            why(Condition::Truth(V::field("name"))),
            "a condition is neither true nor false"
        );
        let networks = call("cidrMatch", false, vec![V::field("name"), text("10.0.0.0/8")]);
        assert!(why(Condition::Truth(networks)).contains("a field of addresses"));
    }

    #[test]
    fn a_category_is_exact() {
        let condition = Condition::All(Vec::new());
        let query = EventQuery { category: Some("process".to_owned()), condition };
        let judge = EventJudge::of(&query, &Index::new(&types)).unwrap();
        assert!(judge.matches(&json!({"event": {"category": ["process", "session"]}})));
        assert!(!judge.matches(&json!({"event.category": "Process"})));
        assert!(!judge.matches(&json!({})));
    }
}
