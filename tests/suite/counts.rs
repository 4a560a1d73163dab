//! Counts of values: of one field, or of several fields together.

use rulecast::Rule;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir;
use rulecast::matcher::{Engine, Finding, Memory, Options};
use rulecast::query::kusto::{Platform, bind};
use rulecast::workspace::{Text, Workspace};
use serde_json::{Value, json};

use crate::support::lines;

/// Failed logons, counted by a condition of Sigma's
fn text(condition: &str, more: &str) -> String {
    format!(
        "title: A Failed Logon\nid: 5a1f0c01-0001-4c00-8a00-000000000118\nname: a_failed_logon\n\
         logsource: {{product: windows, service: security}}\ndetection:\n  selection: {{EventID: \
         4625}}\n  condition: selection\n---\ntitle: Many Accounts\nid: \
         5a1f0c01-0001-4c00-8a00-000000000218\nname: many_accounts\ndate: 2026-11-28\n\
         correlation:\n  type: value_count\n  rules: [a_failed_logon]\n  group-by: [IpAddress]\n  \
         timespan: 1m\n{more}  condition: {condition}\n"
    )
}

fn rule(condition: &str) -> Rule {
    let mut workspace = Workspace::read(&Text::new("rules.yml", text(condition, "")).into());
    assert!(!workspace.diagnostics.has_errors(), "{:?}", lines(workspace.diagnostics));
    workspace.take_reported().remove(0)
}

fn logon(second: u32, user: Value, domain: Value) -> Value {
    json!({"EventID": 4625, "Channel": "Security", "IpAddress": "10.0.0.1",
           "time": format!("2026-11-28T10:00:{second:02}Z"), "TargetUserName": user,
           "TargetDomainName": domain})
}

/// The times that the events complete the correlation
fn findings(rule: &Rule, events: &[Value]) -> Vec<Finding> {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    let mut memory = Memory::default();
    let mut found = Vec::new();
    for (line, event) in events.iter().enumerate() {
        for matched in engine.judge_value(event, None, &mut memory).unwrap() {
            found.extend(memory.correlate(&engine, &matched, (0, line)));
        }
    }
    found.extend(memory.finish(&engine));
    found
}

/// How often the events complete the correlation
fn found(rule: &Rule, events: &[Value]) -> usize {
    findings(rule, events).len()
}

#[test]
fn combinations_of_several_fields_are_counted() {
    let pairs = rule("{field: [TargetUserName, TargetDomainName], gte: 3}");
    let of = |events: &[(&str, &str)]| {
        let events = events.iter().zip(0..);
        let events = events.map(|((user, domain), at)| logon(at, json!(user), json!(domain)));
        found(&pairs, &events.collect::<Vec<_>>())
    };
    assert_eq!(of(&[("a", "x"), ("a", "y"), ("b", "x")]), 1);
    assert_eq!(of(&[("a", "x"), ("b", "y"), ("a", "x"), ("b", "y")]), 0, "two pairs, twice");
    assert_eq!(
        of(&[("a", "xb"), ("ax", "b"), ("axb", "")]),
        0,
        "without a domain there is no pair"
    );
    assert_eq!(of(&[("a", "xb"), ("ax", "b"), ("axb", "c")]), 1, "values are not run together");
    let several = logon(0, json!(["a", "b"]), json!(["x", "y"]));
    let numbers: Vec<_> =
        findings(&pairs, &[several]).iter().map(|one| one.together.number).collect();
    assert_eq!(numbers, [Some(4)], "four pairs in one event");
    let rare = rule("{field: [TargetUserName, TargetDomainName], lte: 1}");
    let twice = [logon(0, json!("a"), json!("x")), logon(1, json!("a"), json!("x"))];
    assert_eq!(found(&rare, &twice), 1);
}

#[test]
fn an_event_of_too_many_combinations_is_reported() {
    let pairs = rule("{field: [TargetUserName, TargetDomainName], gte: 100000}");
    let many: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(found(&pairs, &[logon(0, json!(many), json!(many))]), 1);
    assert_eq!(found(&pairs, &[logon(0, json!(many), json!("x"))]), 0);
}

fn emitted(rule: &Rule, target: Target) -> String {
    let mut found = Diagnostics::default();
    let made = emit(target, rule, "rule", &mut found);
    made.unwrap_or_else(|| panic!("{:?}", lines(found)))[0].text.clone()
}

