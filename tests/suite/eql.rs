//! Queries in EQL: what Elasticsearch refuses is refused, the rest reads back as it was printed.

use std::fs;

use rulecast::query::eql::{FieldType, bind, parse};
use serde_json::Value;

use crate::support::corpus;

/// The cases, each a query on an index of its own with what Elasticsearch says to it
#[test]
fn the_cases_are_refused_where_elasticsearch_refuses_them() {
    let Some(corpus) = corpus("the cases of EQL") else { return };
    let cases = fs::read_to_string(corpus.join("data/eql-cases.jsonl")).unwrap();
    let (mut refused, mut taken) = (0, 0);
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = case["query"].as_str().unwrap();
        let types = |field: &str| {
            let mapped = &case["types"][field];
            mapped.as_str().or(mapped["type"].as_str()).map(FieldType::named)
        };
        let why = match parse(text) {
            Ok(query) => {
                let printed = query.to_string();
                assert_eq!(parse(&printed), Ok(query.clone()), "{text}\n{printed}");
                let found = bind(&query, &types).into_iter().map(|finding| finding.message);
                found.collect::<Vec<_>>().join("; ")
            }
            Err(error) => error.to_string(),
        };
        let wanted = case["expect"] == "error";
        assert_eq!(!why.is_empty(), wanted, "{text}\n{why}");
        refused += usize::from(wanted);
        taken += usize::from(!wanted);
    }
    assert!(refused > 5 && taken > 70, "{refused} cases are refused and {taken} are not");
}
