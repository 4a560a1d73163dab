//! Rules as objects of their targets: what an import says beside the query, and ids that stay.

use std::fs;
use std::path::Path;
use std::process::Command;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::manifest::Artifact;
use rulecast::workspace::{Kept, Text, Workspace};
use serde_json::{Value, json};

use crate::kuery::referee;
use crate::support::{corpus, definition, folder, lines, rule};

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

const OWN: &str = "3f0c9c1e-54d2-4a0c-8a8e-6a1f8c1d2b3e";

/// A definition whose only signal has this name and these lines before its tests
fn signal(name: &str, id: &str) -> String {
    let line = if id.is_empty() { String::new() } else { format!("id: {id}\n") };
    definition("p", &format!("{line}children: [cmd.exe]")).replace("only:", &format!("{name}:"))
}

fn rule_id(text: &str) -> Value {
    let artifacts = emitted(text);
    let id = imported(&artifacts)[0]["rule_id"].clone();
    assert!(toml(&artifacts).contains(&format!("rule_id = {id}\n")), "{id}");
    id
}

#[test]
fn a_signal_with_an_id_keeps_its_rule_under_another_name() {
    assert_eq!(rule_id(&signal("shell", OWN)), OWN);
    assert_eq!(rule_id(&signal("command", &OWN.to_uppercase())), OWN);
    let derived = rule_id(&signal("shell", ""));
    assert_ne!(derived, rule_id(&signal("command", "")));
    // The id that the old name gave is kept by writing it down.
    assert_eq!(rule_id(&signal("command", derived.as_str().unwrap())), derived);
}

#[test]
fn a_definition_with_an_id_reads_back_from_its_print() {
    let text = signal("shell", OWN);
    let workspace = Workspace::read(&Text::new("rule.yml", text).into());
    let printed = workspace.rules[0].definition().unwrap().print();
    assert!(printed.contains(&format!("id: {OWN}")), "{printed}");
    assert_eq!(rule_id(&printed), OWN);
}

/// What is found in these files
fn found(texts: &[String]) -> Vec<String> {
    let texts = texts.iter().enumerate();
    let texts = texts.map(|(at, text)| Text::new(format!("{at}.yml"), text.clone())).collect();
    let sources = rulecast::workspace::Sources { texts, placeholders: None };
    let mut workspace = Workspace::read(&sources);
    workspace.outputs(&[Target::Elastic], Kept::Nothing);
    lines(std::mem::take(&mut workspace.diagnostics))
}

#[test]
fn an_id_that_is_wrong_or_there_already_is_refused_at_the_word() {
    let wrong = found(&[signal("shell", "shell-1")]).join("\n");
    assert!(wrong.contains("0.yml:7:9: error[E0113]: `shell-1` is not a UUID"), "{wrong}");
    let second = signal("shell", OWN).replace("0d0f2c5e", "1d0f2c5e").replace("One", "Other");
    let again = found(&[signal("shell", OWN), second]).join("\n");
    assert!(again.contains(&format!("1.yml:7:9: error[E0801]: signal id `{OWN}` is used twice")));
    let own = "0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01";
    let of_rule = found(&[signal("shell", own)]).join("\n");
    assert!(of_rule.contains("0.yml:7:9: error[E0801]"), "{of_rule}");
}

#[test]
fn a_new_signal_does_not_take_the_rule_of_a_renamed_one() {
    let derived = rule_id(&signal("shell", ""));
    let more = "  shell:\n    event: process_creation\n    children: [powershell.exe]\n";
    let text = signal("command", derived.as_str().unwrap()) + more;
    let found = found(&[text]).join("\n");
    let said = "error[E0801]: `command` and `shell` get the same rule id";
    assert!(found.contains(&format!("0.yml:9:3: {said}")), "{found}");
}

