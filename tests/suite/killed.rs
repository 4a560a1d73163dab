//! Runs that are killed: whenever that is, what they write is old or new, and never half.
//!
//! The moments are drawn by a seeded die over the time that a whole run takes here. With
//! `RULECAST_EXECUTIONS` there are more of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::replay::executions;
use crate::support::root;
use rulecast::verify::near::chance::Dice;

/// Kills of each kind, in a plain run and in a long one
const KILLS: (usize, usize) = (30, 100);

fn kills() -> std::ops::Range<usize> {
    0..if executions(0) > 0 { KILLS.1 } else { KILLS.0 }
}

/// A folder of this test's own, gone with the test
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rulecast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).arg("-q").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs to the end; gives how long that took
fn whole(arguments: &[&str]) -> Duration {
    let started = Instant::now();
    let status = rulecast(arguments).status().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}: {status}");
    started.elapsed()
}

/// Starts a run and kills it at a moment; true when it was still running
fn killed(arguments: &[&str], took: Duration, dice: &mut Dice) -> bool {
    let mut child = rulecast(arguments).spawn().unwrap();
    // A run writes late, so half of the moments are late ones.
    let moment = if dice.roll(2) == 0 { dice.roll(1_100) } else { 700 + dice.roll(400) };
    std::thread::sleep(took.mul_f64(moment as f64 / 1_000.0));
    let running = child.try_wait().unwrap().is_none();
    // On unix this is SIGKILL: nothing of the run can tidy up.
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// Every file below a folder by its path, leftovers among them
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    // The folder may not be there yet.
    let files = entries.flatten().filter(|entry| entry.file_type().is_file());
    let named = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    files.map(|entry| (named(entry.path()), fs::read(entry.path()).unwrap())).collect()
}

fn is_leftover(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".rulecast-"))
}

/// Removes every output and leaves what killed runs left
fn empty(folder: &Path) {
    for path in files(folder).into_keys().filter(|path| !is_leftover(path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
}

/// Says how much was killed, straight to the terminal
fn told(verb: &str, running: usize, leftovers: usize) {
    assert!(running > 0, "no run was killed before its end");
    let told = format!(
        "killed: {running} of {} runs of {verb}; at most {leftovers} leftovers",
        kills().end
    );
    let _ = writeln!(std::io::stderr(), "{told}");
}

fn has_no_leftovers(folder: &Path) {
    let left: Vec<String> = files(folder).into_keys().filter(|path| is_leftover(path)).collect();
    assert!(left.is_empty(), "the next run leaves what a killed one left: {left:?}");
}

#[test]
fn a_killed_convert_leaves_each_file_absent_old_or_new() {
    let folder = Folder::new("killed-convert");
    let [rules, build] = ["rules", "build"].map(|name| folder.0.join(name));
    let convert = ["convert", rules.to_str().unwrap(), "-o", build.to_str().unwrap()];
    let texts: Vec<(PathBuf, String)> = ["web_shell_script_child", "web_shell_command_alert"]
        .into_iter()
        .map(|name| format!("webshell/{name}.yml"))
        .map(|path| {
            (rules.join(&path), fs::read_to_string(root().join("rules").join(path)).unwrap())
        })
        .collect();
    // Two texts of every rule, and so of every output.
    let place = |title: &str| {
        for (path, text) in &texts {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = text.replacen("title: ", &format!("title: {title} "), 1);
            fs::write(path, text).unwrap();
        }
    };
    let mut outputs = Vec::new();
    let mut took = Duration::MAX;
    for title in ["First", "Second"] {
        place(title);
        let _ = fs::remove_dir_all(&build);
        took = took.min(whole(&convert));
        outputs.push(files(&build));
    }
    assert!(outputs[0].len() > 10 && outputs[0].keys().eq(outputs[1].keys()));
    empty(&build);
    let mut dice = Dice(0x5eed_0001);
    let (mut running, mut leftovers) = (0, 0);
    for kill in kills() {
        place(["First", "Second"][kill % 2]);
        // Sometimes there is nothing old.
        if kill % 5 == 0 {
            empty(&build);
        }
        running += usize::from(killed(&convert, took, &mut dice));
        let now = files(&build);
        for (path, text) in now.iter().filter(|(path, _)| !is_leftover(path)) {
            let whole = outputs.iter().any(|output| output.get(path) == Some(text));
            assert!(whole, "kill {kill}: half of {path}");
        }
        leftovers = now.keys().filter(|path| is_leftover(path)).count().max(leftovers);
    }
    whole(&convert);
    told("convert", running, leftovers);
    has_no_leftovers(&build);
    assert_eq!(files(&build), outputs[1], "the next run writes what is missing");
}

#[test]
fn a_killed_scan_leaves_a_state_that_the_next_one_takes() {
    let folder = Folder::new("killed-scan");
    let state = folder.0.join("state.json");
    let events = folder.0.join("events.jsonl");
    let line = |at: usize| {
        json!({"ParentImage": "w3wp.exe", "Image": "cmd.exe", "CommandLine": format!("cmd /c {at}"),
            "Computer": "w.example"})
    };
    let lines: Vec<String> = (0..1_000).map(|at| line(at).to_string()).collect();
    fs::write(&events, lines.join("\n")).unwrap();
    let rules = "rules/webshell/web_shell_script_child.yml";
    let [state_path, events_path] = [&state, &events].map(|path| path.to_str().unwrap());
    let scan =
        ["scan", rules, "-e", events_path, "--event", "process_creation", "--state", state_path];
    let took = (0..3).map(|_| whole(&scan)).min().unwrap_or_default();
    let kept = fs::read(&state).unwrap();
    assert!(kept.len() > 10_000, "the events leave {} bytes of state", kept.len());
    fs::remove_file(&state).unwrap();
    let mut dice = Dice(0x5eed_0002);
    let (mut running, mut leftovers) = (0, 0);
    for kill in kills() {
        if kill % 5 == 0 {
            let _ = fs::remove_file(&state);
        }
        running += usize::from(killed(&scan, took, &mut dice));
        if let Ok(text) = fs::read(&state) {
            let whole = serde_json::from_slice::<serde_json::Value>(&text);
            assert!(whole.is_ok(), "kill {kill}: {whole:?}");
            assert_eq!(text, kept, "kill {kill}: the state is neither absent nor whole");
        }
        leftovers = files(&folder.0).keys().filter(|path| is_leftover(path)).count().max(leftovers);
    }
    whole(&scan);
    told("scan", running, leftovers);
    assert_eq!(fs::read(&state).unwrap(), kept, "the next scan takes the state");
    has_no_leftovers(&folder.0);
}
