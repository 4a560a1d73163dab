//! Documents that speak of each other: correlations over rules, filters for rules, placeholders.

use std::fs;
use std::path::PathBuf;

use rulecast::matcher::{Engine, Memory, Options};
use rulecast::project::{Surroundings, load_with};
use rulecast::workspace::{Workspace, run_samples};
use rulecast::{Rule, diagnostic::Severity};
use serde_json::{Value, json};

use crate::support::lines;

/// Reads files of these names, as a user would give their folder
fn load(
    name: &str,
    files: &[(&str, &str)],
    around: &[(&str, &str)],
    placeholders: &str,
) -> Workspace {
    let folder = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
    let write = |below: &str, files: &[(&str, &str)]| -> PathBuf {
        let folder = folder.join(below);
        fs::create_dir_all(&folder).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        folder
    };
    let rules = write("rules", files);
    let mut surroundings = Surroundings::default();
    if !around.is_empty() {
        surroundings.filters = vec![write("filters", around)];
    }
    if !placeholders.is_empty() {
        let file = write("around", &[("placeholders.yml", placeholders)]).join("placeholders.yml");
        surroundings.placeholders = Some(file);
    }
    let project = load_with(&[rules], &surroundings).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    project
}

fn rules(project: &Workspace) -> Vec<Rule> {
    let errors = project.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "{}", lines(project.diagnostics.clone()).join("\n"));
    project.reported().map(|loaded| loaded.rule.clone()).collect()
}

/// When the last correlation of the one rule is reported, in seconds
fn reported(rule: &Rule, events: &[(i64, Value)]) -> Vec<i64> {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    let mut memory = Memory::default();
    let mut found = Vec::new();
    for (at, (second, event)) in events.iter().enumerate() {
        let mut event = event.clone();
        let time = jiff::Timestamp::from_second(1_700_000_000 + second).unwrap();
        event["time"] = json!(time.to_string());
        for matched in engine.judge(&event.to_string()).unwrap() {
            found.extend(memory.correlate(&engine, &matched, (0, at + 1)));
        }
    }
    found.extend(memory.finish(&engine));
    let last = rule.correlations.len() - 1;
    let found = found.iter().filter(|one| one.together.correlation == last);
    found.map(|one| one.together.time.as_second() - 1_700_000_000).collect()
}

/// The example of Sigma's correlation specification, with three failures for ten
const LOGINS: &str = "
title: Multiple Failed Logins Followed by Successful Login
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7a01
correlation:
    type: temporal_ordered
    rules: [multiple_failed_login, successful_login]
    group-by: [TargetUserName]
    timespan: 10m
level: high
---
title: Multiple failed logons
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7a02
name: multiple_failed_login
correlation:
    type: event_count
    rules: [failed_login]
    group-by: [TargetUserName]
    timespan: 10m
    condition: {gte: 3}
---
title: Single failed login
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7a03
name: failed_login
logsource: {product: windows, service: security}
detection:
    selection: {EventID: [529, 4625]}
    condition: selection
---
title: Successful login
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7a04
name: successful_login
logsource: {product: windows, service: security}
detection:
    selection: {EventID: [528, 4624]}
    condition: selection
";

fn login(id: u32, user: &str) -> Value {
    json!({"Channel": "Security", "EventID": id, "TargetUserName": user})
}

#[test]
fn a_chain_of_correlations_is_one_rule_over_the_rules_it_names() {
    let project = load("chain", &[("logins.yml", LOGINS)], &[], "");
    let rules = rules(&project);
    let [rule] = &*rules else { panic!("{} rules", rules.len()) };
    assert_eq!(project.rules.len(), 4, "what it names is still tested by itself");
    let names: Vec<&str> = rule.signals.iter().map(|signal| signal.name.as_str()).collect();
    assert_eq!(names, ["failed_login", "successful_login"]);
    let failures = |user| [(0, login(4625, user)), (5, login(4625, user)), (9, login(529, user))];
    let with = |last: (i64, Value)| [&failures("anna")[..], &[last]].concat();
    assert_eq!(reported(rule, &with((20, login(4624, "anna")))), [20]);
    assert_eq!(reported(rule, &with((20, login(4624, "bert")))), [0; 0]);
    assert_eq!(reported(rule, &with((700, login(4624, "anna")))), [0; 0]);
    assert_eq!(reported(rule, &with((3, login(4624, "anna")))), [0; 0], "before the third failure");
}

#[test]
fn what_a_correlation_names_is_reported_by_itself_only_when_it_says_so() {
    let generating =
        LOGINS.replace("rules: [failed_login]", "generate: true\n    rules: [failed_login]");
    let project = load("generate", &[("logins.yml", &generating)], &[], "");
    let titles: Vec<String> =
        rules(&project).iter().map(|rule| rule.metadata.title.value.clone()).collect();
    assert_eq!(
        titles,
        ["Multiple Failed Logins Followed by Successful Login", "Single failed login"]
    );
}

