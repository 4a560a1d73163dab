//! Hostile values, findings about hostile rules, and what a terminal or a GitHub step gets of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::{Diagnostics, concise, full, github, json, sarif};
use rulecast::project;
use rulecast::source::is_unprintable;
use rulecast::verify::Verdict;
use rulecast::workspace::{Text, Workspace};

use crate::hostile::{DOCUMENTS, PAYLOADS, WORD, quoted};
use crate::readers::{Piece, pieces};
use crate::support::folder;

/// Keys that compare in different ways
const KEYS: &[&str] = &[
    "CommandLine",
    "CommandLine|contains",
    "CommandLine|startswith",
    "CommandLine|cased",
    "CommandLine|re",
    "CommandLine|windash|contains",
    "CommandLine|base64offset|contains",
    "Image|endswith",
    "Hashes",
    "children",
    "paths",
];

fn valued(number: usize, key: &str, value: &str) -> String {
    let written = if key.ends_with("|re") { regex::escape(value) } else { value.to_owned() };
    let (written, value) = (quoted(&written), quoted(value));
    format!(
        "title: Number {number}\nid: 0d0f2c5e-3f0a-4c57-9d0b-{number:012x}\ndate: 2026-11-21\n\
         signals:\n  only:\n    event: process_creation\n    {key}: [{written}, 'x*{WORD}*']\n\
         targets: {{xdr: {{}}, elastic: {{accept: [long_value]}}}}\n\
         tests:\n  - name: it\n    event: {{CommandLine: {value}, Image: {value}}}\n  \
         - name: more\n    event: {{CommandLine: {value}x, Image: x}}\n",
    )
    .replace(&format!("{value}x"), &quoted(&format!("{}x", WORD)))
}

/// The words of a query after its pipes and `let`, or the functions of a matcher
fn outline(pieces: &[Piece], target: Target) -> Vec<String> {
    let opens: &[&str] = if target == Target::Native { &["fn"] } else { &["|", "let"] };
    let words = pieces.iter().filter_map(|piece| match piece {
        Piece::Code(word) => Some(word.as_str()),
        Piece::Text(_) => None,
    });
    let words: Vec<&str> = words.collect();
    let opened = words.windows(2).filter(|pair| opens.contains(&pair[0]));
    // Which functions of the template a matcher calls is up to its values.
    let opened = opened.filter(|pair| !MATCHER.contains(&format!("\nfn {}(", pair[1])));
    opened.map(|pair| pair[1].to_owned()).collect()
}

/// The template of a matcher
const MATCHER: &str = include_str!("../../templates/native/matcher.rs.hbs");

