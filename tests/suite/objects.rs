//! Rules as objects of their targets: what an import says beside the query.

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::manifest::Artifact;
use serde_json::{Value, json};

use crate::kuery::referee;
use crate::support::{corpus, definition, lines, rule};

/// A definition with these settings for Elastic
fn with(settings: &str) -> String {
    format!("{}targets:\n  elastic: {settings}\n", definition("p", "children: [cmd.exe]"))
}

fn emitted(text: &str) -> Vec<Artifact> {
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Elastic, &rule(text), "rule", &mut found);
    artifacts.unwrap_or_else(|| panic!("{text}{}", lines(found).join("\n")))
}

/// The TOML file of the first signal
fn toml(artifacts: &[Artifact]) -> &str {
    &artifacts[0].text
}

/// The lines of the import file
fn imported(artifacts: &[Artifact]) -> Vec<Value> {
    let file = artifacts.last().unwrap();
    assert!(file.name.ends_with(".ndjson"));
    file.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_building_block_keeps_its_times_and_detection_rules_is_told() {
    let artifacts = emitted(&with("{building_block: true}"));
    assert_eq!(imported(&artifacts)[0]["building_block_type"], "default");
    let text = toml(&artifacts);
    assert!(text.contains("[metadata]\nbypass_bbr_timing = true\n"), "{text}");
    for said in ["building_block_type = \"default\"", "interval = \"5m\"", "from = \"now-9m\""] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let hourly = emitted(&with("{building_block: true, interval: 1h, from: 119m}"));
    assert!(!toml(&hourly).contains("bypass_bbr_timing"), "{}", toml(&hourly));
    let plain = emitted(&with("{building_block: false}"));
    assert_eq!(imported(&plain)[0].get("building_block_type"), None);
    assert!(!toml(&plain).contains("building_block"), "{}", toml(&plain));
}

#[test]
fn a_rule_says_whether_it_runs_where_that_is_asked() {
    for (asked, said) in [("true", true), ("false", false)] {
        let artifacts = emitted(&with(&format!("{{enabled: {asked}}}")));
        assert_eq!(imported(&artifacts)[0]["enabled"], json!(said));
        assert!(toml(&artifacts).contains(&format!("\nenabled = {asked}\n")));
    }
    assert_eq!(imported(&emitted(&with("{}")))[0].get("enabled"), None);
    let mut found = Diagnostics::default();
    let wrong = rule(&with("{enabled: maybe}"));
    assert!(emit(Target::Elastic, &wrong, "rule", &mut found).is_none());
    let found = lines(found).join("\n");
    assert!(found.contains("[E0607]: `enabled` is not true or false"), "{found}");
}

#[test]
fn kibana_takes_every_such_object() {
    let Some(corpus) = corpus("kibana_takes_every_such_object") else { return };
    let all = ["{building_block: true, enabled: false}", "{enabled: true, max_signals: 1000}"];
    let rules = all.into_iter().flat_map(|settings| imported(&emitted(&with(settings))));
    let asked: Vec<Value> = rules.map(|rule| json!({"import": rule})).collect();
    assert_eq!(asked.len(), 2);
    for said in referee(&corpus, &asked) {
        assert_eq!(said, json!([[], []]));
    }
}
