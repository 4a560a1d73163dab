//! `convert -o`: every file that rulecast wrote has an owner, and one without is told and pruned.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::{TempDir, tempdir};

/// What a run printed on both streams, and how it ended
struct Said {
    text: String,
    code: Option<i32>,
}

/// A folder with rules in `rules/` and outputs in `build/`
struct Project(TempDir);

impl Project {
    fn new() -> Project {
        let project = Project(tempdir().unwrap());
        project.write("rules/web/shell.yml", &rule("Shell", 1, "shell"));
        project.write("rules/linux/miner.yml", &rule("Miner", 2, "miner"));
        project
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run_in(&self, folder: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
        command.current_dir(self.path(folder)).args(["--color", "never", "--format", "concise"]);
        let output = command.args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Said { text: String::from_utf8(text).unwrap(), code: output.status.code() }
    }

    fn convert(&self, arguments: &[&str]) -> Said {
        self.run_in("", &[&["convert"], arguments].concat())
    }

    /// The files of the output folder, with `/`
    fn files(&self, folder: &str) -> BTreeSet<String> {
        let folder = self.path(folder);
        let entries = walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().is_file());
        let below =
            |path: &Path| path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        files.map(|entry| below(entry.path()).replace('\\', "/")).collect()
    }
}

fn rule(title: &str, id: u32, signal: &str) -> String {
    format!(
        "title: {title}\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a{id:02}\ndate: 2026-11-29\nsignals:\n  \
         {signal}:\n    event: process_creation\n    product: windows\n    children: [{title}.exe]\n"
    )
}

const BUILD: [&str; 2] = ["-o", "build"];

#[test]
fn the_layout_does_not_depend_on_how_the_rules_are_named() {
    let project = Project::new();
    let absolute = project.path("rules").to_string_lossy().into_owned();
    let file = project.path("rules/web/shell.yml").to_string_lossy().into_owned();
    let whole: [&[&str]; 5] = [&["rules"], &["./rules/"], &[&absolute], &[], &["."]];
    let mut layouts = BTreeSet::new();
    for (at, paths) in whole.iter().enumerate() {
        let folder = format!("whole{at}");
        project.convert(&[paths, &["-o", &folder][..]].concat());
        let manifest = fs::read_to_string(project.path(&folder).join("rulecast-outputs.json"));
        layouts.insert((project.files(&folder), manifest.unwrap()));
    }
    assert_eq!(layouts.len(), 1, "{layouts:#?}");
    let all = layouts.pop_first().unwrap().0;
    assert!(all.contains("sentinel/web/shell.kql") && all.contains("native/linux/miner.rs"));
    let of_web: [&[&str]; 4] =
        [&["rules/web"], &["rules/web/shell.yml"], &["./rules/../rules/web/shell.yml"], &[&file]];
    for (at, paths) in of_web.iter().enumerate() {
        let folder = format!("part{at}");
        project.convert(&[paths, &["-o", &folder][..]].concat());
        let files = project.files(&folder);
        assert!(files.contains("sentinel/web/shell.kql"), "{paths:?}: {files:?}");
        assert!(files.is_subset(&all), "{paths:?}: {files:?}");
    }
    // The settings name the root, wherever the run starts.
    project.write("rulecast.toml", "rules = [\"rules\"]\n");
    project.run_in("rules/web", &["convert", "shell.yml", "-o", "../../inner"]);
    assert!(project.files("inner").contains("sentinel/web/shell.kql"));
}

#[test]
fn a_run_over_a_part_keeps_what_it_does_not_read() {
    let project = Project::new();
    project.convert(&BUILD);
    let all = project.files("build");
    let manifest = fs::read_to_string(project.path("build/rulecast-outputs.json")).unwrap();
    for arguments in [
        vec!["rules/web", "-o", "build", "--prune"],
        vec!["rules/web/shell.yml", "-o", "build", "--prune"],
        vec!["rules", "-o", "build", "-t", "native", "--prune"],
    ] {
        let said = project.convert(&arguments);
        assert!(!said.text.contains("removed"), "{arguments:?}: {}", said.text);
        assert_eq!(project.files("build"), all);
        let now = fs::read_to_string(project.path("build/rulecast-outputs.json")).unwrap();
        assert_eq!(now, manifest);
    }
    assert_eq!(project.convert(&["-o", "build", "--check"]).code, Some(0));
}

