//! The table operator × target is what the targets do.

use std::collections::BTreeSet;

use rulecast::backend::operators::{COLUMNS, Column, ROWS, Support};
use rulecast::backend::settings::settings_of;
use rulecast::backend::{Decision, Files, Policy, Target, Weight, emit, translate_by};
use rulecast::definition::vocabulary::WORDS;
use rulecast::definition::{Looked, Modifier};
use rulecast::diagnostic::{Diagnostics, Severity};
use rulecast::manifest::LossName;
use rulecast::taxonomy::{EventKind, Field};
use rulecast::{Rule, project};

use crate::support::{definition, in_language, lines, root, rule};

/// The text of all artifacts, or `None` when the target refused, and the findings
///
/// White space in the text is single blanks.
fn emitted(column: Column, event: &str, test: &str) -> (Option<String>, Vec<String>) {
    let rule = rule(&definition(event, test));
    let (target, language) = (column.target, column.language);
    let rule = language.map_or(rule.clone(), |language| in_language(rule, language));
    let mut found = Diagnostics::default();
    let made = translate_by(&told(), target, &rule, "rule", &mut found).translation;
    let text = made.map(|made| {
        let words = made.artifacts.iter().flat_map(|artifact| artifact.text.split_whitespace());
        words.collect::<Vec<_>>().join(" ")
    });
    (text, lines(found))
}

/// The policy under which no loss is a note
fn told() -> Policy {
    let decision = |loss, weight| Decision {
        losses: vec![loss],
        targets: Vec::new(),
        files: Files::All,
        weight,
    };
    let [product, empty] =
        [LossName::Product, LossName::Empty].map(|loss| decision(loss, Weight::Warn));
    Policy {
        decisions: vec![decision(LossName::LongValue, Weight::Deny), product, empty],
        ..Policy::default()
    }
}

