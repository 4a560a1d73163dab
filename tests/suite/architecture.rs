//! The shape of the source: rooms import to the left, files stay small, nothing stands about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{root, rules};

/// Rooms from left to right; those in one entry do not import each other
const ROOMS: &[&[&str]] = &[
    &["source", "pattern", "pcre"],
    &["query"],
    &["diagnostic"],
    &["yaml"],
    &["taxonomy"],
    &["definition"],
    &["ir"],
    &["mapping"],
    &["manifest"],
    &["backend", "matcher"],
    &["verify"],
    &["workspace"],
    &["review"],
    &["project"],
    &["schema"],
    &["lsp"],
    &["pages"],
    &["cli"],
];

fn sources() -> Vec<(PathBuf, String)> {
    let files = walkdir::WalkDir::new(root().join("src")).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    let rust = files.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn room_of(path: &Path) -> Option<usize> {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next()?.as_os_str().to_string_lossy().into_owned();
    let name = first.trim_end_matches(".rs");
    ROOMS.iter().position(|rooms| rooms.contains(&name))
}

/// Rooms a text names as `crate::room`, also inside `use crate::{a, b}`
fn imported(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default(),
            None => rest.split([';', ' ', '\n', ')', '<', ',']).next().unwrap_or_default(),
        };
        for item in list.split(',') {
            rooms.insert(item.trim().split("::").next().unwrap_or_default().to_owned());
        }
    }
    rooms
}

#[test]
fn rooms_import_only_to_their_left() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(mine) = room_of(&path) else { continue };
        let own = ROOMS[mine].iter().find(|room| {
            let room = format!("src/{room}");
            path.to_string_lossy().replace('\\', "/").contains(&room)
        });
        for room in imported(&text) {
            let Some(theirs) = ROOMS.iter().position(|rooms| rooms.contains(&room.as_str())) else {
                continue;
            };
            let same_room = own.is_some_and(|own| **own == room);
            if theirs > mine || (theirs == mine && !same_room) {
                wrong.push(format!("{} imports {room}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn targets_do_not_import_each_other() {
    let targets = ["sentinel", "elastic", "native"];
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let Some(mine) = targets.iter().find(|t| name.contains(&format!("backend/{t}"))) else {
            continue;
        };
        for other in targets.iter().filter(|other| other != &mine) {
            assert!(!text.contains(&format!("backend::{other}")), "{name} imports {other}");
        }
    }
}

#[test]
fn the_judge_reads_what_was_emitted_and_never_the_planner() {
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        if name.contains("src/verify") {
            assert!(!imported(&text).contains("backend"), "{name} imports backend");
        }
    }
}

/// Lines of the backends that take a text apart, each no text of a query
const TEXTS: &[(&str, &str)] = &[
    ("elastic/filter.rs", "open.map_literals(|text| text.replace("),
    ("elastic/toml.rs", "line[1..line.len() - 1].replace("),
    ("elastic/toml.rs", "!text.contains(\"'''\")"),
    ("elastic/view.rs", "planned.name.replace('_', \" \")"),
    ("elastic/view.rs", "out.replace(\"$investigate_\""),
    ("elastic/view.rs", "out.replace(\"$osquery_\""),
    ("elastic/view.rs", "date.replace('-', \"/\")"),
    ("losses.rs", "unknown.replace(span, near)"),
    ("mod.rs", "diagnostic.replace(span, near)"),
    ("sentinel/lets.rs", "name.strip_prefix(wanted)"),
    ("sentinel/package.rs", "text.replace(\"{{\", \"{ {\")"),
    ("sentinel/signal.rs", "table.unknown_product.replace("),
    ("sentinel/view.rs", "text.replace('\\'', \"''\")"),
];

#[test]
fn no_backend_cuts_or_searches_the_text_of_a_query() {
    let mut used = BTreeSet::new();
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let Some((_, file)) = name.split_once("src/backend/") else { continue };
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let calls = [".strip_prefix(", ".strip_suffix(", ".replace(", ".contains(\""];
            if !calls.iter().any(|call| line.contains(call)) {
                continue;
            }
            let known = TEXTS.iter().position(|(of, part)| *of == file && line.contains(part));
            assert!(known.is_some(), "{file} takes a text apart: {}", line.trim());
            used.extend(known);
        }
    }
    assert_eq!(used.len(), TEXTS.len(), "a line of the list is not needed");
}

#[test]
fn taxonomy_and_ir_know_no_target() {
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        if name.contains("src/taxonomy") || name.contains("src/ir/") {
            for word in ["entinel", "kuery", "Kibana", "ECS", "Kusto", "DeviceProcess"] {
                assert!(!text.contains(word), "{name} says {word}");
            }
        }
    }
}

#[test]
fn files_stay_small_and_say_what_they_are() {
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no module docs", path.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 200, "the median file has {median} lines");
}

#[test]
fn every_snapshot_belongs_to_a_rule_or_an_example() {
    let stems: Vec<String> = rules().into_iter().map(|loaded| loaded.stem).collect();
    let examples = fs::read_dir(root().join("tests/invalid")).unwrap();
    let examples: Vec<String> = examples
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for entry in walkdir::WalkDir::new(root().join("snapshots")) {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let room = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let known = match room.as_str() {
            "diagnostics" => examples.iter().any(|example| name == format!("{example}.snap")),
            "cli" => true,
            _ => stems.iter().any(|stem| name.starts_with(stem.as_str())),
        };
        assert!(known, "{} has no case", path.display());
    }
    for entry in walkdir::WalkDir::new(root().join("tests")).into_iter().map(Result::unwrap) {
        assert_ne!(entry.file_name().to_string_lossy(), "snapshots", "{}", entry.path().display());
    }
}

#[test]
fn one_file_knows_each_outside_format() {
    let only = [
        ("granit_parser", "yaml/tree.rs"),
        ("annotate_snippets", "diagnostic/render.rs"),
        ("handlebars", "backend/template.rs"),
    ];
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        for (word, home) in only {
            let uses = text.contains(&format!("use {word}")) || text.contains(&format!("{word}::"));
            assert!(!uses || name.ends_with(home), "{name} uses {word}");
        }
    }
}
