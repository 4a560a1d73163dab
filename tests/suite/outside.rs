//! Nothing is written outside the output folder, whatever rules, folders and links are called.

#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rulecast::project::inside;
use tempfile::{TempDir, tempdir};
use walkdir::WalkDir;

const RULE: &str = "title: T\nid: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10\ndate: 2026-01-01\n\
                    level: low\nsignals:\n  s:\n    event: process_creation\n    children: [a.exe]\n";

/// A rule in a folder of this name, below `in`
fn rule_in(name: &OsStr) -> TempDir {
    let folder = tempdir().unwrap();
    let rules = folder.path().join("in").join(name);
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("x.yml"), RULE).unwrap();
    folder
}

fn convert(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(folder).args(["convert", "in", "-o", "a/b/out", "-t", "sentinel"]);
    command.output().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files.map(|entry| entry.path().strip_prefix(folder).unwrap().to_owned()).collect()
}

#[test]
fn a_backslash_in_a_folder_stays_in_its_name() {
    let name = r"x\..\..\..\escaped";
    let folder = rule_in(OsStr::new(name));
    assert!(convert(folder.path()).status.success());
    let out = folder.path().join("a/b/out/sentinel").join(name);
    assert_eq!(files(&out).len(), 4);
    // The rule, its four outputs, and the manifest of the folder.
    assert_eq!(files(folder.path()).len(), 6);
}

#[test]
fn a_folder_without_a_name_in_utf_8_is_refused() {
    let folder = rule_in(OsStr::from_bytes(b"d\xff"));
    let output = convert(folder.path());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("a name that is not UTF-8"), "{said}");
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn a_link_that_leads_out_is_not_followed() {
    // A link in place of a folder, of a file, and one that leads nowhere.
    for place in ["sentinel", "sentinel/d", "sentinel/d/x.kql"] {
        for target in ["victim", "nothing"] {
            let folder = rule_in(OsStr::new("d"));
            let victim = folder.path().join("victim");
            match place.ends_with(".kql") {
                true => fs::write(&victim, "mine").unwrap(),
                false => fs::create_dir(&victim).unwrap(),
            }
            let link = folder.path().join("a/b/out").join(place);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(folder.path().join(target), &link).unwrap();
            let before = files(&victim);
            let output = convert(folder.path());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{place} to {target}: {said}");
            assert!(said.contains("is a link that leads out of a/b/out"), "{said}");
            assert_eq!(files(&victim), before);
            assert!(!folder.path().join("nothing").exists());
        }
    }
}

#[test]
fn a_link_within_the_folder_and_the_folder_as_a_link_are_followed() {
    let folder = rule_in(OsStr::new("d"));
    fs::create_dir_all(folder.path().join("a/real/elsewhere")).unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    symlink("../real", folder.path().join("a/b/out")).unwrap();
    symlink("elsewhere", folder.path().join("a/real/sentinel")).unwrap();
    assert!(convert(folder.path()).status.success());
    assert_eq!(files(&folder.path().join("a/real/elsewhere/d")).len(), 4);
}

#[test]
fn a_path_that_leads_out_is_no_place() {
    for path in ["../x", "a/../../x", "/etc/x", "a//b", "a/./b", "", "..", "a/", "."] {
        assert!(inside(Path::new("out"), path).is_err(), "{path:?}");
    }
    assert_eq!(inside(Path::new("out"), r"a/b\..\c").unwrap(), Path::new(r"out/a/b\..\c"));
}

#[test]
fn what_a_killed_run_left_is_gone_after_the_next() {
    let folder = rule_in(OsStr::new("d"));
    let out = folder.path().join("a/b/out/sentinel/d");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join(".rulecast-killed"), "half").unwrap();
    assert!(convert(folder.path()).status.success());
    assert_eq!(files(&out).len(), 4, "{:?}", files(&out));
}
