//! What `verify` stands on: documents as Elastic makes them.

use std::collections::BTreeMap;

use rulecast::ir::say_action;
use rulecast::matcher::Recorder;
use rulecast::taxonomy::{EventKind, Product};
use rulecast::verify::{Gaps, document};
use serde_json::Value;

use crate::support::{corpus, events_of, recordings, root};

/// The leaves of a document by their dotted names, each a sorted list of texts
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            leaves(inner, &path, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        Value::Null => {}
        Value::String(text) => found.entry(path.to_owned()).or_default().push(text.clone()),
        other @ (Value::Bool(_) | Value::Number(_)) => {
            found.entry(path.to_owned()).or_default().push(other.to_string())
        }
    }
}

/// The fields of ECS that emitted rules about events of a kind can name
fn fields_in_use(kind: &EventKind) -> Vec<String> {
    let file = root().join("src/mapping/ecs.yml");
    let text = std::fs::read_to_string(file).unwrap();
    let mapping: Value = serde_yaml::from_str(&text).unwrap();
    let mut streams = mapping["streams"].as_array().unwrap().iter();
    let stream = streams.find(|stream| stream["events"] == kind.name()).unwrap();
    let shared = stream["with"].as_array().unwrap().iter();
    let shared = shared.map(|name| &mapping["shared"][name.as_str().unwrap()]);
    let mut found = BTreeMap::new();
    shared.chain([stream]).for_each(|holder| leaves(&holder["fields"], "", &mut found));
    found.into_values().flatten().collect()
}

#[test]
fn documents_are_those_that_were_recorded() {
    let Some(corpus) = corpus("documents_are_those_that_were_recorded") else { return };
    let mut compared = 0;
    for path in recordings(&corpus) {
        let name = path.file_name().unwrap().to_string_lossy();
        let category = name.trim_end_matches(".jsonl.gz");
        let Some((kind, action)) = EventKind::category(category) else { continue };
        if matches!(kind, EventKind::Log(_)) {
            continue;
        }
        let (recorder, in_use) = (Recorder::new(&kind), fields_in_use(&kind));
        let events: Vec<Value> = events_of(&path).collect();
        // Fields that no recording of the category has were not recorded.
        let mut known = BTreeMap::new();
        events.iter().for_each(|event| leaves(&event["ecs"], "", &mut known));
        for event in events {
            let mut sigma = event["sigma"].clone();
            say_action(&mut sigma, action);
            let record = recorder.read(&sigma, Some(&kind)).unwrap();
            let product = Product::named(event["product"].as_str().unwrap());
            let product = product.unwrap_or(Product::Windows);
            let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
            leaves(&document(&record, &kind, product, Gaps::Left).unwrap(), "", &mut ours);
            leaves(&event["ecs"], "", &mut theirs);
            // The host's id and the system of a web server come from Elastic's agent.
            ours.remove("host.id");
            theirs.remove("host.id");
            if kind == EventKind::Webserver {
                ours.remove("host.os.type");
            }
            // Only rules about Windows ask for Sysmon by its name; only those about Linux ask for the action,
            // in the words of Elastic Defend, which recorded none of these events.
            let unasked = ["event.action", "event.provider"];
            for field in &unasked[..1 + usize::from(product == Product::Linux)] {
                ours.remove(*field);
                theirs.remove(*field);
            }
            // Rules ask for the id of an account where Elastic Defend recorded it.
            theirs.remove("user.id");
            // Of the data of a Windows event only some recordings keep what no field of ECS has.
            let kept = |field: &str| !field.starts_with("winlog.event_data.");
            ours.retain(|field, _| {
                known.contains_key(field) && (kept(field) || theirs.contains_key(field))
            });
            theirs.retain(|field, _| in_use.contains(field) || ours.contains_key(field));
            assert_eq!(ours, theirs, "{category} {}", event["id"]);
            compared += 1;
        }
    }
    assert!(compared > 30_000, "only {compared} documents");
}
