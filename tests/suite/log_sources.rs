//! Category, product and service of a Sigma rule in any combination: one log source, which an event
//! must fit in all its parts.

use rulecast::Rule;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir;
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::taxonomy::EventKind;
use rulecast::workspace::{Text, Workspace};
use serde_json::{Value, json};

use crate::support::{lines, rule};

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";

/// A rule over one field of this log source
fn text(logsource: &str, field: &str) -> String {
    format!(
        "title: Shell\nid: 5a1f0c01-0001-4c00-8a00-000000000110\ndate: 2026-11-28\nlogsource: \
         {{{logsource}}}\ndetection:\n  selection: {{{field}: 'x'}}\n  condition: selection\n"
    )
}

fn of(logsource: &str) -> Rule {
    rule(&text(logsource, "Image"))
}

fn emitted(rule: &Rule, target: Target) -> Result<String, Vec<String>> {
    let mut found = Diagnostics::default();
    match emit(target, rule, "rule", &mut found) {
        Some(artifacts) => Ok(artifacts[0].text.clone()),
        None => Err(lines(found)),
    }
}

fn matches(rule: &Rule, event: &Value, kind: Option<&EventKind>) -> bool {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    !engine.judge_value(event, kind, &mut Memory::default()).unwrap().is_empty()
}

#[test]
fn an_event_must_fit_category_and_service() {
    let logged = |channel: &str, id: u32| json!({"Channel": channel, "EventID": id, "Image": "x"});
    let sysmon = of("category: process_creation, product: windows, service: sysmon");
    assert!(matches(&sysmon, &logged(SYSMON, 1), None));
    assert!(!matches(&sysmon, &logged(SYSMON, 3), None), "a connection");
    assert!(!matches(&sysmon, &logged("Security", 4688), None), "another log");
    let security = of("category: process_creation, product: windows, service: security");
    assert!(matches(&security, &logged("Security", 4688), None));
    assert!(!matches(&security, &logged("Security", 4624), None), "a logon");
    assert!(!matches(&security, &logged(SYSMON, 1), None), "another log");
    let loads = of("category: image_load, product: windows, service: sysmon");
    assert!(
        matches(&loads, &logged(SYSMON, 7), None) && !matches(&loads, &logged(SYSMON, 1), None)
    );
    // The user says what the event is, and nothing says which log it is from.
    let kind = EventKind::ProcessCreation;
    assert!(matches(&sysmon, &json!({"Image": "x"}), Some(&kind)));
    assert!(!matches(&sysmon, &logged("Security", 4688), Some(&kind)));
    let kind = EventKind::Webserver;
    assert!(!matches(&sysmon, &json!({"Image": "x"}), Some(&kind)));
}

#[test]
fn a_category_with_an_operating_system_is_of_that_system() {
    let dns = of("category: dns, product: windows");
    assert_eq!(ir::print(&dns).lines().nth(3), Some("signal rule: dns, windows"));
    let unknown = |logsource: &str| {
        let workspace = Workspace::read(&Text::new("rule.yml", text(logsource, "Image")).into());
        workspace.diagnostics.iter().any(|found| found.code.as_str() == "W0217")
    };
    assert!(!unknown("category: dns, product: windows"));
    assert!(!unknown("category: webserver, product: apache, service: access"));
    // A category of Windows on another system, and parts that are not known
    assert!(unknown("category: image_load, product: linux"));
    assert!(unknown("category: process_creation, product: windows, service: of_ours"));
    assert!(unknown("category: of_ours, product: windows, service: sysmon"));
    assert!(unknown("category: process_creation, product: of_ours"));
    // No event of that log is known to be one.
    assert!(unknown("category: process_creation, product: windows, service: powershell"));
    assert!(unknown("category: image_load, product: windows, service: security"));
}

#[test]
fn a_target_looks_where_that_log_is_or_refuses() {
    let sysmon = of("category: process_creation, product: windows, service: sysmon");
    let query = emitted(&sysmon, Target::Sentinel).unwrap();
    let arrived = "| where ingestion_time() > ago(1h)\n";
    let rows = format!(
        "Event\n{arrived}| where Source == \"Microsoft-Windows-Sysmon\" and EventID == 1\n"
    );
    assert!(query.contains(&rows), "{query}");
    let query = emitted(&sysmon, Target::Elastic).unwrap();
    assert!(query.contains(r#"event.provider == "Microsoft-Windows-Sysmon" and"#), "{query}");
    let matcher = emitted(&sysmon, Target::Native).unwrap();
    assert!(matcher.contains("log: Some(\"windows/sysmon\"),"), "{matcher}");
    let security = of("category: process_creation, product: windows, service: security");
    let query = emitted(&security, Target::Sentinel).unwrap();
    assert!(
        query.contains(&format!("SecurityEvent\n{arrived}| where EventID == 4688\n")),
        "{query}"
    );
    let script = "category: ps_script, product: windows, service: powershell";
    let query = emitted(&rule(&text(script, "ScriptBlockText")), Target::Sentinel).unwrap();
    assert!(query.contains("EventID == 4104"), "{query}");
    // Defender, ASIM and Elastic's own sensor do not tell logs apart.
    for (rule, target) in [
        (&sysmon, Target::Xdr),
        (&sysmon, Target::Asim),
        (&security, Target::Elastic),
        (&of("category: process_creation, product: linux, service: auditd"), Target::Sentinel),
    ] {
        let refused = emitted(rule, target).unwrap_err();
        let said = |line: &String| line.contains("of process_creation events in ");
        assert!(refused.iter().any(said), "{refused:?}");
    }
}

#[test]
fn a_filter_narrows_the_rules_whose_events_are_all_of_its_log_source() {
    let narrowed = |rule: &str, filter: &str| {
        let filter = format!(
            "title: Filter\nlogsource: {{{filter}}}\nfilter:\n  rules: any\n  selection: {{User: \
             y}}\n  condition: not selection\n"
        );
        let text = format!("{}---\n{filter}", text(rule, "Image"));
        let mut workspace = Workspace::read(&Text::new("rules.yml", text).into());
        !matches(&workspace.take_reported()[0], &json!({"Image": "x", "User": "y"}), None)
    };
    let both = "category: process_creation, product: windows, service: sysmon";
    let category = "category: process_creation, product: windows";
    let service = "product: windows, service: sysmon";
    for filter in [both, category, service, "product: windows"] {
        assert!(narrowed(both, filter), "{filter}");
    }
    for rule in [category, service] {
        assert!(!narrowed(rule, both), "{rule}");
    }
    assert!(!narrowed(both, "product: windows, service: security"));
}