#[test]
fn a_hostile_value_means_itself_on_every_target() {
    let folder = folder("hostile-values");
    let cells = KEYS.iter().flat_map(|key| {
        std::iter::once(WORD).chain(PAYLOADS.iter().copied()).map(move |payload| (*key, payload))
    });
    let cells: Vec<(&str, &str)> = cells.collect();
    for (number, (key, payload)) in cells.iter().enumerate() {
        fs::write(folder.join(format!("n{number}.yml")), valued(number, key, payload)).unwrap();
    }
    let project = project::load(std::slice::from_ref(&folder)).unwrap();
    let targets = [Target::Sentinel, Target::Elastic];
    let verified =
        project::verify((&project.rules, &project.policy), &targets, None, &mut || Ok(Vec::new()))
            .unwrap();
    let cell = |stem: &str| cells[stem[1..].parse::<usize>().unwrap()];
    let mut wrong = Vec::new();
    for one in &verified {
        let bad = match &one.verdict {
            Verdict::Same(_) | Verdict::Binds { .. } | Verdict::Unchecked(_) => continue,
            Verdict::Different(tally) => format!("{:?}", tally.differences),
            Verdict::Broken(faults) => faults[0].message.clone(),
        };
        wrong.push(format!("{:?} on {}: {bad}", cell(&one.loaded.stem), one.target.name()));
    }
    let mut outlines: Vec<(&str, Target, Vec<String>)> = Vec::new();
    let mut read = 0;
    for loaded in &project.rules {
        let (key, payload) = cell(&loaded.stem);
        for target in [Target::Sentinel, Target::Native] {
            let artifacts = emit(target, &loaded.rule, "rule", &mut Diagnostics::default());
            let Some(artifact) = artifacts.and_then(|all| all.into_iter().next()) else { continue };
            read += 1;
            let mut say = |what: String| {
                wrong.push(format!("{payload:?} for {key} on {}: {what}", target.name()));
            };
            let pieces = match pieces(&artifact) {
                Ok(pieces) => pieces,
                Err(why) => {
                    say(why);
                    continue;
                }
            };
            let outline = outline(&pieces, target);
            match outlines.iter().find(|(of, on, _)| (*of, *on) == (key, target)) {
                Some((_, _, known)) if *known != outline => {
                    say(format!("{outline:?}, not {known:?}"))
                }
                Some(_) => {}
                None => {
                    outlines.push((key, target, outline.iter().map(ToString::to_string).collect()))
                }
            }
            let whole = ["CommandLine", "CommandLine|cased", "CommandLine|re"].contains(&key);
            if whole && !payload.contains(['*', '?', '\\']) {
                let fits = |text: &str| {
                    text.to_lowercase() == payload.to_lowercase()
                        || regex::Regex::new(text)
                            .is_ok_and(|it| !it.is_match("") && it.is_match(payload))
                };
                let texts = pieces.iter().any(|piece| match piece {
                    Piece::Text(text) => fits(text),
                    Piece::Code(_) => false,
                });
                if !texts {
                    say("no literal is it".to_owned());
                }
            }
        }
    }
    fs::remove_dir_all(folder).unwrap();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(read > 500 && verified.len() > 1_000, "{read} read, {} verified", verified.len());
}

#[test]
fn findings_about_hostile_rules_stay_in_their_lines() {
    let printable = |text: &str| !text.contains(|c| is_unprintable(c) && c != '\n');
    let mut seen = 0;
    for document in DOCUMENTS {
        for (place, payload) in document
            .places
            .iter()
            .flat_map(|(place, ..)| PAYLOADS.iter().map(move |payload| (*place, *payload)))
        {
            let text = format!("{}{}: 1\n", document.with(place, payload), quoted(payload));
            let text = Text::new(format!("rules/{payload}.yml"), text);
            let found = Workspace::read(&text.into()).diagnostics.sorted();
            assert!(!found.is_empty(), "{payload:?} as {place}");
            for one in &found {
                let line = concise(one);
                assert!(printable(&line) && line.lines().count() == 1, "{line:?}");
                let shown = full(one, false);
                let heads = shown
                    .lines()
                    .filter(|line| line.starts_with("error[") || line.starts_with("warning["));
                assert!(printable(&shown) && heads.count() == 1, "{shown}");
                let line = github(one);
                let command = line.starts_with("::error ") || line.starts_with("::warning ");
                assert!(printable(&line) && line.lines().count() == 1 && command, "{line:?}");
                seen += 1;
            }
            for text in [json(&found), sarif(&found)] {
                let read: serde_json::Value = serde_json::from_str(&text).unwrap();
                let all = read["findings"].as_array().or(read["runs"][0]["results"].as_array());
                assert_eq!(all.map(Vec::len), Some(found.len()));
                assert!(printable(&text) && !text.contains("##["), "{text}");
            }
        }
    }
    assert!(seen > 2_000, "{seen}");
}

