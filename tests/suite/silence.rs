//! No silence: a scan that could not find anything says why, and never "0 matches" alone.

use std::fs;
use std::path::Path;
use std::process::Command;

const RULE: &str = "\
title: Shell Of A Worker
id: 5a1f0c01-0001-4c00-8a00-0000000003a1
status: test
description: A worker starts a shell.
author: rulecast
date: 2026-11-28
logsource: {category: process_creation, product: windows}
detection:
  selection: {Image|endswith: '\\cmd.exe'}
  condition: selection
level: low
";

/// All negation, of a log source that nothing recorded here is of
const NEGATION: &str = "\
title: Service Open To The World
id: 5a1f0c01-0001-4c00-8a00-0000000003a2
status: test
description: An address outside.
author: rulecast
date: 2026-11-28
logsource: {product: zeek, service: rdp}
detection:
  internal: {id.orig_h|cidr: 10.0.0.0/8}
  condition: not internal
level: high
";

const SYSMON: &str = r#""Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"#;

/// Exit code, lines on stdout and text on stderr of a scan of these events
fn scan(rule: &str, events: &str, options: &[&str]) -> (i32, usize, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rule.yml"), rule).unwrap();
    fs::write(folder.path().join("events.jsonl"), events).unwrap();
    scan_in(folder.path(), "events.jsonl", options)
}

fn scan_in(folder: &Path, events: &str, options: &[&str]) -> (i32, usize, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(folder).args(["scan", "rule.yml", "--color", "never", "-e", events]);
    let output = command.args(options).output().unwrap();
    let hits = String::from_utf8_lossy(&output.stdout).lines().count();
    (output.status.code().unwrap(), hits, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Events, options, exit code with the number of hits, and words on stderr
type Case<'c> = (&'c str, &'c [&'c str], (i32, usize), &'c str);

#[test]
fn what_could_not_be_found_is_told_with_its_fix() {
    let image = r#""Image":"C:\\cmd.exe""#;
    let flat = format!("{{{SYSMON}1,{image}}}\n");
    let wrapped = format!("{{\"id\":7,\"body\":{{\"of\":{{{image}}}}}}}\n");
    let cases: &[Case<'_>] = &[
        (&flat, &[], (0, 1), "1 event, 1 rule: 1 match"),
        (&wrapped, &["--field", "body.of"], (0, 1), "1 match"),
        (
            &wrapped,
            &[],
            (2, 0),
            "error: no event of events.jsonl has a field that a rule reads: `body.of` \
                                 holds such fields; try `--field body.of`",
        ),
        (
            &flat,
            &["--field", "nosuch"],
            (2, 0),
            "error: no event of events.jsonl has the object `nosuch` \
                                                 that `--field` names: the event itself holds them",
        ),
        (
            &flat,
            &["--event-field", "nosuch"],
            (2, 1),
            "has the field `nosuch` that `--event-field` names",
        ),
        (&flat, &["--time-field", "a.b"], (2, 1), "has the field `a.b` that `--time-field` names"),
        (
            &flat,
            &["--event", "image_load"],
            (2, 0),
            "all 1 event of events.jsonl are no `image_load` events",
        ),
        ("{\"a\":1}\n", &[], (2, 0), "`rulecast list fields` shows their names"),
        ("", &[], (0, 0), "0 events"),
    ];
    for (events, options, (code, hits), words) in cases {
        let (found, lines, said) = scan(RULE, events, options);
        assert_eq!((found, lines), (*code, *hits), "{options:?} {events}: {said}");
        assert!(said.contains(words), "{options:?} {events}: {said}");
    }
}

#[test]
fn verify_does_not_pass_over_events_that_it_cannot_find() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rule.yml"), RULE).unwrap();
    let event = r#"{"a":{"b":{"Image":"C:\\cmd.exe"}},"kind":"process_creation"}"#;
    fs::write(folder.path().join("events.jsonl"), event).unwrap();
    for (options, code, words) in [
        (["--field", "a.b", "--event-field", "kind"], 0, "1 matched"),
        (
            ["--field", "a.x", "--event-field", "kind"],
            2,
            "no event has the object `a.x` that `--field`",
        ),
        (
            ["--field", "a.b", "--event-field", "x"],
            2,
            "no event has the field `x` that `--event-field`",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
        command.current_dir(folder.path()).args([
            "verify",
            "rule.yml",
            "-t",
            "elastic",
            "-e",
            "events.jsonl",
        ]);
        let output = command.args(options).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(code), "{options:?}: {said}");
        assert!(code == 0 || said.contains(words), "{options:?}: {said}");
    }
}

