//! Meanings that got lost between two rooms once: each is kept from the text to the verdict or the
//! query.

use rulecast::Rule;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::matcher::{Collected, Engine, Found, Lines, Memory, Options, scan};
use rulecast::query::kusto::{Platform, bind};
use rulecast::workspace::{Text, Workspace};
use serde_json::json;

use crate::support::{definition, in_language, lines, rule};

/// The rules of a text with several documents, joined
fn rules(text: &str) -> Vec<Rule> {
    let mut workspace = Workspace::read(&Text::new("rules.yml", text).into());
    assert!(!workspace.diagnostics.has_errors(), "{:?}", lines(workspace.diagnostics));
    workspace.take_reported()
}

/// The first artifact for a target, or what refuses it
fn emitted(rule: &Rule, target: Target) -> Result<String, Vec<String>> {
    let mut found = Diagnostics::default();
    match emit(target, rule, "rule", &mut found) {
        Some(artifacts) => Ok(artifacts[0].text.clone()),
        None => Err(lines(found)),
    }
}

#[test]
fn a_filter_is_added_whatever_its_selections_are_called() {
    for (name, condition) in [
        ("category", "not category"),
        ("selection", "not selection"),
        ("condition1", "not condition1"),
        ("filter", "not filter"),
        ("action", "not action"),
    ] {
        let rules = rules(&format!(
            "title: Shell\nid: 7c1f0c01-0001-4c00-8a00-000000000202\nlogsource: {{category: \
             process_creation, product: windows}}\ndetection:\n  a: {{Image: x}}\n  condition: a\n\
             ---\ntitle: Filter\nid: 7c1f0c01-0001-4c00-8a00-000000000201\nlogsource: {{category: \
             process_creation, product: windows}}\nfilter:\n  rules: \
             [7c1f0c01-0001-4c00-8a00-000000000202]\n  {name}: {{User: y}}\n  condition: {condition}\n"
        ));
        let engine = Engine::new(&rules[..1], &Options::default());
        let matches = |user: &str| {
            let event = json!({"Image": "x", "User": user});
            engine.judge_value(&event, None, &mut Memory::default()).unwrap().len()
        };
        assert_eq!((matches("y"), matches("z")), (0, 1), "{name}");
    }
}

/// A request, then a command that is new, within an hour
const NEW_COMMAND: &str = "title: New command\nid: 7c1f0c01-0001-4c00-8a00-000000000203\nsignals:\n  \
     request: {event: webserver, methods: POST}\n  spawn: {event: process_creation, children: cmd.exe}\n\
     new_terms: {signal: spawn, fields: [host, command_line], window: 7d}\ncorrelations:\n  \
     both: {type: temporal, signals: [request, spawn], group-by: [host], timespan: 1h}\n";

#[test]
fn new_terms_hold_inside_a_correlation_or_are_refused() {
    let rule = rule(NEW_COMMAND);
    let spawn = |time: &str| {
        json!({"Image": "cmd.exe", "CommandLine": "cmd /c a", "Computer": "h", "UtcTime": time,
               "kind": "process_creation"})
    };
    let request = json!({"cs-method": "POST", "Computer": "h", "date": "2026-01-02",
                         "time": "10:00:00", "kind": "webserver"});
    let kind_field = Some("kind".to_owned());
    let options = Options { kind_field, ..Options::default() };
    let engine = Engine::new(std::slice::from_ref(&rule), &options);
    let alerts = |events: &[serde_json::Value]| {
        let text: Vec<String> = events.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        let (mut memory, mut collected) = (Memory::default(), Collected::default());
        let stream = (0, &mut Lines::new(text.as_bytes()));
        scan(&engine, &mut memory, stream, &mut collected).unwrap();
        let together = |found: &&Found| matches!(found, Found::Together(_));
        collected.found.iter().filter(together).count() + memory.finish(&engine).len()
    };
    let known = spawn("2026-01-01 10:00:00");
    let now = spawn("2026-01-02 10:01:00");
    assert_eq!(alerts(&[request.clone(), now.clone()]), 1);
    assert_eq!(alerts(&[known, request, now]), 0, "the command was seen the day before");
    for target in [Target::Sentinel, Target::Xdr] {
        let refused = emitted(&rule, target).unwrap_err();
        let said = |line: &String| line.contains("a correlation of new terms of `spawn`");
        assert!(refused.iter().any(said), "{refused:?}");
    }
}