#[test]
fn a_target_that_is_asked_for_is_left_to_the_runs_that_ask_for_it() {
    let project = Project::new();
    project.convert(&BUILD);
    project.convert(&["-o", "build", "-t", "xdr"]);
    let all = project.files("build");
    assert!(all.contains("xdr/web/shell.kql"), "{all:?}");
    let said = project.convert(&["-o", "build", "--prune"]);
    assert_eq!((project.files("build"), said.code), (all.clone(), Some(0)), "{}", said.text);
    assert_eq!(project.convert(&["-o", "build", "--check"]).code, Some(0));
    // A definition that names the target has it in every run, until it no longer does.
    let own = rule("Shell", 1, "shell") + "targets: {xdr: {}}\n";
    project.write("rules/web/shell.yml", &own);
    project.convert(&BUILD);
    assert_eq!(project.convert(&["-o", "build", "--check"]).code, Some(0));
    project.write("rules/web/shell.yml", &rule("Shell", 1, "shell"));
    let said = project.convert(&["-o", "build", "--prune"]);
    assert!(
        said.text.contains("removed build/xdr/web/shell.kql: its rule does not make it"),
        "{}",
        said.text
    );
    let left = project.files("build");
    assert!(
        left.contains("xdr/linux/miner.kql") && !left.contains("xdr/web/shell.kql"),
        "{left:?}"
    );
    // A rule that is gone has no files on any target.
    fs::remove_file(project.path("rules/linux/miner.yml")).unwrap();
    project.convert(&["-o", "build", "--prune"]);
    assert!(!project.path("build/xdr/linux").exists());
}

#[test]
fn the_files_of_a_rule_that_is_gone_are_told_and_pruned() {
    let project = Project::new();
    project.convert(&BUILD);
    let before = project.files("build");
    fs::remove_file(project.path("rules/linux/miner.yml")).unwrap();
    let checked = project.convert(&["-o", "build", "--check"]);
    assert_eq!(checked.code, Some(1));
    let of_miner = before.iter().filter(|path| path.contains("miner")).count();
    assert!(of_miner > 4);
    assert_eq!(checked.text.matches("E0813").count(), of_miner, "{}", checked.text);
    let line = "native/linux/miner.rs is orphaned: its rule linux/miner.yml is gone";
    assert!(checked.text.contains(line), "{}", checked.text);
    assert!(checked.text.contains("build/rulecast-outputs.json:"), "{}", checked.text);
    assert_eq!(project.files("build"), before, "`--check` writes nothing");
    let said = project.convert(&BUILD);
    assert!(said.text.contains(&format!("{of_miner} files left of rules")), "{}", said.text);
    assert_eq!(said.code, Some(0));
    let pruned = project.convert(&["-o", "build", "--prune"]);
    assert_eq!(pruned.text.matches("removed build/").count(), of_miner, "{}", pruned.text);
    let after = project.files("build");
    assert!(after.iter().all(|path| !path.contains("miner")), "{after:?}");
    assert!(!project.path("build/native/linux").exists(), "an empty folder goes too");
    assert_eq!(project.convert(&["-o", "build", "--check"]).code, Some(0));
}

