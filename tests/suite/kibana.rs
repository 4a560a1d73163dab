//! Kibana takes every emitted rule, and its runs alert about what the engine calls new.

use std::collections::BTreeSet;

use rulecast::Rule;
use rulecast::backend::Translation;
use rulecast::matcher::Found;
use serde_json::{Value, json};

use crate::events::{found_in, in_order};
use crate::kuery::{emitted, lines_of, of_sigma, referee};
use crate::support::{LANGUAGES, corpus, root};
use crate::trials::{import, translations};

#[test]
fn every_emitted_rule_is_imported_and_has_no_hazard() {
    let Some(corpus) = corpus("every_emitted_rule_is_imported_and_has_no_hazard") else { return };
    let own = ["rules", "tests/operators"].map(|folder| root().join(folder));
    let folders: Vec<_> = own.into_iter().chain([corpus.join("golden")]).collect();
    let each =
        LANGUAGES.iter().flat_map(|language| folders.iter().map(move |path| (path, language)));
    let spotless = each.map(|(path, language)| emitted(path, language));
    // What the authors of Sigma's rules look for may be a hazard, as a value that starts with a star.
    let others = ["kuery", "eql"].map(|language| (of_sigma(&corpus, language).to_vec(), false));
    let mut taken = 0;
    for (rules, spotless) in spotless.map(|rules| (rules, true)).chain(others) {
        let rules = lines_of(rules);
        let asked: Vec<Value> = rules.iter().map(|(_, rule)| json!({"import": rule})).collect();
        for ((name, rule), said) in rules.iter().zip(referee(&corpus, &asked)) {
            assert_eq!(said[0], json!([]), "{name}: {}", rule["name"]);
            assert!(!spotless || said[1] == json!([]), "{name}: {}: {}", rule["name"], said[1]);
            taken += 1;
        }
    }
    assert!(taken > 1_000, "only {taken} rules");
}

#[test]
fn alerts_are_about_what_the_engine_calls_new() {
    let Some(corpus) = corpus("alerts_are_about_what_the_engine_calls_new") else { return };
    let made =
        ["rules", "tests/operators"].map(|folder| translations(&root().join(folder), "auto"));
    let made = made.into_iter().flatten().map(|(_, made)| made);
    let made: Vec<Translation> = made.filter(|made| made.rule.new_terms.is_some()).collect();
    let rules: Vec<Rule> = made.iter().map(|made| made.rule.clone()).collect();
    let signal = |at: usize| rules[at].new_terms.as_ref().unwrap().signal;
    // For each rule the documents of what matches, and the places of those that are new.
    let mut matched = vec![(Vec::new(), BTreeSet::new()); rules.len()];
    let events = in_order(&corpus);
    for found in found_in(&rules, &events) {
        let Found::Hit(hit) = found else { continue };
        if hit.matched.signal == signal(hit.matched.rule) {
            let (documents, new) = &mut matched[hit.matched.rule];
            new.extend((hit.new == Some(true)).then_some(documents.len()));
            let mut document = events[hit.line - 1]["ecs"].clone();
            // Only Elastic's agent knows the host's id; its name stands in for that.
            document["host"]["id"] = document["host"]["name"].clone();
            documents.push(document);
        }
    }
    let asked = made.iter().zip(&matched).enumerate().map(|(at, (made, (documents, _)))| {
        let rule: Value =
            serde_json::from_str(import(made).lines().nth(signal(at)).unwrap()).unwrap();
        json!({"new_terms": rule, "events": documents})
    });
    let (mut alerts, mut lacked) = (0, 0);
    let answers = referee(&corpus, &asked.collect::<Vec<_>>());
    for ((rule, (_, new)), answer) in rules.iter().zip(&matched).zip(answers) {
        let (found, lacking): (BTreeSet<usize>, BTreeSet<usize>) =
            serde_json::from_value(answer).unwrap();
        let wanted: BTreeSet<usize> = new - &lacking;
        let differing = wanted.symmetric_difference(&found).collect::<Vec<_>>();
        assert!(differing.is_empty(), "{}: {differing:?}", rule.metadata.title.value);
        alerts += found.len();
        lacked += new.intersection(&lacking).count();
    }
    // A document without the account, which some events do not name, makes no term.
    assert!(rules.len() > 3 && alerts > 1_000 && lacked * 20 < alerts, "{alerts} {lacked}");
}