#[test]
fn fields_that_were_moved_out_of_reach_are_told() {
    let doc = r#"{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":1,"event_data":{"x":"1"}},
        "process":{"executable":"C:\\cmd.exe"}}"#;
    let doc = doc.replace('\n', "");
    let (code, _, said) = scan(RULE, &doc, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("rows or documents that no mapping knows as events"), "{said}");
}

#[test]
fn a_shape_that_the_user_names_decides() {
    let beat = "{\"winlog\":{\"event_data\":{\"Image\":\"C:\\\\cmd.exe\"}}}\n";
    let (code, hits, said) = scan(RULE, beat, &[]);
    assert_eq!((code, hits), (0, 1), "{said}");
    assert!(said.contains("events.jsonl: 1 event, Winlogbeat"), "{said}");
    let (code, hits, said) = scan(RULE, beat, &["--shape", "sigma"]);
    assert_eq!((code, hits), (2, 0), "{said}");
    assert!(said.contains("try `--field winlog.event_data`"), "{said}");
    let (code, hits, said) = scan(RULE, beat, &["--shape", "evtx"]);
    assert_eq!((code, hits), (1, 0), "{said}");
    assert!(said.contains("this line is no event: it is not of the shape `evtx`"), "{said}");
    let (code, hits, said) = scan(RULE, "Image\nC:\\cmd.exe\n", &["--shape", "csv"]);
    assert_eq!((code, hits), (0, 1), "{said}");
    let (code, _, said) = scan(RULE, beat, &["--shape", "nosuch"]);
    assert_eq!(code, 2);
    assert!(said.contains("expected sigma, evtx, "), "{said}");
}

#[test]
fn what_holds_for_a_part_of_the_events_is_a_warning() {
    let own = r#"{"x":{"Image":"C:\\cmd.exe"},"kind":"process_creation"}"#;
    let events = format!("{own}\n{{{SYSMON}7,\"Image\":\"a\"}}\n");
    let (code, hits, said) = scan(RULE, &events, &["--field", "x"]);
    assert_eq!((code, hits), (0, 1), "{said}");
    assert!(said.contains("warning: 1 of 2 events of events.jsonl lack the object `x`"), "{said}");
    let events = format!("{{{SYSMON}7,\"Image\":\"a\"}}\n{{\"Image\":\"C:\\\\cmd.exe\"}}\n");
    let (code, hits, said) = scan(RULE, &events, &["--event", "process_creation"]);
    assert_eq!((code, hits), (0, 1), "{said}");
    assert!(
        said.contains("warning: 1 of 2 events of events.jsonl are no `process_creation`"),
        "{said}"
    );
}

#[test]
fn events_that_no_rule_looks_at_are_named() {
    let events = format!("{{{SYSMON}7,\"Image\":\"a\"}}\n{{{SYSMON}3,\"Image\":\"a\"}}\n");
    let (code, hits, said) = scan(RULE, &events, &[]);
    assert_eq!((code, hits), (0, 0), "{said}");
    let words = "no rule looks at any event of events.jsonl: image_load 1, network_connection 1";
    assert!(said.contains(words), "{said}");
}

#[test]
fn an_event_of_another_log_is_of_no_unknown_log() {
    let other = r#"{"EventID":1,"Channel":"Microsoft-Windows-Kernel-IO/Operational","x":1}"#;
    let provider = r#"{"EventID":1,"Provider_Name":"Microsoft-Windows-Kernel-IO"}"#;
    for event in [other, provider] {
        let (code, hits, said) = scan(NEGATION, event, &[]);
        assert_eq!((code, hits), (0, 0), "{said}");
        assert!(said.contains("another log of windows 1"), "{said}");
    }
    // Nothing tells what this is, and it has no field of the rule.
    assert_eq!(scan(NEGATION, r#"{"x":1}"#, &[]).1, 0);
    let outside = r#"{"id.orig_h":"8.8.8.8"}"#;
    assert_eq!(
        scan(NEGATION, outside, &[]).1,
        1,
        "its log source is unknown, its address is outside"
    );
}

#[test]
fn lines_that_are_no_events_are_counted_by_reason_and_fail_the_run() {
    let events = format!("{{{SYSMON}1,\"Image\":\"C:\\\\cmd.exe\"}}\n");
    let bad = "x\n".repeat(12) + &"[1]\n".repeat(3);
    let (code, hits, said) = scan(RULE, &(bad + &events), &[]);
    assert_eq!((code, hits), (1, 1), "{said}");
    assert!(said.contains("5 more lines are no events; of all 15: "), "{said}");
    assert!(said.contains("expected value (12)"), "{said}");
}
