//! Which warnings are reported: comments that let one stand, `--select` and `--ignore`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rulecast::definition::Looked;
use rulecast::diagnostic::{Diagnostic, Severity, concise};
use rulecast::ir;
use rulecast::workspace::{Text, Workspace};

use crate::support::{corpus, root, sigmahq};

/// Two warnings of the check and a loss of a target, each with a place for a comment beside it
fn rule(beside: [&str; 3]) -> String {
    let [parents, children, company] = beside;
    format!(
        "title: Shell of a web server\nid: 0c9b8f0e-6b1d-4d54-9f0e-3c5d6f1a0001\ndate: 2026-11-21\n\
         signals:\n  shell_spawn:\n    event: process_creation\n    product: linux\n    \
         Company: '' {company}\n    parents: ['tomcat**'] {parents}\n    children: [sh, bash, SH] {children}\n"
    )
}

/// A file of this test's own
fn file(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("shell_of_a_web_server.yml");
    fs::write(&path, text).unwrap();
    path
}

fn rulecast(verb: &str, path: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).arg(verb).arg(path).args(["--format", "concise", "--quiet"]);
    command.args(arguments).output().unwrap()
}

/// The codes of the findings, in order, and the exit code
fn said(output: &Output) -> (Vec<String>, Option<i32>) {
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    let text = String::from_utf8(text).unwrap();
    let codes = text.lines().filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0));
    let codes = codes.filter(|code| code.len() == 5).map(ToOwned::to_owned);
    (codes.collect(), output.status.code())
}

