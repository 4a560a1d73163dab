//! Recorded attacks: the rules find the web shells and nothing that is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead;
use std::path::Path;

use rulecast::Rule;
use rulecast::matcher::{Engine, Found, Hit, Memory, Options};
use rulecast::taxonomy::EventKind;
use serde_json::Value;

use crate::support::{corpus, events_of, found, recordings, root, rules};

/// The lines of a stream that some signal matches, with an event each under this field
fn matched_lines(rules: &[Rule], field: &str, events: &mut dyn BufRead) -> Vec<usize> {
    let options = Options { field: Some(field.to_owned()), ..Options::default() };
    let engine = Engine::new(rules, &options);
    let found = found(&engine, events).into_iter().filter_map(|found| match found {
        // What a correlation reports in its signal's place is no finding by itself.
        Found::Hit(hit) => {
            rules[hit.matched.rule].reports_signal(hit.matched.signal).then_some(hit.line)
        }
        Found::Together(_) => None,
    });
    found.collect()
}

fn all_rules() -> Vec<Rule> {
    rules().into_iter().map(|loaded| loaded.rule).collect()
}

/// The rule that single events are tried on
fn activity() -> Vec<Rule> {
    let rules = rules().into_iter().filter(|loaded| loaded.stem == "web_shell_activity");
    rules.map(|loaded| loaded.rule).collect()
}

#[test]
fn recorded_web_shells_are_found_and_nothing_else() {
    let text = fs::read_to_string(root().join("tests/events/otrf.jsonl")).unwrap();
    let lines = matched_lines(&all_rules(), "event", &mut text.as_bytes());
    for (at, line) in text.lines().enumerate() {
        let event: Value = serde_json::from_str(line).unwrap();
        let matched = lines.contains(&(at + 1));
        // What a web shell starts is found as well, where the process tree shows it.
        match event["label"].as_str() {
            Some("webshell") => assert!(matched, "missed {}", event["id"]),
            Some("webshell_chain") => {}
            _ => assert!(!matched, "matched {}", event["id"]),
        }
    }
}

#[test]
fn the_order_of_hits_never_depends_on_threads() {
    let text = fs::read_to_string(root().join("tests/events/otrf.jsonl")).unwrap().repeat(400);
    let rules = all_rules();
    let first = matched_lines(&rules, "event", &mut text.as_bytes());
    assert!(first.is_sorted() && first.len() > 1_000);
    assert_eq!(first, matched_lines(&rules, "event", &mut text.as_bytes()));
}

#[test]
fn the_kind_of_an_event_can_be_given_named_recognized_or_unknown() {
    let rules = activity();
    let judge =
        |options: &Options, event: &str| Engine::new(&*rules, options).judge(event).unwrap().len();
    let start = r#""ParentImage":"w3wp.exe","Image":"cmd.exe""#;
    let none = Options::default();
    assert_eq!(judge(&none, &format!("{{{start}}}")), 1, "unknown: every signal is tried");
    let sysmon = r#""Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"#;
    assert_eq!(judge(&none, &format!("{{{sysmon}1,{start}}}")), 1);
    assert_eq!(judge(&none, &format!("{{{sysmon}7,{start}}}")), 0, "an image load");
    assert_eq!(judge(&none, &format!("{{{sysmon}3,{start}}}")), 0, "a connection");
    let named = Options { kind_field: Some("kind".into()), ..Options::default() };
    assert_eq!(judge(&named, &format!(r#"{{"kind":"process_creation",{start}}}"#)), 1);
    assert_eq!(judge(&named, &format!(r#"{{"kind":"image_load",{start}}}"#)), 0);
    let given = Options {
        kind: Some(rulecast::taxonomy::EventKind::ProcessCreation),
        ..Options::default()
    };
    assert_eq!(judge(&given, &format!("{{{sysmon}7,{start}}}")), 1);
}

#[test]
fn novelty_counts_a_combination_once() {
    let rules = activity();
    let engine = Engine::new(&*rules, &Options::default());
    let mut memory = Memory::default();
    let mut new = |time: &str, command: &str| {
        let event = format!(
            r#"{{"time":"{time}","Computer":"web01","ParentImage":"w3wp.exe","Image":"cmd.exe","CommandLine":"{command}"}}"#
        );
        let matches = engine.judge(&event).unwrap();
        memory.observe(&engine, &matches[0])
    };
    assert_eq!(new("2026-01-01T00:00:00Z", "cmd /c ver"), Some(true));
    assert_eq!(new("2026-01-01T01:00:00Z", "cmd /c ver"), Some(false));
    assert_eq!(new("2026-01-01T01:00:00Z", "CMD /c ver"), Some(true), "case counts");
    assert_eq!(new("2026-01-09T00:00:00Z", "cmd /c ver"), Some(true), "after seven days");
}

/// The recorded events of the corpus that a signal may look at, in the order of their time
pub(crate) fn in_order(corpus: &Path) -> Vec<Value> {
    let events = recordings(corpus).into_iter().flat_map(|path| events_of(&path));
    // No signal looks at another kind of event, such as a loaded image.
    let kind = |event: &Value| EventKind::category(event["kind"].as_str().unwrap());
    let mut events: Vec<Value> = events.filter(|event| kind(event).is_some()).collect();
    events.sort_by_cached_key(|event| event["time"].as_str().unwrap().to_owned());
    events
}

/// What a scan finds in them
pub(crate) fn found_in(rules: &[Rule], events: &[Value]) -> Vec<Found> {
    let mut text = String::new();
    for event in events {
        let mut fields = event["sigma"].clone();
        (fields["category"], fields["time"]) = (event["kind"].clone(), event["time"].clone());
        text.push_str(&format!("{fields}\n"));
    }
    let kind_field = Some("category".to_owned());
    found(&Engine::new(rules, &Options { kind_field, ..Options::default() }), text.as_bytes())
}

#[test]
fn all_recorded_events() {
    let Some(corpus) = corpus("all_recorded_events") else { return };
    let (rules, events) = (all_rules(), in_order(&corpus));
    let mut reported = BTreeSet::new();
    for found in found_in(&rules, &events) {
        match found {
            Found::Hit(Hit { line, matched, .. }) => {
                let signal = rules[matched.rule].reports_signal(matched.signal);
                reported.extend(signal.then_some(line));
            }
            Found::Together(finding) => {
                reported.extend(finding.together.places.iter().map(|(_, line)| *line));
            }
        }
    }
    let mut counts: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for (line, event) in (1..).zip(&events) {
        let [kind, label] = ["kind", "label"].map(|key| event[key].as_str().unwrap());
        let matched = reported.contains(&line);
        counts.entry((kind, label)).or_default()[usize::from(matched)] += 1;
        assert!(matched || label != "webshell", "missed {}", event["id"]);
        assert!(!matched || label != "other", "matched {}", event["id"]);
    }
    assert_eq!(counts[&("process_creation", "webshell")], [0, 7]);
    assert_eq!(counts[&("file_event", "webshell")], [0, 1]);
    assert_eq!(counts[&("webserver", "webshell")], [0, 25]);
}
