//! `check --fix`: the fixes of findings change the bytes that they name, and no others.

use rulecast::diagnostic::{Diagnostic, Diagnostics};
use rulecast::project::fixes;
use rulecast::workspace::{Text, Workspace};

use crate::folder::Folder;
use crate::support::root;

const WRONG: &str = "# ours\ntitle: Shell   # kept\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a01\ndate: 2026-11-29\nlevel: hihg\nsignals:\n  \
                     shell:\n    event: process_creation\n\n    childrn: [cmd.exe,   powershell.exe]  # two\n";

#[test]
fn a_fix_keeps_comments_and_layout_and_diff_only_shows_it() {
    let folder = Folder::new();
    folder.write("rules/shell.yml", WRONG);
    let shown = folder.run(&["check", "--fix", "--diff"]);
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    let wanted = "--- a/rules/shell.yml\n+++ b/rules/shell.yml\n@@ -2,9 +2,9 @@\n title: Shell   # kept\n \
                  id: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a01\n date: 2026-11-29\n-level: hihg\n+level: high\n \
                  signals:\n   shell:\n     event: process_creation\n \n-    childrn: [cmd.exe,   powershell.exe]  # two\n\
                  +    children: [cmd.exe,   powershell.exe]  # two\n";
    assert_eq!(shown.out, wanted);
    assert!(shown.err.contains("2 fixes in 1 file"), "{}", shown.err);
    assert_eq!(folder.read("rules/shell.yml"), WRONG, "`--diff` writes nothing");
    let fixed = folder.run(&["check", "--fix"]);
    assert_eq!(fixed.code, Some(0), "{}", fixed.out);
    assert!(fixed.err.contains("2 fixes in rules/shell.yml"), "{}", fixed.err);
    let right = WRONG.replace("hihg", "high").replace("childrn", "children");
    assert_eq!(folder.read("rules/shell.yml"), right);
    let again = folder.run(&["check", "--fix", "--diff"]);
    assert_eq!((&*again.out, again.code), ("", Some(0)), "{}", again.err);
    assert_eq!(folder.run(&["check", "--diff"]).code, Some(2), "without `--fix` it has no meaning");
    assert_eq!(folder.run(&["check", "-", "--fix"]).code, Some(2), "standard input is no file");
}

#[test]
fn a_file_keeps_its_mark_and_its_line_breaks() {
    let folder = Folder::new();
    let wrong = format!("\u{feff}{}", WRONG.replace('\n', "\r\n"));
    folder.write("rules/shell.yml", &wrong);
    folder.run(&["check", "--fix"]);
    let right = wrong.replace("hihg", "high").replace("childrn", "children");
    assert_eq!(folder.read("rules/shell.yml"), right);
}

fn findings(name: &str, text: &str) -> Vec<Diagnostic> {
    let read = Workspace::read(&Text::new(name, text).into());
    let Diagnostics { .. } = &read.diagnostics;
    read.diagnostics.sorted()
}

#[test]
fn fixes_of_every_example_bring_no_error_and_end() {
    let mut fixed = 0;
    for entry in walkdir::WalkDir::new(root().join("tests/invalid")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let is_rule = path.extension().is_some_and(|end| end == "yml");
        let Some(mut text) = is_rule.then(|| std::fs::read_to_string(&path).ok()).flatten() else {
            continue;
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let errors = |text: &str| {
            let found = findings(&name, text);
            found.iter().filter(|one| one.severity.as_str() == "error").count()
        };
        for turn in 0.. {
            assert!(turn < 8, "{name}: fixes without an end");
            let Some(one) = fixes(&findings(&name, &text)).into_iter().next() else { break };
            assert!(errors(&one.after) <= errors(&text), "{name}:\n{}", one.after);
            if one.done == 0 {
                break;
            }
            fixed += one.done;
            text = one.after;
        }
    }
    assert!(fixed > 20, "{fixed}");
}