fn codes(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn a_suppressed_warning_is_not_there() {
    let fatal: &[&str] = &["--fail-on", "warning"];
    let plain = file("plain", &rule(["", "", ""]));
    let all = codes(&["W0505", "W0605", "W0221", "W0213"]);
    assert_eq!(said(&rulecast("check", &plain, fatal)), (all, Some(1)));
    let allowed = rule([
        "# allow[W0221]: as the vendor writes it",
        "# allow[W0213]: as the inventory has it",
        "# allow[W0505, W0605]: the workspace holds servers only",
    ]);
    let allowed = file("allowed", &allowed);
    assert_eq!(said(&rulecast("check", &allowed, fatal)), (Vec::new(), Some(0)));
    let sarif = rulecast("check", &allowed, &["--format", "sarif"]);
    assert!(!String::from_utf8(sarif.stdout).unwrap().contains("W0213"));
}

#[test]
fn only_a_run_that_looked_everywhere_calls_a_suppression_unused() {
    let text = rule(["# allow[W0213]: why", "# allow[W0213]: why", ""]);
    let path = file("unused", &text);
    let (found, _) = said(&rulecast("check", &path, &[]));
    assert_eq!(found, codes(&["W0505", "W0605", "W0221", "W0120"]));
    for (verb, arguments) in [
        ("check", vec!["-t", "sentinel"]),
        ("convert", vec!["-t", "sentinel"]),
        ("test", vec![]),
        ("show", vec![]),
    ] {
        let (found, _) = said(&rulecast(verb, &path, &arguments));
        assert!(!found.contains(&"W0120".to_owned()), "{verb}: {found:?}");
        assert!(!found.contains(&"W0213".to_owned()), "{verb}: {found:?}");
    }
    // With an error in the file, some stations have not seen the rule.
    let broken = file("broken", &text.replace("parents:", "parent:"));
    let (found, code) = said(&rulecast("check", &broken, &[]));
    assert_eq!((found.contains(&"W0120".to_owned()), code), (false, Some(1)), "{found:?}");
}

#[test]
fn warnings_are_selected_and_ignored_and_errors_are_not() {
    let path = file("selected", &rule(["", "", ""]));
    let check = |arguments: &[&str]| said(&rulecast("check", &path, arguments)).0;
    assert_eq!(check(&["--select", "W02"]), codes(&["W0221", "W0213"]));
    assert_eq!(check(&["--select", "W0221,W05"]), codes(&["W0505", "W0221"]));
    assert_eq!(check(&["--ignore", "w0221", "--ignore", "W05,W06"]), codes(&["W0213"]));
    assert_eq!(check(&["--select", "W02", "--ignore", "W0221"]), codes(&["W0213"]));
    let fatal = rulecast("check", &path, &["--ignore", "W", "--fail-on", "warning"]);
    assert_eq!(said(&fatal), (Vec::new(), Some(0)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.arg("check").arg(&path).args(["--format", "concise", "--quiet"]);
    let output = command.env("RULECAST_IGNORE", "W05,W06,W0221").output().unwrap();
    assert_eq!(said(&output).0, codes(&["W0213"]));
    for (arguments, words) in [
        (["--ignore", "E0201"], "errors refuse the rule; only warnings can be ignored"),
        (["--ignore", "W0299"], "no code begins with `W0299`; did you mean W02"),
        (["--select", "Z"], "no code begins with `Z`"),
    ] {
        let output = rulecast("check", &path, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(words), "{text}");
    }
    let broken = file("selected-broken", &rule(["", "", ""]).replace("children:", "childs:"));
    let found = said(&rulecast("check", &broken, &["--select", "W0221", "--ignore", "W"]));
    assert_eq!(found, (codes(&["E0201"]), Some(1)));
}

#[test]
fn every_validator_of_pysigma_is_named_by_a_code() {
    // fieldname_logsource and custom_attributes are unknown keys.
    let validators = "all_of_them_condition attacktag cartag control_character cvetag d3_fendtag \
        dangling_condition dangling_detection detection_tag double_wildcard duplicate_filename \
        duplicate_references duplicate_tag duplicate_title escaped_wildcard filename_length \
        identifier_existence identifier_uniqueness invalid_modifier_combinations namespace_tag \
        number_as_string specific_instead_of_generic_logsource stptag tag_format \
        them_condition_with_single_detection tlptag tlpv2_tag wildcards_instead_of_modifiers";
    for name in validators.split_whitespace() {
        let named = |text: &str| {
            let (_, names) = text.split_once("pySigma: ")?;
            names.trim_end_matches('.').split(", ").find(|known| *known == name).map(|_| ())
        };
        let mut all = rulecast::diagnostic::Code::ALL.iter();
        assert!(all.any(|code| named(code.explanation()).is_some()), "{name}");
    }
}

/// What is found in a text, and what its rules mean
fn checked(text: &str) -> (Vec<Diagnostic>, String) {
    let mut workspace = Workspace::read(&Text::new("name_of_a_rule.yml", text).into());
    let mut meaning = String::new();
    for loaded in &workspace.rules {
        let printed = ir::print(&loaded.rule);
        // A clause is labelled by what the condition called it.
        let plain = |line: &str| line.split("require \"").next().unwrap_or_default().to_owned();
        meaning.extend(printed.lines().map(|line| plain(line) + "\n"));
    }
    (workspace.findings(Looked::Everywhere), meaning)
}

#[test]
fn every_fix_of_a_warning_mends_it_and_keeps_the_meaning() {
    let mut fixed = 0;
    for entry in fs::read_dir(root().join("tests/invalid")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with('W') || path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let (found, before) = checked(&text);
        let Some(finding) = found.iter().find(|one| name.starts_with(one.code.as_str())) else {
            continue;
        };
        let Some(fix) = &finding.fix else { continue };
        let mut mended = text;
        for (span, new) in fix.edits.iter().rev() {
            mended.replace_range(span.range(), new);
        }
        let (left, after) = checked(&mended);
        assert!(left.iter().all(|one| one.code != finding.code), "{name}:\n{mended}");
        assert!(left.iter().all(|one| one.severity == Severity::Warning), "{name}:\n{mended}");
        // That the star was literal, that a network was text or that a tag was left out is the
        // mistake.
        let mistake = ["W0138", "W0222", "W0227"].iter().any(|code| name.starts_with(code));
        assert!(before == after || mistake, "{name}: {before}\n{after}");
        fixed += 1;
    }
    assert!(fixed >= 12, "{fixed}");
}

/// SigmaHQ runs pySigma's validators over every rule, and exempts rules that mean what they say:
/// those that ask for what other sensors than Sysmon record (W0216).
#[test]
fn the_rules_of_sigmahq_raise_no_warning_of_the_checks() {
    let Some(corpus) = corpus("the_rules_of_sigmahq_raise_no_warning_of_the_checks") else {
        return;
    };
    let validated = |one: &&Diagnostic| one.code.explanation().contains("pySigma: ");
    let all = sigmahq(&corpus).diagnostics.iter();
    let warnings = all.filter(|one| one.severity == Severity::Warning);
    let warnings = warnings.filter(|one| one.code != rulecast::diagnostic::Code::W0216);
    let raised: Vec<String> = warnings.filter(validated).map(concise).collect();
    assert!(raised.is_empty(), "{}", raised.join("\n"));
}
