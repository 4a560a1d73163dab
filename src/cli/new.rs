//! `new`: prints a definition to fill in, or writes a project that holds one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::report;
use super::{Global, Outcome, Stop, screen};
use crate::definition::nearest_name;
use crate::project::{self, Failure, display};
use crate::taxonomy::{EventKind, Field, FieldType, Log};
use crate::workspace::{Text, Workspace};

/// Start a definition, or a project with one
///
/// The definition passes `check` but for its test, which fails until it holds an event that the signal
/// must find. No file is replaced.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast new webserver > rules/my_rule.yml\n  \
                        rulecast new --project detections")]
pub(super) struct New {
    /// The kind of event that it looks at; `list events` shows them
    #[arg(value_name = "KIND", default_value = "process_creation")]
    kind: String,
    /// Its title
    #[arg(long, value_name = "TEXT", default_value = "What the rule finds")]
    title: String,
    /// Write it into this file, in place of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "project")]
    output: Option<PathBuf>,
    /// Write a project into this folder: settings, the definition and a workflow for GitHub
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// The tests of a first signal, and an event that has its fields and does not fit
struct Start {
    kind: &'static str,
    tests: &'static [&'static str],
    event: &'static str,
}

const STARTS: &[Start] = &[
    Start {
        kind: "process_creation",
        tests: &["parents: [w3wp.exe, tomcat*.exe]", "children: [cmd.exe, powershell.exe]"],
        event: r"{ParentImage: 'C:\path\of\the\parent.exe', Image: 'C:\path\of\the\child.exe'}",
    },
    Start {
        kind: "file_event",
        tests: &["actions: [created]", "paths: [inetpub/wwwroot]", "extensions: [aspx, ashx]"],
        event: r"{Action: created, TargetFilename: 'C:\path\of\the\file.txt'}",
    },
    Start {
        kind: "webserver",
        tests: &["cs-method: POST", "paths: [uploads]", "extensions: [aspx, jsp, php]"],
        event: "{cs-method: POST, cs-uri-stem: /path/of/the/page.html}",
    },
    Start {
        kind: "network_connection",
        tests: &["processes: [w3wp.exe]", "remote: public"],
        event: r"{Image: 'C:\path\of\the\program.exe', DestinationIp: 10.0.0.1}",
    },
    Start {
        kind: "registry_event",
        tests: &[r"registry_keys: ['HKLM\SOFTWARE\Microsoft\InetStp']"],
        event: r"{TargetObject: 'HKLM\SOFTWARE\Another\Key'}",
    },
    Start {
        kind: "security_alert",
        tests: &["alert_files: [w3wp.exe]"],
        event: "{AlertName: the name of an alert}",
    },
];

const SETTINGS: &str =
    "# Where the rules are. `rulecast list config` shows every setting and where it comes from.
rules = [\"rules\"]
";

const WORKFLOW: &str = "name: rules
on: [push, pull_request]
permissions: {}
jobs:
  rules:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@v5
      - run: cargo install rulecast --locked
      - run: rulecast check --format github
      - run: rulecast test
      - run: rulecast verify
";

impl New {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let text = definition(&self.title, &self.kind)?;
        if let Some(folder) = &self.project {
            let rule = format!("{}.yml", file_stem(&self.title));
            let files = [
                (folder.join("rulecast.toml"), SETTINGS.to_owned()),
                (folder.join("rules").join(rule), text),
                (folder.join(".github/workflows/rules.yml"), WORKFLOW.to_owned()),
                (folder.join(".gitignore"), "/build\n".to_owned()),
            ];
            write_new(&files)?;
            for (path, _) in &files {
                report::say(global, &format!("wrote {}", display(path)))?;
            }
            let shown = display(folder);
            report::say(global, &format!("next: cd {shown}, fill in the test, `rulecast check`"))?;
            return Ok(Outcome::Clean);
        }
        match self.output {
            Some(path) => {
                write_new(&[(path.clone(), text)])?;
                report::say(global, &format!("wrote {}", display(&path)))?;
            }
            None => screen::body(&mut io::stdout().lock(), &text)?,
        }
        Ok(Outcome::Clean)
    }
}

