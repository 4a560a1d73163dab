//! `--templates`: artifacts in the user's own layout, and what happens when a template is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{folder, root};

const RULE: &str = "rules/webshell/web_shell_script_child.yml";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).args(["--color", "never"]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with one template: the built-in one, with one text for another
fn own(name: &str, template: &str, (from, to): (&str, &str)) -> PathBuf {
    let shown = run(&["show", "template", template]);
    let built_in = text(&shown.stdout);
    assert!(built_in.contains(from), "{built_in}");
    let folder = folder(name);
    let file = folder.join(format!("{template}.hbs"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, built_in.replacen(from, to, 1)).unwrap();
    folder
}

fn words(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn a_template_of_the_user_lays_out_the_artifact_and_verify_judges_it() {
    let change = ("id: {{id}}", "# Owned by the blue team.\nid: {{id}}");
    let folder = own("templates-good", "sentinel/analytic.yaml", change);
    let build = folder.join("build");
    let made = run(&[
        "convert",
        RULE,
        "-t",
        "sentinel",
        "-o",
        words(&build),
        "--templates",
        words(&folder),
    ]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let mut files =
        walkdir::WalkDir::new(&build).into_iter().map(|entry| entry.unwrap().into_path());
    let file = files.find(|path| path.to_string_lossy().ends_with(".analytic.yaml")).unwrap();
    assert!(fs::read_to_string(file).unwrap().starts_with("# Owned by the blue team.\nid: "));
    let judged = run(&["verify", RULE, "-t", "sentinel", "--templates", words(&folder)]);
    assert!(judged.status.success() && text(&judged.stdout).contains(" same "), "{judged:?}");
}

#[test]
fn verify_sees_a_template_that_changes_the_query() {
    let change = ("query: |\n", "query: |\n  union\n");
    let folder = own("templates-query", "sentinel/analytic.yaml", change);
    let judged = run(&["verify", RULE, "-t", "sentinel", "--templates", words(&folder)]);
    assert_eq!(judged.status.code(), Some(1), "{judged:?}");
}

#[test]
fn a_template_that_fails_is_told_at_its_line() {
    let folder = own("templates-name", "elastic/rule.toml", ("[rule]", "[rule]\n{{nobody}}"));
    let show = ["show", RULE, "--stage", "elastic", "--templates", words(&folder)];
    let failed = run(&[&show[..], &["--format", "concise"]].concat());
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let built_in = text(&run(&["show", "template", "elastic/rule.toml"]).stdout);
    let line = built_in.lines().position(|line| line == "[rule]").unwrap() + 2;
    let place = format!("elastic/rule.toml.hbs:{line}:1: error[E0814]");
    assert!(text(&failed.stderr).contains(&place), "{place}: {}", text(&failed.stderr));
}

#[test]
fn a_template_that_cannot_be_read_or_has_another_name_ends_the_run() {
    let folder = own("templates-open", "sentinel/hunting.yaml", ("{{/each}}", ""));
    let failed = run(&["convert", RULE, "--templates", words(&folder)]);
    assert_eq!(failed.status.code(), Some(2), "{failed:?}");
    assert!(text(&failed.stderr).contains("error[E0814]"), "{}", text(&failed.stderr));
    let file = folder.join("sentinel/hunting.yaml.hbs");
    fs::rename(&file, file.with_file_name("huntin.yaml.hbs")).unwrap();
    let failed = run(&["convert", RULE, "--templates", words(&folder)]);
    assert_eq!(failed.status.code(), Some(2), "{failed:?}");
    let said = text(&failed.stderr);
    assert!(said.contains("did you mean `sentinel/hunting.yaml`?"), "{said}");
}
