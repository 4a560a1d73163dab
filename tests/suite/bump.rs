//! `convert --bump`: what a change of meaning raises, and what is left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The first of December 2026, as seconds
const DAY: &str = "1796083200";

/// A folder of this test's own, with a definition in it
struct Project(PathBuf);

impl Project {
    fn with(name: &str, text: &str) -> Project {
        let folder = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.yml"), text).unwrap();
        Project(folder)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.0.join("a.yml")).unwrap()
    }

    /// Puts one word for another into the definition, which must have it
    fn edit(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.0.join("a.yml"), text.replace(from, to)).unwrap();
    }

    /// Converts, and says what the program says
    fn convert(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
        command.current_dir(&self.0).env("SOURCE_DATE_EPOCH", DAY);
        command.args(["--color", "never", "convert", "a.yml", "-o", "build"]);
        let output = command.args(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    }

    fn file(&self, path: &str) -> String {
        fs::read_to_string(Path::join(&self.0.join("build"), path)).unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TEXT: &str = "# ours\ntitle: Shell\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01  # kept\n\
                    date:   2026-11-21   # first\ndescription: It starts.\nsignals:\n  shell:\n    \
                    event: process_creation\n    children: [cmd.exe]  # more\n";
const RAISED: &str = "raised to version 2 and modified 2026-12-01: a.yml";

#[test]
fn a_change_of_meaning_is_a_version_and_a_date_in_the_definition_and_all_that_follows() {
    let project = Project::with("raised", TEXT);
    assert!(!project.convert(&["--bump"]).contains("raised"), "a new rule has its first version");
    project.edit("cmd.exe", "cmd.exe, pwsh.exe");
    let before = project.text();
    let said = project.convert(&["--bump"]);
    assert!(said.contains(RAISED), "{said}");
    let added = "# first\nmodified: 2026-12-01\nversion: 2\n";
    assert_eq!(project.text(), before.replace("# first\n", added));
    let line: Value = serde_json::from_str(&project.file("elastic/a.ndjson")).unwrap();
    assert_eq!(line["version"], 2);
    let toml = project.file("elastic/a_shell.toml");
    assert!(toml.contains("updated_date = \"2026/12/01\""), "{toml}");
    assert!(toml.contains("creation_date = \"2026/11/21\""), "{toml}");
    assert!(project.file("sentinel/a.analytic.yaml").contains("\nversion: 1.0.1\n"));
    let again = project.convert(&["--bump"]);
    assert!(!again.contains("raised") && again.contains(" 0 files written"), "{again}");
}

#[test]
fn lines_that_are_there_are_changed_in_their_place() {
    let stamped = TEXT.replace("# first", "\nversion: 7 # v\nmodified: '2026-11-22' # m");
    let project = Project::with("in-place", &stamped);
    project.convert(&[]);
    project.edit("title", "level: low\ntitle");
    let before = project.text();
    let said = project.convert(&["--bump"]);
    assert!(said.contains("raised to version 8 and modified 2026-12-01: a.yml"), "{said}");
    let wanted = before.replace("version: 7", "version: 8").replace("'2026-11-22'", "2026-12-01");
    assert_eq!(project.text(), wanted);
}

#[test]
fn what_people_read_raises_nothing_and_without_the_flag_nothing_does() {
    let project = Project::with("words", TEXT);
    project.convert(&[]);
    project.edit("It starts.", "It has started.");
    project.edit("date:", "tags: [car.2016-03-001]\nfalsepositives: [none]\nauthor: [A]\ndate:");
    let before = project.text();
    let said = project.convert(&["--bump"]);
    assert!(!said.contains("raised") && !said.contains(" 0 files written"), "{said}");
    assert_eq!(project.text(), before);
    project.edit("cmd.exe", "pwsh.exe");
    let before = project.text();
    project.convert(&[]);
    assert_eq!(project.text(), before);
    let line: Value = serde_json::from_str(&project.file("elastic/a.ndjson")).unwrap();
    assert_eq!(line.get("version"), None);
}

#[test]
fn a_version_that_was_raised_by_hand_is_not_raised_again() {
    let project = Project::with("by-hand", TEXT);
    project.convert(&[]);
    project.edit("cmd.exe", "pwsh.exe");
    project.edit("date:", "version: 2\ndate:");
    let before = project.text();
    let said = project.convert(&["--bump"]);
    assert!(!said.contains("raised"), "{said}");
    assert_eq!(project.text(), before);
}

#[test]
fn every_target_counts_even_one_without_versions() {
    let project = Project::with("xdr", TEXT);
    for target in ["xdr", "native", "asim"] {
        project.convert(&["-t", target]);
        project.edit("children: [", &format!("children: [{target}.exe, "));
        let said = project.convert(&["-t", target, "--bump"]);
        assert!(said.contains("raised to version"), "{target}: {said}");
        project.edit("description: ", "description: More. ");
        let said = project.convert(&["-t", target, "--bump"]);
        assert!(!said.contains("raised to version"), "{target}: {said}");
    }
}

#[test]
fn a_file_keeps_its_line_breaks_its_mark_and_its_other_rules() {
    let second = TEXT.replace("0d0f2c5e", "1d0f2c5e").replace("Shell", "Other");
    let text = format!("\u{feff}{TEXT}---\n{second}").replace('\n', "\r\n");
    let project = Project::with("windows", &text);
    project.convert(&[]);
    let at = project.text().rfind("cmd.exe").unwrap();
    let mut before = project.text();
    before.replace_range(at..at + 3, "pwsh");
    fs::write(project.0.join("a.yml"), &before).unwrap();
    assert!(project.convert(&["--bump"]).contains(RAISED));
    let date = before.rfind("# first\r\n").unwrap() + 9;
    before.insert_str(date, "modified: 2026-12-01\r\nversion: 2\r\n");
    assert_eq!(project.text(), before);
}

#[test]
fn a_definition_in_braces_is_raised_in_its_braces() {
    let text = "{title: Shell, id: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01, 'date': '2026-11-21',\n \
                signals: {shell: {event: process_creation, children: [cmd.exe]}}}\n";
    let project = Project::with("braces", text);
    project.convert(&[]);
    project.edit("cmd.exe", "pwsh.exe");
    assert!(project.convert(&["--bump"]).contains(RAISED));
    let added = "'2026-11-21', modified: 2026-12-01, version: 2,\n";
    assert!(project.text().contains(added), "{}", project.text());
}

#[test]
fn a_sigma_document_is_named_and_never_edited() {
    let sigma = "title: Their shell\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\n\
                 logsource: {category: process_creation, product: windows}\n\
                 detection: {one: {Image|endswith: \\cmd.exe}, condition: one}\n";
    let project = Project::with("sigma", sigma);
    project.convert(&[]);
    project.edit("cmd.exe", "pwsh.exe");
    let before = project.text();
    let said = project.convert(&["--bump"]);
    let words = "1 changed rule not raised, for Sigma documents are never edited";
    assert!(said.contains(words) && said.contains(": a.yml"), "{said}");
    assert_eq!(project.text(), before);
}

#[test]
fn a_rule_with_a_version_is_verified_like_any_other() {
    let project = Project::with("verified", &TEXT.replace("date:", "version: 3\ndate:"));
    project.convert(&[]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(&project.0).args(["verify", "a.yml", "--artifacts", "build"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !text.contains("broken"), "{text}");
}