/// Converts one definition into a folder, as a user does; what is said
fn converted(folder: &Path, text: &str, arguments: &[&str]) -> String {
    let file = folder.join("rule.yml");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.args(["--color", "never", "--format", "concise", "convert"]).arg(&file);
    let output = command.arg("-o").arg(folder.join("build")).args(arguments).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn a_rule_that_gets_another_id_is_told_once_and_the_old_id_mends_it() {
    let folder = folder("renamed");
    let first = converted(&folder, &signal("shell", ""), &[]);
    assert!(!first.contains("W0811"), "{first}");
    let old = rule_id(&signal("shell", ""));
    let old = old.as_str().unwrap();
    let checked = converted(&folder, &signal("command", ""), &["--check"]);
    let renamed = converted(&folder, &signal("command", ""), &[]);
    for said in [checked, renamed] {
        assert!(said.contains("rule.yml:5:3: warning[W0811]: `One test` gets the id "), "{said}");
        assert!(said.contains(&format!("on elastic, and `One test` with the id {old} is gone")));
        assert_eq!(said.matches("W0811").count(), 1, "Sentinel's rule keeps its id: {said}");
    }
    let again = converted(&folder, &signal("command", ""), &[]);
    assert!(!again.contains("W0811"), "{again}");
    // Back to the old id, which is a change again; from there on any name will do.
    assert!(converted(&folder, &signal("command", old), &[]).contains("W0811"));
    for name in ["shell_spawn", "shell"] {
        let said = converted(&folder, &signal(name, old), &[]);
        assert!(!said.contains("W0811"), "{said}");
    }
    let other = signal("shell", old).replace("0d0f2c5e", "1d0f2c5e");
    let said = converted(&folder, &other, &[]);
    assert!(said.contains("rule.yml:2:5: warning[W0811]: `One test` gets the id"), "{said}");
    assert!(said.contains("on sentinel"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_version_is_in_every_object_that_has_one() {
    let versioned = |version: &str| {
        signal("shell", "").replace("date: 2026-11-21", &format!("date: 2026-11-21{version}"))
    };
    let second = versioned("\nversion: 2");
    assert_eq!(imported(&emitted(&second))[0]["version"], 2);
    assert!(!toml(&emitted(&second)).contains("version = 2"));
    let of_sentinel = |text: &str| {
        let mut found = Diagnostics::default();
        let artifacts = emit(Target::Sentinel, &rule(text), "rule", &mut found).unwrap();
        artifacts.into_iter().map(|one| one.text).collect::<Vec<_>>().join("\n")
    };
    let text = of_sentinel(&second);
    assert_eq!(text.matches("\nversion: 1.0.1\n").count(), 2, "{text}");
    assert!(text.contains("\"contentVersion\": \"1.0.1.0\""), "{text}");
    let first = versioned("");
    assert_eq!(imported(&emitted(&first))[0].get("version"), None);
    assert_eq!(of_sentinel(&first).matches("\nversion: 1.0.0\n").count(), 2);
    for wrong in ["0", "1.2.0", "two", "-1"] {
        let found = found(&[versioned(&format!("\nversion: {wrong}"))]).join("\n");
        let said = format!("0.yml:4:10: error[E0108]: `{wrong}` is not the number of a version");
        assert!(found.contains(&said), "{found}");
    }
    let sigma = "title: Other's rule\nid: 1d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nversion: 1.2.0\n\
                 logsource: {category: process_creation, product: windows}\n\
                 detection: {one: {Image: a}, condition: one}\n";
    let found = found(&[sigma.to_owned()]).join("\n");
    assert!(!found.contains("E0"), "{found}");
}

#[test]
fn the_file_of_a_renamed_signal_is_told_until_it_is_gone_and_files_of_others_are_not() {
    let folder = folder("left");
    converted(&folder, &signal("shell", OWN), &[]);
    let elastic = folder.join("build/elastic");
    fs::write(elastic.join("rule_other.toml"), "rule_id = \"another\"\n").unwrap();
    // The folder is one of before there were manifests.
    fs::remove_file(folder.join("build/rulecast-outputs.json")).unwrap();
    for _ in 0..2 {
        let said = converted(&folder, &signal("command", OWN), &[]);
        assert_eq!(said.matches("W0812").count(), 1, "{said}");
        assert!(said.contains("rule_shell.toml is left from an earlier run"), "{said}");
    }
    fs::remove_file(elastic.join("rule_shell.toml")).unwrap();
    let said = converted(&folder, &signal("command", OWN), &[]);
    assert!(!said.contains("W0812"), "{said}");
    // Without an id of its own, the file of the old name is told once, with the old id.
    let said = converted(&folder, &signal("third", ""), &[]);
    assert!(said.contains("W0811") && said.contains("1 file left of rules"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
