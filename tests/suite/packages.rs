//! A package that says something else than its rule is broken, though it says so in every file.

use rulecast::backend::{Target, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::mapping::Mappings;
use rulecast::project;
use rulecast::verify::check_packages;
use rulecast::workspace::Loaded;

use crate::support::root;

/// What stands in packages, what takes its place, and the kind of the change
const CHANGES: &[(Target, &str, &str, &str)] = &[
    (Target::Sentinel, "frequency", "queryFrequency: 1h", "queryFrequency: 2h"),
    (
        Target::Sentinel,
        "frequency",
        "\"queryFrequency\": \"PT1H\"",
        "\"queryFrequency\": \"PT30M\"",
    ),
    (Target::Sentinel, "period", "queryPeriod: ", "queryPeriod: 1"),
    (Target::Sentinel, "period", "\"queryPeriod\": \"PT", "\"queryPeriod\": \"PT1"),
    (Target::Sentinel, "operator", "triggerOperator: gt", "triggerOperator: lt"),
    (Target::Sentinel, "operator", "\"GreaterThan\"", "\"LessThan\""),
    (Target::Sentinel, "threshold", "triggerThreshold: 0", "triggerThreshold: 1"),
    (Target::Sentinel, "threshold", "\"triggerThreshold\": 0", "\"triggerThreshold\": 1"),
    (Target::Sentinel, "severity", "severity: ", "severity: Informational # "),
    (Target::Sentinel, "severity", "\"severity\": \"", "\"severity\": \"In"),
    (Target::Sentinel, "tactics", "- Persistence\n", "- Impact\n"),
    (Target::Sentinel, "tactics", "\"Persistence\"", "\"Impact\""),
    (Target::Sentinel, "techniques", "- T1505.003", "- T1505.004"),
    (Target::Sentinel, "techniques", "\"T1505.003\"", "\"T1505.004\""),
    (Target::Sentinel, "grouping", "AlertPerResult", "SingleAlert"),
    (
        Target::Sentinel,
        "suppression",
        "\"suppressionEnabled\": false",
        "\"suppressionEnabled\": true",
    ),
    (Target::Sentinel, "enabled", "\"enabled\": true", "\"enabled\": false"),
    (Target::Sentinel, "kind", "kind: Scheduled", "kind: NRT"),
    (Target::Sentinel, "entities", "columnName: AccountName", "columnName: AccountDomain"),
    (Target::Sentinel, "entities", "\"columnName\": \"CommandLine\"", "\"columnName\": \"Signal\""),
    (Target::Sentinel, "details", "  Level: Level", "  Level: Signal"),
    (Target::Sentinel, "details", "\"Signal\": \"Signal\"", "\"Signal\": \"Level\""),
    (Target::Sentinel, "severity column", "ColumnName: Severity", "ColumnName: Level"),
    (Target::Sentinel, "connectors", "dataTypes:\n      - Device", "dataTypes:\n      - Other"),
    (Target::Xdr, "frequency", "\"frequency\": \"P", "\"frequency\": \"P1"),
    (Target::Xdr, "severity", "\"severity\": \"", "\"severity\": \"un"),
    (Target::Xdr, "status", "\"status\": \"enabled\"", "\"status\": \"disabled\""),
    (Target::Xdr, "techniques", "\"T1505.003\"", "\"T1505.004\""),
    (
        Target::Xdr,
        "entities",
        "\"deviceIdColumn\": \"DeviceId\"",
        "\"deviceIdColumn\": \"DeviceName\"",
    ),
    (Target::Elastic, "from", "\"from\":\"now-", "\"from\":\"now-1"),
    (Target::Elastic, "interval", "\"interval\":\"5m\"", "\"interval\":\"1h\""),
    (Target::Elastic, "index", "\"index\":[\"", "\"index\":[\"other-*\", \""),
    (Target::Elastic, "risk", "\"risk_score\":", "\"risk_score\":1"),
    (
        Target::Elastic,
        "history",
        "\"history_window_start\":\"now-",
        "\"history_window_start\":\"now-1",
    ),
    (Target::Elastic, "terms", "\"new_terms_fields\":[\"", "\"new_terms_fields\":[\"other."),
    (Target::Elastic, "enabled", "\"interval\":", "\"enabled\":false,\"interval\":"),
    (Target::Elastic, "most alerts", "\"risk_score\":", "\"max_signals\":1,\"risk_score\":"),
    (
        Target::Elastic,
        "hidden",
        "\"interval\":",
        "\"building_block_type\":\"default\", \"interval\":",
    ),
    (
        Target::Elastic,
        "time",
        "\"timestamp_override\":\"event.ingested\"",
        "\"timestamp_override\":\"event.created\"",
    ),
    (Target::Elastic, "techniques", "\"id\":\"T1505\"", "\"id\":\"T1506\""),
];

fn faults(loaded: &Loaded, target: Target, change: Option<(&str, &str)>) -> Option<usize> {
    let mut found = Diagnostics::default();
    let mut made = translate(target, &loaded.rule, &loaded.stem, &mut found)?;
    if let Some((old, new)) = change {
        let holds = made.artifacts.iter().any(|artifact| artifact.text.contains(old));
        if !holds {
            return None;
        }
        for artifact in &mut made.artifacts {
            artifact.text = artifact.text.replace(old, new);
        }
    }
    let of = (&made.rule, &made.manifest);
    Some(check_packages(of, &made.artifacts, &Mappings::default()).len())
}

#[test]
fn packages_say_what_their_rules_say() {
    let folders = [root().join("rules"), root().join("tests/operators")];
    let loaded = project::load(&folders).expect("the rules can be read");
    let mut tried = 0;
    for one in &loaded.rules {
        for target in [Target::Sentinel, Target::Asim, Target::Xdr, Target::Elastic] {
            let found = faults(one, target, None);
            tried += usize::from(found.is_some());
            assert_eq!(found.unwrap_or(0), 0, "{} on {}", one.stem, target.name());
        }
    }
    assert!(tried > 150, "only {tried} rules were emitted");
}

#[test]
fn a_change_of_what_stands_around_a_query_is_noticed() {
    let loaded = project::load(&[root().join("rules")]).expect("the rules can be read").rules;
    for (target, kind, old, new) in CHANGES {
        let tried: Vec<(&str, usize)> = loaded
            .iter()
            .filter_map(|one| Some((&*one.stem, faults(one, *target, Some((old, new)))?)))
            .collect();
        assert!(!tried.is_empty(), "{}, {kind}: no package holds {old}", target.name());
        for (stem, found) in tried {
            assert!(found > 0, "{}, {kind}: {old} -> {new} in {stem}", target.name());
        }
    }
}
