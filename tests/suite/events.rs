//! Recorded attacks: the rules find the web shells and nothing that is none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use rulecast::Rule;
use rulecast::matcher::{Engine, Found, Memory, Options};
use rulecast::taxonomy::EventKind;
use serde_json::Value;

use crate::support::{corpus, found, root, rules};

/// The lines of a stream that some signal matches
fn matched_lines(rules: &[Rule], field: &str, events: &mut dyn BufRead) -> Vec<usize> {
    matched_lines_of(rules, (field, None), events)
}

/// The lines that match, of events that are all of one kind or name theirs
fn matched_lines_of(
    rules: &[Rule],
    (field, kind): (&str, Option<EventKind>),
    events: &mut dyn BufRead,
) -> Vec<usize> {
    let options = Options { field: Some(field.to_owned()), kind, ..Options::default() };
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

#[test]
fn all_recorded_events() {
    let Some(corpus) = corpus("all_recorded_events") else { return };
    let rules = all_rules();
    let mut counts: BTreeMap<(String, String), [usize; 2]> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(corpus.join("data/events")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(kind) = name.strip_suffix(".jsonl.gz") else { continue };
        // No signal looks at another kind of event, such as a loaded image.
        let Some((of, _)) = EventKind::category(kind) else { continue };
        let open = || BufReader::new(MultiGzDecoder::new(fs::File::open(&path).unwrap()));
        let lines = matched_lines_of(&rules, ("sigma", Some(of)), &mut open());
        for (at, line) in open().lines().enumerate() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let label = event["label"].as_str().unwrap().to_owned();
            let matched = lines.contains(&(at + 1));
            counts.entry((kind.to_owned(), label.clone())).or_default()[usize::from(matched)] += 1;
            let wanted = label == "webshell";
            assert!(matched || !wanted, "missed {}", event["id"]);
            assert!(!matched || label != "other", "matched {}", event["id"]);
        }
    }
    let webshells = |kind: &str| counts[&(kind.to_owned(), "webshell".to_owned())];
    assert_eq!(webshells("process_creation"), [0, 7]);
    assert_eq!(webshells("file_event"), [0, 1]);
    assert_eq!(webshells("webserver"), [0, 25]);
}