#[test]
fn every_row_of_the_table_holds() {
    let mut wrong = Vec::new();
    for row in ROWS.iter() {
        for (column, support) in COLUMNS.into_iter().zip(row.support) {
            let (text, found) = emitted(column, row.event, row.example);
            let named = |loss: &str| found.iter().any(|line| line.contains(&format!("`{loss}`")));
            // Every signal limited to a product loses that on Sentinel, as the last row says, and so
            // does a web server of any product: the table is that of IIS.
            let of_product = row.event.len() > 1 || row.event == "w";
            let others = |line: &&String| !(of_product && line.contains("`product`"));
            let holds = match support {
                Support::Exact(fragment) => {
                    found.iter().filter(others).count() == 0
                        && text.as_ref().is_some_and(|text| text.contains(fragment))
                }
                Support::Wider(loss) => text.is_some() && named(loss) && named_as(&found, "wider"),
                Support::Narrower(loss) => {
                    // No rule is refused for what sensors hardly write.
                    let refused = text.is_none() || loss == "empty";
                    refused && named(loss) && named_as(&found, "narrower")
                }
                Support::Refused => text.is_none(),
                Support::Unreadable => false,
            };
            if !holds {
                let text = text.unwrap_or_default();
                wrong.push(format!(
                    "{} on {}: {support:?}\n{found:#?}\n{text}",
                    row.operator,
                    column.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn named_as(found: &[String], direction: &str) -> bool {
    found.iter().any(|line| line.contains(direction))
}

#[test]
fn an_accepted_loss_is_silent_and_written_into_the_artifact() {
    let accepted = |name: &str| {
        let text = definition("f", "paths: \\inetpub\\");
        format!("{text}targets:\n  elastic:\n    accept: [{name}]\n")
    };
    let attempt = |rule: &Rule, found: &mut Diagnostics| {
        translate_by(&told(), Target::Elastic, rule, "rule", found).translation
    };
    let mut found = Diagnostics::default();
    let made = attempt(&rule(&accepted("long_value")), &mut found);
    assert!(found.is_empty(), "{:?}", lines(found));
    let text = &made.unwrap().artifacts[0].text;
    assert!(text.contains("May miss events: a file.path of more than 1024 characters"), "{text}");
    let mut found = Diagnostics::default();
    assert!(attempt(&rule(&accepted("case")), &mut found).is_none());
    let lines = lines(found);
    assert!(lines.iter().any(|line| line.contains("W0406")), "{lines:?}");
}

#[test]
fn hostile_values_never_become_code() {
    let hostile =
        "\"); union *; //\\n' or 1==1 | take 1 '''\\x07\\u202e{{Signal}} ${x} $(y) %7B\\\"\\n#";
    for target in Target::ALL {
        for (event, key) in [("p", "CommandLine"), ("f", "TargetFilename"), ("n", "Protocol")] {
            let test = format!("{key}: \"{}\"", hostile.replace("\");", "\\\");"));
            let text =
                definition(event, &test).replace("One test", "\"T\\\"{{x}}\\n// union *\\u202e\"");
            let mut found = Diagnostics::default();
            let artifacts = emit(*target, &rule(&text), "rule", &mut found).unwrap_or_default();
            for artifact in &artifacts {
                let raw = artifact.text.chars().filter(|c| *c != '\n');
                assert!(
                    !raw.clone().any(|c| c.is_control() || c == '\u{202e}'),
                    "{}",
                    artifact.text
                );
                if artifact.name.ends_with(".ndjson") {
                    for line in artifact.text.lines() {
                        serde_json::from_str::<serde_json::Value>(line).expect("a JSON line");
                    }
                } else if artifact.name.ends_with(".toml") {
                    artifact.text.parse::<toml::Table>().expect("TOML");
                } else if artifact.name.ends_with(".yaml") {
                    serde_yaml::from_str::<serde_yaml::Value>(&artifact.text).expect("YAML");
                } else if artifact.name.ends_with(".json") {
                    serde_json::from_str::<serde_json::Value>(&artifact.text).expect("JSON");
                } else if artifact.name.ends_with(".rs") {
                    syn::parse_file(&artifact.text).expect("Rust");
                }
            }
        }
    }
}

/// The one filter of a rule on Elastic, with a loss accepted
fn elastic_filter(event: &str, test: &str) -> serde_json::Value {
    let text = format!(
        "{}targets:\n  elastic: {{accept: [long_value], query: kuery}}\n",
        definition(event, test)
    );
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Elastic, &rule(&text), "rule", &mut found).unwrap();
    let line = artifacts.iter().find(|artifact| artifact.name.ends_with(".ndjson")).unwrap();
    let rule: serde_json::Value = serde_json::from_str(&line.text).unwrap();
    rule["filters"][0]["query"].clone()
}

#[test]
fn a_path_from_the_root_is_anchored_there() {
    let starts = |pattern: &str, filter: &serde_json::Value| {
        let text = filter.to_string();
        text.contains(&serde_json::json!(pattern).to_string())
    };
    let rooted = elastic_filter("f", r"paths: 'D:\sites\'");
    assert!(starts(r"D:\\sites\\*", &rooted) && !starts(r"*D:\\sites\\*", &rooted), "{rooted}");
    let anywhere = elastic_filter("f", r"paths: '\sites\'");
    assert!(starts(r"*\\sites\\*", &anywhere), "{anywhere}");
    let key = elastic_filter("rv", r"registry_keys: 'HKLM\SOFTWARE\a'");
    assert!(starts(r"HKLM\\SOFTWARE\\a\\*", &key), "{key}");
}

#[test]
fn an_extension_by_wildcard_is_that_of_the_name() {
    let text = definition("f", "extensions: 'c*'") + "targets:\n  elastic: {query: kuery}\n";
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Elastic, &rule(&text), "rule", &mut found).unwrap();
    let text: String = artifacts.iter().map(|artifact| artifact.text.as_str()).collect();
    // ECS takes `a.com\file` to have the extension `com\file`.
    assert!(text.contains(r#"{"wildcard":{"file.name":{"value":"*.*"}}}"#), "{text}");
    assert!(found.is_empty(), "{:?}", lines(found));
}

#[test]
fn a_guide_reads_the_same_in_toml_and_json() {
    let guide = "### \"\"\" and '''\n\\ at the start, C:\\temp\\\n\n  - {{Signal}} \\\n\"quoted\" \\u0041 \u{202e}!";
    let quoted = serde_json::to_string(guide).unwrap();
    let text = definition("p", "children: cmd.exe")
        + &format!("targets:\n  elastic:\n    setup: {quoted}\ninvestigation: {quoted}\n");
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Elastic, &rule(&text), "rule", &mut found).unwrap();
    let of = |end: &str| &artifacts.iter().find(|one| one.name.ends_with(end)).unwrap().text;
    let json: serde_json::Value = serde_json::from_str(of(".ndjson")).unwrap();
    let toml: toml::Table = of(".toml").parse().unwrap();
    for key in ["note", "setup"] {
        assert_eq!(toml["rule"][key].as_str(), json[key].as_str(), "{key}");
        // A mark that turns the direction of the text is a blank.
        let guide = guide.replace('\u{202e}', " ");
        assert!(json[key].as_str().unwrap().ends_with(&guide), "{key}");
    }
}

#[test]
fn operators_use_every_field_and_modifier() {
    let mut used = BTreeSet::new();
    for entry in walkdir::WalkDir::new(root().join("tests/operators")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let keys = text.split(':').filter_map(|before| before.split(is_no_key).next_back());
            used.extend(keys.flat_map(|key| key.split('|')).map(ToOwned::to_owned));
        }
    }
    let fields = EventKind::ALL.iter().flat_map(Field::names_of);
    let names = WORDS.iter().map(|word| word.name).chain(fields);
    let names = names.chain(Modifier::ALL.iter().map(|modifier| modifier.name()));
    let missing: BTreeSet<&str> = names.filter(|name| !used.contains(*name)).collect();
    assert!(missing.is_empty(), "no operator uses {missing:?}");
}

fn is_no_key(character: char) -> bool {
    !character.is_alphanumeric() && !"_|-".contains(character)
}

#[test]
fn every_other_operator_is_taken_by_each_target_of_its_rule() {
    let mut operators = project::load(&[root().join("tests/operators")]).expect("they can be read");
    operators.rules.retain(|loaded| !loaded.folder.ends_with("refused"));
    assert!(operators.rules.len() > 30, "only {} rules", operators.rules.len());
    let refused = operators.refused_by(&[]);
    let errors = operators.findings(Looked::Everywhere).into_iter();
    let errors = errors.filter(|one| one.severity == Severity::Error).map(|one| one.message);
    assert_eq!(refused, 0, "{:?}", errors.collect::<Vec<_>>());
}

#[test]
fn what_one_target_refuses_another_takes() {
    for target in [Target::Sentinel, Target::Elastic] {
        let folder = root().join("tests/operators/refused");
        let rules = project::load(&[folder]).expect("the operators can be read").rules;
        let taken = rules.iter().filter(|loaded| {
            let mut found = Diagnostics::default();
            let made = emit(target, &loaded.rule, &loaded.stem, &mut found);
            made.is_some_and(|artifacts| !artifacts.is_empty())
        });
        let taken = taken.count();
        assert!(taken > 0 && taken < rules.len(), "{target:?} takes {taken} of {}", rules.len());
    }
}

#[test]
fn every_listed_setting_is_read() {
    for target in Target::ALL {
        for row in settings_of(*target).filter(|row| !["accept", "without"].contains(&row.name)) {
            let name = row.name;
            let text = definition("w", "cs-method: POST")
                + &format!("targets:\n  {}: {{{name}: {{no_such_part: [1, 2]}}}}\n", target.name());
            let mut found = Diagnostics::default();
            let made = emit(*target, &rule(&text), "rule", &mut found);
            assert!(made.is_none(), "{} takes any {name}", target.name());
            let found = lines(found);
            assert!(
                found.iter().any(|line| line.contains(name) || line.contains("no_such_part")),
                "{found:?}"
            );
        }
    }
}
