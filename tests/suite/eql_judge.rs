//! The judge of EQL against cases whose results Elasticsearch documents or tests.
//!
//! A case has a query, the types of the mapped fields, events and the events or sequences that are
//! found. `error` stands for a query that Elasticsearch refuses.

use std::fs;

use rulecast::query::eql;
use rulecast::verify::eql::{FieldType, Folding, Index, Judge};
use serde_json::{Value, json};

use crate::support::corpus;

/// What a case finds, in the notation of the file
fn found(case: &Value) -> Value {
    let types = |name: &str| case["types"].get(name)?.as_str().and_then(FieldType::named);
    let folding = if case["folding"] == "unicode" { Folding::Unicode } else { Folding::Ascii };
    let query = eql::parse(case["query"].as_str().unwrap());
    let judge = query.and_then(|query| Judge::of(&query, &Index::new(&types).folding(folding)));
    let Ok(judge) = judge else { return json!("error") };
    let events = case["events"].as_array().unwrap();
    match judge {
        Judge::Event(judge) => {
            let matching = events.iter().filter(|event| judge.matches(event));
            matching.map(|event| event["id"].clone()).collect()
        }
        Judge::Sequence(judge) => {
            let timed = |event: &Value| {
                let mut event = event.clone();
                event["@timestamp"] = event["t"].clone();
                event
            };
            let timed: Vec<Value> = events.iter().map(timed).collect();
            let sequences = judge.sequences(&timed).unwrap();
            let id = |at: &Option<usize>| at.map_or(Value::Null, |at| events[at]["id"].clone());
            sequences.iter().map(|one| one.iter().map(id).collect::<Value>()).collect()
        }
    }
}

#[test]
fn every_case_is_judged_as_elasticsearch_does() {
    let Some(corpus) = corpus("every_case_is_judged_as_elasticsearch_does") else { return };
    let cases = fs::read_to_string(corpus.join("data/eql-cases.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for case in cases.lines() {
        let case: Value = serde_json::from_str(case).unwrap();
        let found = found(&case);
        if found != case["expect"] {
            wrong.push(format!("{}: {found} in place of {}", case["name"], case["expect"]));
        }
    }
    assert!(cases.lines().count() >= 84, "cases are missing");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