#[test]
fn rules_of_other_files_are_found_by_id_and_fields_by_alias() {
    let rule = |id: &str, port: u32| {
        format!(
            "title: Port {port}\nid: {id}\nname: port_{port}\nlogsource: {{category: firewall}}\n\
             detection: {{selection: {{dst_port: {port}}}, condition: selection}}\n"
        )
    };
    let correlation = "
title: There and back
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7b01
correlation:
  type: temporal
  rules: [0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7b02, port_2]
  group-by: [peer]
  timespan: 10s
  aliases:
    peer: {0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7b02: src_ip, port_2: dst_ip}
";
    let one = rule("0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7b02", 1);
    let two = rule("0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7b03", 2);
    let files = [("a.yml", correlation), ("b.yml", &one), ("c.yml", &two)];
    let rules = rules(&load("alias", &files, &[], ""));
    let event = |port: u32, field: &str| json!({"dst_port": port, field: "192.0.2.1"});
    let there = (0, event(1, "src_ip"));
    assert_eq!(reported(&rules[0], &[there.clone(), (10, event(2, "dst_ip"))]), [10]);
    assert_eq!(reported(&rules[0], &[there.clone(), (10, event(2, "src_ip"))]), [0; 0]);
    assert_eq!(reported(&rules[0], &[there, (11, event(2, "dst_ip"))]), [0; 0]);
}

#[test]
fn sums_means_and_percentiles_are_of_the_numbers_in_a_timespan() {
    let rule = |kind: &str, condition: &str| {
        let text = format!(
            "title: Much\nid: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7c01\ncorrelation:\n  type: {kind}\n  \
             rules: [transfer]\n  group-by: [user]\n  timespan: 10s\n  condition: {condition}\n---\n\
             title: Transfer\nid: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7c02\nname: transfer\n\
             logsource: {{category: proxy}}\n\
             detection: {{selection: {{cs-method: POST}}, condition: selection}}\n"
        );
        rules(&load(kind, &[("much.yml", &text)], &[], "")).remove(0)
    };
    let post = |second: i64, bytes: Value| {
        (second, json!({"cs-method": "POST", "user": "anna", "sc-bytes": bytes}))
    };
    let events =
        [post(0, json!(40)), post(4, json!("70")), post(6, json!("-")), post(20, json!(100))];
    let sum = rule("value_sum", "{field: sc-bytes, gt: 100}");
    assert_eq!(reported(&sum, &events), [4]);
    let mean = rule("value_avg", "{field: sc-bytes, gte: 55}");
    assert_eq!(reported(&mean, &events), [4, 20]);
    let median = rule("value_median", "{field: sc-bytes, gte: 70}");
    assert_eq!(reported(&median, &events), [20], "of 40 and 70 it is 40");
    let high = rule("value_percentile", "{field: sc-bytes, percentile: 90, gte: 70}");
    assert_eq!(reported(&high, &events), [4, 20]);
}

#[test]
fn some_of_several_rules_may_be_enough() {
    let text = LOGINS.replace("temporal_ordered", "temporal").replace(
        "rules: [multiple_failed_login, successful_login]",
        "condition: {gte: 2}\n    rules: [multiple_failed_login, successful_login, failed_login]",
    );
    let rules = rules(&load("some", &[("logins.yml", &text)], &[], ""));
    let events = [(0, login(4625, "anna")), (4, login(4624, "anna"))];
    assert_eq!(reported(&rules[0], &events), [4]);
    assert_eq!(reported(&rules[0], &events[..1]), [0; 0]);
}

const SHELL: &str = "
title: Shell of IIS
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7d01
name: iis_shell
logsource: {category: process_creation, product: windows}
detection:
  selection: {ParentImage|endswith: '\\w3wp.exe'}
  condition: selection
";

fn matches(rule: &Rule, event: &Value) -> bool {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    !engine.judge(&event.to_string()).unwrap().is_empty()
}

#[test]
fn a_filter_narrows_the_rules_it_names_and_no_other() {
    let other =
        SHELL.replace("7d01", "7d02").replace("iis_shell", "other").replace("Shell", "Child");
    let filter = "
title: Deployment
id: 0c4de1f0-52a9-5b8f-8e1c-0d3a5b0d7d03
logsource: {category: process_creation, product: windows}
filter:
  rules: [iis_shell]
  deployment: {User|startswith: 'adm_'}
  condition: not deployment
";
    let deploys = json!({"ParentImage": "C:\\w3wp.exe", "User": "adm_anna"});
    let works = json!({"ParentImage": "C:\\w3wp.exe", "User": "web"});
    let files = [("a.yml", SHELL), ("b.yml", &other)];
    let plain = rules(&load("plain", &files, &[], ""));
    assert!(plain.iter().all(|rule| matches(rule, &deploys)));
    for (name, around) in [("around", &[("f.yml", filter)][..]), ("beside", &[][..])] {
        let beside = [files[0], files[1], ("f.yml", filter)];
        let project = match around {
            [] => load(name, &beside, &[], ""),
            around => load(name, &files, around, ""),
        };
        let rules = rules(&project);
        let verdicts: Vec<(bool, bool)> =
            rules.iter().map(|rule| (matches(rule, &deploys), matches(rule, &works))).collect();
        assert_eq!(verdicts, [(false, true), (true, true)], "{name}");
    }
}