/// The text of a definition about events of a kind
fn definition(title: &str, kind: &str) -> Result<String, Failure> {
    let known = EventKind::ALL.iter().map(EventKind::name).chain(Log::names());
    let Some((event, _)) = EventKind::category(kind) else {
        let near = nearest_name(kind, known);
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(Failure::new(format!("no events are called `{kind}`{near}")));
    };
    let quoted = plain_or_quoted(title);
    let id = project::new_id(title);
    let today = project::today();
    let text = |tests: &str, sample: &str| {
        format!(
            "title: {quoted}
id: {id}
status: experimental
description: >-
  What an attacker does here, how it shows in the events, and what the rule leaves out.
author: your name
date: {today}
# The techniques of ATT&CK that it shows, such as T1505.003 for a web shell.
attack: [T1505.003]
level: medium
falsepositives:
  - Who does the same for good reasons, and how to tell.

signals:
  found:
    title: What this signal sees
    event: {kind}
{tests}    # Events that are harmless all the same, each with the reason.
    # exclusions:
    #   - {{note: why, FIELD: VALUE}}

tests:
  - name: replace this event by one that the signal must find
    signal: found
    event: {sample}
"
        )
    };
    if let Some(start) = STARTS.iter().find(|start| start.kind == kind) {
        let tests: Vec<String> = start.tests.iter().map(|test| format!("    {test}\n")).collect();
        return Ok(text(&tests.concat(), start.event));
    }
    // The first field that every usual target has, or else the one that the fewest lack.
    let texts = candidates(&event).into_iter().map(|(tests, sample)| text(&tests, &sample));
    let least = texts.enumerate().min_by_key(|(at, text)| (mistakes(text), *at));
    Ok(least.map_or_else(String::new, |(_, text)| text))
}

/// How many mistakes a definition has for the usual targets, without those of its test
fn mistakes(text: &str) -> usize {
    let mut workspace = Workspace::read(&Text::new("new.yml", text).into());
    workspace.refused_by(&[]);
    std::mem::take(&mut workspace.diagnostics).sorted().len()
}

/// Tests of single fields that this log has, each with an event that has another value; of a log whose
/// fields nobody knows a test of its words
fn candidates(event: &EventKind) -> Vec<(String, String)> {
    let is_text = |name: &&str| {
        let kind = event.field_type(&Field::of_log(name));
        kind.is_none_or(|kind| matches!(kind, FieldType::Text | FieldType::Path))
    };
    let names = event.field_names().into_iter().filter(is_text);
    let mut candidates: Vec<(String, String)> = names
        .map(|name| {
            let name = plain_or_quoted(name);
            (format!("    {name}: a value\n"), format!("{{{name}: another value}}"))
        })
        .collect();
    let words = "    detection:\n      words: [a text of the line]\n      condition: words\n";
    candidates.push((words.to_owned(), "{message: another text}".to_owned()));
    candidates
}

/// A text of YAML, quoted where a plain one could mean something else
fn plain_or_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a file for a title: its letters and digits in lower case, `_` between words
fn file_stem(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    if words.is_empty() { "rule".to_owned() } else { words.join("_") }
}

/// Writes files that are not there yet; when one is, nothing is written
fn write_new(files: &[(PathBuf, String)]) -> Result<(), Failure> {
    let there = |path: &Path| path.symlink_metadata().is_ok();
    if let Some((path, _)) = files.iter().find(|(path, _)| there(path)) {
        return Err(Failure::new(format!("{} is there already", display(path))));
    }
    for (path, text) in files {
        let failed =
            |error: io::Error| Failure::new(format!("cannot write {}: {error}", display(path)));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = fs::File::create_new(path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}
