//! Queries in EQL: what Elasticsearch refuses is refused, the rest reads back as it was printed.

use std::fs;

use rulecast::backend::{Target, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::query::eql::{FieldType, bind, parse};
use rulecast::verify::Import;
use serde_json::Value;

use crate::support::{corpus, in_language, rule};
use crate::trials::import;

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

/// A keyword without a letter asks whether there is a message at all
#[test]
fn a_message_is_left_to_filters_also_where_it_need_only_be_there() {
    let text = "title: One test\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\n\
                logsource:\n  product: linux\n  service: syslog\n\
                detection:\n  keywords: ['*=*', '*;*']\n  condition: keywords\n";
    let rule = in_language(rule(text), "eql");
    let made = translate(Target::Elastic, &rule, "one", &mut Diagnostics::default()).unwrap();
    let line: Value = serde_json::from_str(import(&made)).unwrap();
    assert_eq!(line["language"], "eql");
    assert!(line["filters"].to_string().contains(r#"{"exists":{"field":"message"}}"#), "{line}");
    assert!(Import::read(&made.rule, &made.manifest, import(&made)).is_ok());
}
