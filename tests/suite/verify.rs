//! What `verify` stands on: documents as Elastic makes them.

use std::collections::BTreeMap;

use rulecast::backend::{Target, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::say_action;
use rulecast::manifest::LossName;
use rulecast::matcher::Recorder;
use rulecast::taxonomy::{EventKind, Product};
use rulecast::verify::{Example, Gaps, Import, Place, Trial, document};
use serde_json::{Value, json};

use crate::support::{
    LANGUAGES, corpus, definition, events_of, in_language, recordings, root, rule,
};
use crate::trials::import;

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
                // These documents have the text as it was sent; Elastic's pipeline for IIS decodes it.
                for field in ["url.query", "user_agent.original"] {
                    if theirs.get(field).is_some_and(|sent| sent[0].contains(['%', '+'])) {
                        ours.remove(field);
                        theirs.remove(field);
                    }
                }
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

#[test]
fn a_query_that_the_pipeline_decodes_is_found_in_both_forms() {
    // The query of a request, and whether the two sides match it alike.
    let table = [
        ("f=C%3A%5CUsers%5Ca.txt", true),
        ("f=C:\\Users", false),
        ("f=C%3A%5CUsers&g=%zz", false),
        ("f=C%3A", true),
    ];
    for language in LANGUAGES {
        let test = "cs-uri-query|contains: '=C%3A%5CUsers'";
        let rule = in_language(rule(&definition("w", test)), language);
        let made = translate(Target::Elastic, &rule, "rule", &mut Diagnostics::default()).unwrap();
        for (query, alike) in table {
            let event =
                json!({"cs-method": "GET", "cs-uri-stem": "/a.aspx", "cs-uri-query": query});
            let example = Example { place: Place::Line { file: 0, line: 1 }, event, kind: None };
            let imports = [Some(Import::read(&made.rule, &made.manifest, import(&made)).unwrap())];
            let mut trial = Trial::new(std::slice::from_ref(&made.rule), &imports);
            trial.observe(&[example]);
            let tally = trial.finish().remove(0);
            assert_eq!((tally.events, &tally.differences[..]), (1, &[][..]), "{query}");
            let lost: &[LossName] = if alike { &[] } else { &[LossName::Encoding] };
            assert!(tally.losses.iter().eq(lost), "{query}: {:?}", tally.losses);
        }
    }
}