#[test]
fn placeholders_stand_for_what_the_user_says() {
    let text = SHELL.replace("'\\w3wp.exe'", "'\\w3wp.exe', User|expand: '%admins%x'");
    let refused = load("unresolved", &[("a.yml", &text)], &[], "");
    assert_eq!((refused.rules.len(), refused.refused), (0, 1));
    let rules = rules(&load("resolved", &[("a.yml", &text)], &[], "admins: [anna, 'b*']\n"));
    let user = |user: &str| json!({"ParentImage": "C:\\w3wp.exe", "User": user});
    let fits: Vec<bool> = ["annax", "bert-x", "anna", "%admins%x"]
        .iter()
        .map(|one| matches(&rules[0], &user(one)))
        .collect();
    assert_eq!(fits, [true, true, false, false]);
}

#[test]
fn a_backslash_may_stand_before_a_placeholder() {
    let text =
        SHELL.replace("'\\w3wp.exe'", "'\\w3wp.exe', CommandLine|expand|endswith: '\\\\%tools%'");
    let rules = rules(&load("backslash", &[("a.yml", &text)], &[], "tools: foo.exe\n"));
    let event = |line: &str| json!({"ParentImage": "C:\\w3wp.exe", "CommandLine": line});
    assert!(matches(&rules[0], &event("C:\\foo.exe")));
    assert!(!matches(&rules[0], &event("foo.exe")));
}

#[test]
fn a_correlation_that_is_wrong_hides_none_of_the_rules_it_names() {
    let wrong = LOGINS.replace("timespan: 10m", "timespan: 10 minutes");
    let project = load("wrong", &[("logins.yml", &wrong)], &[], "");
    let titles: Vec<&str> =
        project.reported().map(|loaded| loaded.rule.metadata.title.value.as_str()).collect();
    assert_eq!(titles, ["Single failed login", "Successful login"]);
    assert_eq!(project.refused, 2);
}

#[test]
fn a_sample_of_a_correlation_is_for_the_correlation() {
    let event = |second: u32| {
        format!(
            "{{Channel: Security, EventID: 4625, TargetUserName: anna, time: '2026-11-21T10:00:0{second}Z'}}"
        )
    };
    let sample = |name: &str, events: &[u32], alerts: usize| {
        let events: Vec<String> = events.iter().map(|second| event(*second)).collect();
        format!("  - name: {name}\n    events: [{}]\n    alerts: {alerts}\n", events.join(", "))
    };
    let start = LOGINS.find("title: Multiple failed logons").unwrap();
    let text = LOGINS[start..].replacen(
        "---\n",
        &format!("tests:\n{}{}---\n", sample("three", &[1, 2, 3], 1), sample("two", &[1, 2], 0)),
        1,
    );
    let project = load("samples", &[("logins.yml", &text)], &[], "");
    let mut found = rulecast::diagnostic::Diagnostics::default();
    let results: Vec<bool> = project
        .rules
        .iter()
        .flat_map(|loaded| run_samples(loaded, &mut found))
        .map(|result| result.passed)
        .collect();
    assert_eq!(results, [true, true], "{}", lines(found).join("\n"));
    let misspelt = text.replacen("alerts: 1", "alerts: 1\n    signal: failed_logins", 1);
    let project = load("misspelt", &[("logins.yml", &misspelt)], &[], "");
    assert!(lines(project.diagnostics).iter().any(|line| line.contains("E0404")));
}

#[test]
fn an_event_without_its_number_is_tried_as_whatever_its_log_holds() {
    let rules = rules(&load("number", &[("a.yml", SHELL)], &[], ""));
    let event = |id: Value| {
        let channel = "Microsoft-Windows-Sysmon/Operational";
        json!({"Channel": channel, "EventID": id, "ParentImage": "C:\\w3wp.exe"})
    };
    assert!(matches(&rules[0], &event(json!({"#text": 1}))));
    assert!(matches(&rules[0], &event(json!(1))));
    assert!(!matches(&rules[0], &event(json!(7))));
}

#[test]
fn one_bad_document_hides_none_of_its_file() {
    let bad = SHELL.replace("7d01", "7d05").replace("ParentImage|endswith", "ParentImage|ends");
    let text = format!(
        "{SHELL}---\n{bad}---\n{}",
        SHELL.replace("7d01", "7d06").replace("Shell", "Child")
    );
    let project = load("bad", &[("a.yml", &text)], &[], "");
    assert_eq!((project.rules.len(), project.refused), (2, 1));
    assert_eq!(lines(project.diagnostics).iter().filter(|line| line.contains("error")).count(), 1);
}
