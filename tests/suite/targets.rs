//! The table operator × target is what the targets do.

use rulecast::backend::support::{ROWS, Support};
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;

use crate::support::{definition, lines, rule};

/// The text of all artifacts, or `None` when the target refused, and the findings
fn emitted(target: Target, event: &str, test: &str) -> (Option<String>, Vec<String>) {
    let rule = rule(&definition(event, test));
    let mut found = Diagnostics::default();
    let artifacts = emit(target, &rule, "rule", &mut found);
    let text = artifacts.map(|all| all.iter().map(|a| a.text.as_str()).collect());
    (text, lines(found))
}

#[test]
fn every_row_of_the_table_holds() {
    let mut wrong = Vec::new();
    for row in ROWS.iter() {
        for (target, support) in Target::ALL.iter().zip(row.targets) {
            let (text, found) = emitted(*target, row.event, row.example);
            let named = |loss: &str| found.iter().any(|line| line.contains(&format!("`{loss}`")));
            // Every signal limited to a product loses that on Sentinel; the last row is about it.
            let others = |line: &&String| !(row.event.len() > 1 && line.contains("`product`"));
            let holds = match support {
                Support::Exact(fragment) => {
                    found.iter().filter(others).count() == 0
                        && text.as_ref().is_some_and(|text| text.contains(fragment))
                }
                Support::Wider(loss) => text.is_some() && named(loss) && named_as(&found, "wider"),
                Support::Narrower(loss) => {
                    text.is_none() && named(loss) && named_as(&found, "narrower")
                }
                Support::Refused => text.is_none(),
                Support::Unreadable => false,
            };
            if !holds {
                let text = text.unwrap_or_default();
                wrong.push(format!(
                    "{} on {}: {support:?}\n{found:#?}\n{text}",
                    row.operator,
                    target.name()
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
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Elastic, &rule(&accepted("long_value")), "rule", &mut found);
    assert!(found.is_empty(), "{:?}", lines(found));
    let text = &artifacts.unwrap()[0].text;
    assert!(text.contains("May miss events: a file.path of more than 1024 characters"), "{text}");
    let mut found = Diagnostics::default();
    assert!(emit(Target::Elastic, &rule(&accepted("case")), "rule", &mut found).is_none());
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
                } else if artifact.name.ends_with(".rs") {
                    syn::parse_file(&artifact.text).expect("Rust");
                }
            }
        }
    }
}