#[test]
fn a_file_that_rulecast_did_not_write_stays() {
    let project = Project::new();
    project.write("build/native/linux/mine.rs", "mine");
    project.convert(&BUILD);
    let edited = project.path("build/native/linux/miner.rs");
    fs::write(&edited, "// by hand\n").unwrap();
    fs::remove_file(project.path("rules/linux/miner.yml")).unwrap();
    let said = project.convert(&["-o", "build", "--prune"]);
    let line = "warning: build/native/linux/miner.rs stays: its rule linux/miner.yml is gone, but it was changed";
    assert!(said.text.contains(line), "{}", said.text);
    assert_eq!(fs::read_to_string(edited).unwrap(), "// by hand\n");
    assert_eq!(fs::read_to_string(project.path("build/native/linux/mine.rs")).unwrap(), "mine");
    // It still has no owner, which is told until somebody removes it.
    assert_eq!(project.convert(&["-o", "build", "--check"]).text.matches("E0813").count(), 1);
}

#[test]
fn a_manifest_from_elsewhere_removes_nothing_outside_of_the_folder() {
    let project = Project::new();
    project.convert(&BUILD);
    project.write("victim", "mine");
    let path = project.path("build/rulecast-outputs.json");
    let text = fs::read_to_string(&path).unwrap();
    let digest = rulecast::project::Digest::of("", "mine").sha256;
    let entry = format!(
        "{{\"path\": \"../victim\", \"rule\": {{\"file\": \"gone.yml\", \"title\": \"x\", \"id\": null}}, \
         \"ids\": [], \"sha256\": \"{digest}\"}},\n"
    );
    fs::write(&path, text.replacen("[\n", &format!("[\n{entry}"), 1)).unwrap();
    project.convert(&["-o", "build", "--prune"]);
    assert_eq!(fs::read_to_string(project.path("victim")).unwrap(), "mine");
    fs::write(&path, "<<<<<<< HEAD\n").unwrap();
    let said = project.convert(&BUILD);
    assert_eq!(said.code, Some(2));
    assert!(said.text.contains("is no manifest of outputs"), "{}", said.text);
}

#[test]
fn a_file_that_moved_keeps_its_ids_and_leaves_orphans() {
    let project = Project::new();
    project.convert(&BUILD);
    fs::rename(project.path("rules/web/shell.yml"), project.path("rules/linux/web_shell.yml"))
        .unwrap();
    let checked = project.convert(&["-o", "build", "--check"]);
    let line = "rules/linux/web_shell.yml:1:8: error[E0813]: build/native/web/shell.rs is orphaned: its rule \
                has moved from web/shell.yml to linux/web_shell.yml";
    assert!(checked.text.contains(line), "{}", checked.text);
    assert!(
        checked.text.contains("build/native/linux/web_shell.rs is missing"),
        "{}",
        checked.text
    );
    assert!(!checked.text.contains("W0811"), "{}", checked.text);
    // A signal of another name, in a file of another name, has another id.
    project.write("rules/linux/web_shell.yml", &rule("Shell", 1, "other"));
    let checked = project.convert(&["-o", "build", "--check"]);
    assert!(checked.text.contains("W0811"), "{}", checked.text);
}

#[test]
fn the_files_of_a_rule_with_an_error_are_not_orphans() {
    let project = Project::new();
    project.convert(&BUILD);
    let before = project.files("build");
    project.write("rules/web/shell.yml", "title: [\n");
    let said = project.convert(&["-o", "build", "--prune"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert_eq!(project.files("build"), before);
}

#[test]
fn a_stale_file_is_told_with_the_lines_that_differ() {
    let project = Project::new();
    project.convert(&BUILD);
    let query = project.path("build/sentinel/web/shell.kql");
    let text = fs::read_to_string(&query).unwrap();
    assert!(text.contains("Shell.exe"), "{text}");
    fs::write(&query, text.replace("Shell.exe", "Other.exe")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command
        .current_dir(project.path(""))
        .args(["--color", "never", "convert", "--check", "-o", "build"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("error[E0803]: build/sentinel/web/shell.kql is out of date"), "{text}");
    assert!(text.contains("--> rules/web/shell.yml:1:8"), "{text}");
    let (before, now) = (text.find("Other.exe").unwrap(), text.find("Shell.exe").unwrap());
    assert!(before < now, "{text}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 file out of date, 0 missing, 0 orphaned"), "{said}");
}
