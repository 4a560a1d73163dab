//! `new`: what it prints reads without a mistake, and fails the test that is to be filled in.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rulecast::definition::Looked;
use rulecast::taxonomy::{EventKind, Log};
use rulecast::workspace::{Text, Workspace, run_samples};

use crate::support::folder;

fn rulecast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(folder).arg("-q").args(arguments);
    for own in ["GITHUB_ACTIONS", "RULECAST_CONFIG", "RULECAST_OVERLAY"] {
        command.env_remove(own);
    }
    command.env("SOURCE_DATE_EPOCH", "1764374400").output().unwrap()
}

#[test]
fn a_new_definition_of_any_kind_asks_for_its_test_and_for_nothing_else() {
    let folder = folder("started");
    let kinds = EventKind::ALL.iter().map(EventKind::name).chain(Log::names());
    let mut beside = Vec::new();
    for kind in kinds {
        let made = rulecast(&folder, &["new", kind]);
        let text = String::from_utf8(made.stdout).unwrap();
        let mut workspace = Workspace::read(&Text::new("new.yml", text).into());
        assert_eq!(workspace.rules.len(), 1, "{kind}");
        workspace.refused_by(&[]);
        for loaded in &workspace.rules {
            run_samples(loaded, &mut workspace.diagnostics);
        }
        let found = workspace.findings(Looked::Everywhere);
        let codes: Vec<&str> = found.iter().map(|found| found.code.as_str()).collect();
        assert!(codes.contains(&"E0802"), "{kind}: {codes:?}");
        // A log that no usual target holds, or whose words Elastic searches with a loss.
        let of_targets = ["E0501", "E0601", "W0505", "W0605", "E0701"];
        let others: Vec<_> = codes.iter().filter(|code| **code != "E0802").collect();
        assert!(others.iter().all(|code| of_targets.contains(code)), "{kind}: {others:?}");
        if !others.is_empty() {
            beside.push(kind);
        }
    }
    let usual = ["process_creation", "file_event", "webserver", "network_connection"];
    assert!(usual.iter().all(|kind| !beside.contains(kind)), "{beside:?}");
}

#[test]
fn a_new_project_works_and_nothing_is_replaced() {
    let folder = folder("started_project");
    let made =
        rulecast(&folder, &["new", "webserver", "--project", "own", "--title", "Bob's: first"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let own = folder.join("own");
    let rule = own.join("rules/bob_s_first.yml");
    let before = fs::read(&rule).unwrap();
    let checked = rulecast(&own, &["check"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("E0802") && said.matches("error[").count() == 1, "{said}");
    // The test is filled in with an event that the signal finds.
    let filled = String::from_utf8(before.clone()).unwrap();
    let filled = filled.replace("/path/of/the/page.html", "/uploads/page.aspx");
    fs::write(&rule, &filled).unwrap();
    let checked = rulecast(&own, &["check", "--fail-on", "warning"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let again = rulecast(&folder, &["new", "--project", "own"]);
    assert_eq!(again.status.code(), Some(2));
    let again = rulecast(&own, &["new", "-o", "rules/bob_s_first.yml"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&rule).unwrap(), filled);
}