/// A Sigma rule of connections
fn connections(detection: &str) -> Rule {
    rule(&format!(
        "title: Connections\nid: 5a1f0c01-0001-4c00-8a00-000000000111\nlogsource: {{category: \
         network_connection, product: linux}}\ndetection:\n{detection}"
    ))
}

#[test]
fn who_opened_a_connection_may_stand_in_any_selection() {
    let apart = "  a: {Initiated: 'true'}\n  b: {Image|endswith: '\\x.exe'}\n";
    let wanted = emitted(&connections(&format!("{apart}  condition: a and b\n")), Target::Sentinel);
    let wanted = wanted.unwrap();
    assert!(wanted.contains(r#"ActionType in ("ConnectionAttempt", "#), "{wanted}");
    for detection in [
        format!("{apart}  condition: all of them\n"),
        "  a: {Initiated: 'true', Image|endswith: '\\x.exe'}\n  condition: a\n".to_owned(),
        "  a: {Image|endswith: '\\x.exe', Initiated: 'true'}\n  condition: a\n".to_owned(),
    ] {
        let query = emitted(&connections(&detection), Target::Sentinel);
        assert_eq!(query.as_ref(), Ok(&wanted), "{detection}");
    }
    for detection in [
        "  a: {Initiated: 'false', Image|endswith: '\\x.exe'}\n  condition: a\n",
        "  a: {Image|endswith: '\\x.exe'}\n  b: {Initiated: 'true'}\n  condition: a and not b\n",
    ] {
        let query = emitted(&connections(detection), Target::Sentinel).unwrap();
        assert!(query.contains(r#"ActionType == "InboundConnectionAccepted""#), "{query}");
    }
    let choice =
        "  a:\n    - {Initiated: 'true'}\n    - {Image|endswith: '\\x.exe'}\n  condition: a\n";
    let refused = emitted(&connections(choice), Target::Sentinel).unwrap_err();
    let said = refused.iter().any(|line| line.contains("connections that the host took"));
    assert!(said, "{refused:?}");
}

#[test]
fn an_author_who_asks_for_accepted_connections_gets_them() {
    let rule = rule(&definition("n", "processes: w3wp.exe\nInitiated: 'false'"));
    let incoming = [
        ("kuery", r#"network.direction:("inbound" or "incoming" or "ingress")"#),
        ("eql", r#"network.direction in ("inbound", "incoming", "ingress")"#),
    ];
    for (language, test) in incoming {
        let query = emitted(&in_language(rule.clone(), language), Target::Elastic).unwrap();
        assert!(query.contains(test) && !query.contains("not ("), "{query}");
    }
    let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
    let matches = |initiated: &str| {
        let event = json!({"Image": "C:\\w3wp.exe", "Initiated": initiated});
        engine.judge_value(&event, None, &mut Memory::default()).unwrap().len()
    };
    assert_eq!((matches("false"), matches("true")), (1, 0));
}

#[test]
fn the_binder_knows_the_function_that_reads_plus_signs() {
    for agent in ["'?'", "' '", "['?', 'curl*']"] {
        let rule = rule(&definition("w", &format!("user_agents: {agent}")));
        let query = emitted(&rule, Target::Sentinel).unwrap();
        assert!(query.contains("replace_string(csUserAgent"), "{query}");
        assert!(bind(&query, Platform::Sentinel).is_ok(), "{query}");
    }
}
