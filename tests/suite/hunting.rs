//! What the queries of correlations show: the columns of every event, and in a hunting query all
//! of the range that a person picks.

use std::collections::BTreeSet;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::project;
use rulecast::query::kusto::{Platform, bind};
use rulecast::workspace::Text;
use serde_json::Value;

use crate::support::root;

/// A process, and a registry value on the same host
fn registry_after_shell(kind: &str) -> String {
    format!(
        "title: Module Registered After A Shell\n\
         id: 7c1f0c01-0001-4c00-8a00-000000000205\n\
         level: high\n\
         signals:\n  \
           spawn:\n    event: process_creation\n    parents: w3wp.exe\n    children: cmd.exe\n  \
           value:\n    event: registry_event\n    actions: [modified]\n    \
             registry_keys: '\\Services\\W3SVC\\'\n\
         correlations:\n  \
           together:\n    title: Both on a host\n    type: {kind}\n    \
             signals: [value, spawn]\n    group-by: [host]\n    timespan: 5m\n"
    )
}

#[test]
fn a_column_that_is_called_like_a_key_is_shown_and_groups_nothing() {
    for kind in ["temporal", "temporal_ordered"] {
        let text = Text::new("rule.yml", registry_after_shell(kind));
        let artifacts = rulecast::compile(text, Target::Sentinel).expect("no mistakes");
        let text = |end: &str| {
            let found = artifacts.iter().find(|artifact| artifact.path.ends_with(end));
            found.map(|artifact| artifact.text.as_str()).unwrap()
        };
        let columns = bind(text(".kql"), Platform::Sentinel).unwrap();
        assert!(columns.iter().any(|column| column.name == "RegistryKey"), "{kind}: {columns:?}");
        assert!(text(".analytic.yaml").contains("columnName: RegistryKeyPath\n"), "{kind}");
        let mut groups = text(".kql").lines().filter(|line| line.trim().starts_with("by "));
        assert!(groups.all(|line| !line.contains("Registry")), "{kind}");
    }
}

#[test]
fn a_hunting_query_shows_all_of_its_range() {
    let folders = ["rules", "tests/operators"].map(|folder| root().join(folder));
    let (mut wider, mut with_new_terms) = (0, 0);
    for loaded in project::load(&folders).expect("the rules can be read").rules {
        for target in [Target::Sentinel, Target::Asim] {
            let mut found = Diagnostics::default();
            let artifacts = emit(target, &loaded.rule, &loaded.stem, &mut found);
            let artifacts = artifacts.unwrap_or_default();
            let text = |end: &str| {
                let one = artifacts.iter().find(|artifact| artifact.name.ends_with(end));
                one.map(|artifact| artifact.text.clone())
            };
            let (Some(rule), Some(package)) = (text(".kql"), text(".hunting.yaml")) else {
                continue;
            };
            let package: Value = serde_yaml::from_str(&package).unwrap();
            let hunting = package["query"].as_str().unwrap();
            let columns = [&rule, hunting].map(|query| {
                let columns = bind(query, Platform::Sentinel).unwrap().into_iter();
                columns.map(|column| (column.name, column.kind.as_str())).collect::<BTreeSet<_>>()
            });
            assert_eq!(columns[0], columns[1], "{target:?} {}", loaded.stem);
            // The range that a person picks is no schedule, and only new terms ask for it by name.
            let new_terms = loaded.rule.new_terms.is_some();
            for scheduled in ["ago(", "ingestion_time("] {
                assert!(!hunting.contains(scheduled), "{target:?} {}", loaded.stem);
            }
            assert_eq!(
                hunting.contains("{{StartTimeISO}}"),
                new_terms,
                "{target:?} {}",
                loaded.stem
            );
            wider += usize::from(hunting.trim() != rule.trim());
            with_new_terms += usize::from(new_terms);
        }
    }
    assert!(wider > 10 && with_new_terms > 3, "{wider} {with_new_terms}");
}
