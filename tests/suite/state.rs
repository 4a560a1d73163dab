//! Terms that runs keep for one another, and what is said when there are too many.

use std::fs;
use std::path::Path;
use std::process::Command;

use rulecast::matcher::novelty::Term;
use rulecast::matcher::{Engine, Memory, Options, Shortfall};
use rulecast::taxonomy::EventKind;
use serde_json::json;
use tempfile::tempdir;

use crate::support::rule;

/// A shell of a web server on a day of January
fn event(day: u32, command: &str) -> String {
    json!({
        "time": format!("2026-01-{day:02}T00:00:00Z"),
        "Computer": "web01",
        "ParentImage": r"C:\Windows\System32\inetsrv\w3wp.exe",
        "Image": r"C:\Windows\System32\cmd.exe",
        "CommandLine": command,
    })
    .to_string()
}

fn scan(state: &Path, events: &str) -> (Option<i32>, Vec<serde_json::Value>, String) {
    let file = state.with_extension("jsonl");
    fs::write(&file, events).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rulecast"))
        .current_dir(crate::support::root())
        .args(["scan", "rules/webshell/web_shell_script_child.yml", "--known", "--state"])
        .arg(state)
        .arg("-e")
        .arg(&file)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn terms_are_remembered_between_runs_and_a_broken_state_is_left_alone() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("terms.json");
    let new = |lines: &[serde_json::Value]| -> Vec<bool> {
        lines.iter().map(|line| line["new"].as_bool().unwrap()).collect()
    };
    let (code, lines, _) = scan(&state, &event(1, "cmd /c whoami"));
    assert_eq!((code, new(&lines)), (Some(0), vec![true]));
    let later = [event(2, "cmd /c whoami"), event(3, "cmd /c hostname")].join("\n");
    assert_eq!(new(&scan(&state, &later).1), [false, true]);
    assert_eq!(new(&scan(&state, &event(20, "cmd /c whoami")).1), [true], "after the window");
    let kept = fs::read_to_string(&state).unwrap();
    assert!(!kept.contains("hostname"), "a term beyond its window is forgotten: {kept}");
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "temporary files are left: {left:?}");

    for broken in [&kept[..kept.len() / 2], "[]", r#"{"rulecast_state":9,"new_terms":{}}"#] {
        fs::write(&state, broken).unwrap();
        let (code, _, said) = scan(&state, &event(1, "cmd /c whoami"));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("terms.json"), "{said}");
        assert_eq!(fs::read_to_string(&state).unwrap(), broken);
    }
}

#[test]
fn terms_that_an_earlier_version_kept_with_their_values_are_known() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("terms.json");
    scan(&state, &event(1, "cmd /c whoami"));
    let mut kept: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    assert_eq!(kept["rulecast_state"], 2);
    kept["rulecast_state"] = json!(1);
    let terms = kept["new_terms"].as_object_mut().unwrap().values_mut().next().unwrap();
    let values = terms["fields"].as_array().unwrap().iter().map(|field| match field.as_str() {
        Some("Computer") => "web01",
        Some("CommandLine") => "cmd /c whoami",
        other => panic!("{other:?}"),
    });
    let values: Vec<&str> = values.collect();
    terms["seen"] = json!([[values, "2026-01-01T00:00:00Z"]]);
    fs::write(&state, kept.to_string()).unwrap();
    assert_eq!(scan(&state, &event(2, "cmd /c whoami")).1[0]["new"], false);
    assert_eq!(scan(&state, &event(2, "cmd /c hostname")).1[0]["new"], true);
    let kept = fs::read_to_string(&state).unwrap();
    assert!(kept.contains(r#""rulecast_state":2"#) && !kept.contains("web01"), "{kept}");
}

/// A rule that counts users of hosts, and asks for new ones
const CROWDS: &str = "title: Crowds\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nsignals:\n  \
     s: {event: process_creation, children: cmd.exe}\n  t: {event: process_creation, children: sh.exe}\n\
     new_terms: {signal: s, fields: [User, Computer], window: 1d}\n\
     correlations:\n  c: {type: event_count, signals: [t], group-by: [User, Computer], timespan: 1h, \
     condition: {gte: 5}}\n";

#[test]
fn more_combinations_than_are_judged_are_counted_and_reported() {
    let rule = rule(CROWDS);
    let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
    let many = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
    let event = |image: &str, users: usize| {
        json!({"Image": image, "User": many(users), "Computer": many(40),
               "UtcTime": "2026-01-01 00:00:00"})
    };
    let mut memory = Memory::default();
    let mut judge = |image: &str, users: usize| {
        let kind = Some(&EventKind::ProcessCreation);
        let found = engine.judge_value(&event(image, users), kind, &mut memory).unwrap();
        let new = memory.observe(&engine, &found[0]);
        (new, memory.correlate(&engine, &found[0], (0, 1)).len())
    };
    assert_eq!(judge("c:\\cmd.exe", 25), (Some(true), 0));
    assert_eq!(judge("c:\\cmd.exe", 25), (Some(false), 0), "a thousand are judged");
    assert_eq!(judge("c:\\cmd.exe", 26), (Some(true), 0), "one more group of forty is not");
    assert_eq!(judge("c:\\cmd.exe", 26), (Some(true), 0));
    assert_eq!(judge("c:\\sh.exe", 25).1, 0);
    assert_eq!(judge("c:\\sh.exe", 26).1, 1);
    let counted = Shortfall { crowded_terms: 2, crowded_groups: 1, ..Shortfall::default() };
    assert_eq!(memory.shortfall(), counted);
}

#[test]
fn scans_at_once_keep_the_terms_of_all() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("terms.json");
    std::thread::scope(|scope| {
        for run in 0..4 {
            let (state, folder) = (&state, &folder);
            scope.spawn(move || {
                let events = folder.path().join(format!("{run}.jsonl"));
                let lines = (0..50).map(|at| event(1, &format!("cmd /c {run}-{at}")));
                fs::write(&events, lines.collect::<Vec<_>>().join("\n")).unwrap();
                let status = Command::new(env!("CARGO_BIN_EXE_rulecast"))
                    .current_dir(crate::support::root())
                    .args(["scan", "rules/webshell/web_shell_script_child.yml", "-q", "--state"])
                    .arg(state)
                    .arg("-e")
                    .arg(&events)
                    .output()
                    .unwrap();
                assert!(status.status.success());
            });
        }
    });
    let kept = fs::read_to_string(&state).unwrap();
    for run in 0..4 {
        for at in 0..50 {
            let term = Term::of(&["web01".to_owned(), format!("cmd /c {run}-{at}")]);
            let digest = format!("{:032x}", u128::from_be_bytes(term.0));
            assert!(kept.contains(&digest), "{run}-{at}");
        }
    }
}