/// The commands that the runner of a GitHub step obeys
fn obeyed(text: &str) -> Vec<String> {
    let mut stopped: Option<&str> = None;
    let mut obeyed = Vec::new();
    for line in text.split(['\n', '\r']) {
        let command = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
        match (stopped, command) {
            (Some(token), Some((name, _))) if name == token => stopped = None,
            (Some(_), _) => {}
            (None, Some(("stop-commands", token))) => stopped = Some(token),
            (None, Some((name, _))) => {
                obeyed.push(name.split(' ').next().unwrap_or_default().to_owned());
            }
            (None, None) if line.contains("##[") => obeyed.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert_eq!(stopped, None, "nothing is obeyed any more");
    obeyed
}

const RULE: &str = r"
title: '##[error]in a title'
id: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2b05
level: low
date: 2026-01-01
description: |
  ok
  ::stop-commands::pwn
  ::warning file=x::hello
investigation: |
  # a
  ::error::col0
  ##[error]legacy
signals:
  s:
    event: process_creation
    children: [cmd.exe, '##[error]x']
targets: {elastic: {accept: [long_value]}, xdr: {}}
tests:
  - name: '::error::passes ##[error]x'
    event: {Image: cmd.exe}
  - name: '##[error]fails'
    event: {Image: '##[error]y'}
  - {name: '##[error]', evnt: 1}
";

#[cfg(unix)]
#[test]
fn no_output_controls_a_terminal_or_a_github_step() {
    let root = folder("hostile-step");
    let broken = root.join("rules/::error::x/##[error]x");
    let sound = root.join("rules/d\nir/::error::y/\u{1b}[31m\u{202e}");
    for (place, name, text) in [
        (&broken, "::warning::a", RULE.to_owned()),
        (
            &sound,
            "##[error]b",
            RULE.lines().filter(|l| !l.contains("evnt")).collect::<Vec<_>>().join("\n"),
        ),
    ] {
        fs::create_dir_all(place).unwrap();
        fs::write(place.join(format!("{name}.yml")), text).unwrap();
    }
    let event = r####"{"Image": "cmd.exe", "CommandLine": "##[error]z"}"####;
    fs::write(root.join("::error::events.jsonl"), event.to_owned() + "\n::error::no\n##[error]\n")
        .unwrap();
    let file = sound.join("##[error]b.yml");
    let file = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    let events = ["-e", "::error::events.jsonl", "--event", "process_creation"];
    let commands: Vec<Vec<&str>> = vec![
        vec!["check", "rules"],
        vec!["convert", "rules"],
        vec!["convert", "rules", "-o", "::error::out", "--check"],
        vec!["convert", "::error::nowhere"],
        vec!["convert", "rules", "-o", "::error::out"],
        vec!["show", &file, "--stage", "definition"],
        vec!["show", &file],
        vec!["show", &file, "--stage", "elastic"],
        vec!["test", "rules", "-v"],
        vec!["verify", "rules"],
        [&["scan", "rules"], &events[..]].concat(),
        [&["verify", "rules"], &events[..]].concat(),
    ];
    for arguments in &commands {
        for format in ["full", "concise", "json", "sarif", "github"] {
            let (out, err) = run(&root, arguments, format, true);
            for text in [&out, &err] {
                let mut obeyed = obeyed(text);
                obeyed
                    .retain(|name| format != "github" || !["error", "warning"].contains(&&**name));
                assert!(obeyed.is_empty(), "{arguments:?} {format}: {obeyed:?}\n{text}");
            }
        }
        let (out, err) = run(&root, arguments, "full", false);
        for text in [out, err] {
            assert!(!text.contains(|c| is_unprintable(c) && !"\n\t".contains(c)), "{text:?}");
            let heads = text.lines().filter(|line| line.starts_with("==> "));
            assert!(heads.clone().all(|line| line.ends_with(" <==")), "{text}");
            assert!(
                arguments != &["convert", "rules"]
                    || text.is_empty()
                    || text.contains("1 rule")
                    || heads.count() > 3
            );
        }
    }
    fs::remove_dir_all(root).unwrap();
}

#[cfg(unix)]
fn run(root: &Path, arguments: &[&str], format: &str, step: bool) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root).args(arguments).args(["--format", format, "--color", "never"]);
    let output = command.env("GITHUB_ACTIONS", step.to_string()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}