#[test]
fn targets_count_the_combinations_too() {
    let pairs = rule("{field: [TargetUserName, TargetDomainName], gte: 20}");
    let query = emitted(&pairs, Target::Sentinel);
    let counted =
        r#"count_distinctif(strcat(TargetUserNameValue, "\x1f", TargetDomainNameValue), "#;
    assert!(query.contains(counted), "{query}");
    let there = "isnotempty(TargetUserNameValue) and isnotempty(TargetDomainNameValue)";
    assert!(query.contains(there), "{query}");
    assert!(bind(&query, Platform::Sentinel).is_ok(), "{query}");
    let matcher = emitted(&pairs, Target::Native);
    let counted = r#"test: Test::Combinations { fields: &[&[("a_failed_logon", "TargetUserName")], &[("a_failed_logon", "TargetDomainName")]], at_least: 20, at_most: None },"#;
    assert!(matcher.contains(counted) && matcher.contains("    Combinations {"), "{matcher}");
    // A list of one field is that field.
    for target in [Target::Sentinel, Target::Native] {
        let (one, list) = (rule("{field: IpPort, gte: 2}"), rule("{field: [IpPort], gte: 2}"));
        assert_eq!(emitted(&one, target), emitted(&list, target));
    }
    let printed = ir::print(&pairs);
    assert!(printed.contains("TargetUserName + a_failed_logon.TargetDomainName)"), "{printed}");
}

#[test]
fn a_list_of_fields_has_to_make_sense() {
    let said = |condition: &str, more: &str| {
        let workspace = Workspace::read(&Text::new("rules.yml", text(condition, more)).into());
        lines(workspace.diagnostics).join("\n")
    };
    let twice = said("{field: [IpPort, IpPort], gte: 2}", "");
    assert!(twice.contains("field `IpPort` is named twice"), "{twice}");
    assert!(said("{field: [], gte: 2}", "").contains("E0"));
    let alias = "  aliases: {port: {a_failed_logon: IpPort}}\n";
    assert_eq!(said("{field: [port, TargetUserName], gte: 2}", alias).matches("error").count(), 0);
    let sum = text("{field: [IpPort, LogonType], gt: 2}", "").replace("value_count", "value_sum");
    let workspace = Workspace::read(&Text::new("rules.yml", sum).into());
    let sum = lines(workspace.diagnostics).join("\n");
    assert!(sum.contains("takes the numbers of one field"), "{sum}");
}

#[test]
fn an_upper_bound_has_a_window() {
    let users = ["anna", "ben", "carl"];
    // Four minutes; two users in the first and the second of them, one in the others.
    let plan = [(0, 0), (10, 1), (70, 0), (80, 1), (130, 0), (200, 2)];
    let events: Vec<Value> = plan
        .map(|(second, user)| {
            let mut event = logon(0, json!(users[user]), Value::Null);
            let (minute, second) = (second / 60, second % 60);
            event["time"] = json!(format!("2026-11-28T10:{minute:02}:{second:02}Z"));
            event
        })
        .into();
    let alerts =
        |window: &str| found(&rule(&format!("{{field: TargetUserName, lte: 1{window}}}")), &events);
    // The last timespan has the last event alone; three users are seen at all.
    assert_eq!((alerts(""), alerts(", window: last")), (1, 1));
    assert_eq!(alerts(", window: lookback"), 0);
    assert_eq!(alerts(", window: each"), 2);
    let each = rule("{field: TargetUserName, lte: 1, window: each}");
    assert!(ir::print(&each).contains("in each 60 seconds"), "{}", ir::print(&each));
    let native = emitted(&each, Target::Native);
    assert!(native.contains("window: \"each\","), "{native}");
    let query = emitted(&each, Target::Sentinel);
    assert!(query.contains("| extend Window = bin(TimeGenerated, 1m)"), "{query}");
    assert!(bind(&query, Platform::Sentinel).is_ok(), "{query}");
}

#[test]
fn no_other_bound_has_a_window() {
    let said = |condition: &str| {
        let workspace = Workspace::read(&Text::new("rules.yml", text(condition, "")).into());
        lines(workspace.diagnostics).join("\n")
    };
    let least = said("{field: IpPort, gte: 2, window: each}");
    assert!(least.contains("has a window and no upper bound"), "{least}");
    let word = said("{field: IpPort, lte: 2, window: hour}");
    assert!(word.contains("`hour` is not one of last, lookback, each"), "{word}");
}
