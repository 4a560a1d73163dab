//! `scan` for people: tables, spreadsheets and a page in which no value of an event does anything, and
//! which are the same on every run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::hostile::PAYLOADS;
use crate::pages::check;
use crate::support::{folder, root};

/// Values that a spreadsheet would run, or that would tear a row
const CELLS: &[&str] = &[
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "a,b",
    "a\"b",
    "a\r\n=1",
    "",
    "\u{1b}]0;x\u{7}",
    "\u{202e}gpj",
    "::error::x",
    "##[error]x",
];

const RULE: &str = "title: Any process\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nlevel: high\n\
     description: |\n  The first paragraph.\n\n  The second.\nreferences: [https://attack.mitre.org/]\n\
     fields: [ParentCommandLine]\nattack: [T1505.003]\n\
     signals:\n  s: {event: process_creation, children: cmd.exe}\n";

fn scan(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.env_remove("GITHUB_ACTIONS").current_dir(folder);
    command.args(["--color", "never", "scan", "rule.yml", "-e", "events.jsonl"]);
    command.args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An event in which this text stands wherever an event may have one
fn event(number: usize, text: &str) -> Value {
    json!({
        "EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational",
        "UtcTime": format!("2026-11-21 10:{:02}:00", number % 60),
        "Computer": text, "User": text, "Image": format!("{text}\\cmd.exe"),
        "CommandLine": text, "ParentCommandLine": text,
    })
}

fn with_events(name: &str, events: &[Value]) -> std::path::PathBuf {
    let folder = folder(name);
    fs::write(folder.join("rule.yml"), RULE).unwrap();
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    fs::write(folder.join("events.jsonl"), lines.join("\n")).unwrap();
    folder
}

fn hostile(name: &str) -> (std::path::PathBuf, usize) {
    let texts: Vec<&str> = PAYLOADS.iter().chain(CELLS).copied().collect();
    let events: Vec<Value> =
        texts.iter().enumerate().map(|(number, text)| event(number, text)).collect();
    (with_events(name, &events), texts.len())
}

/// The cells of a row of RFC 4180
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    let mut characters = row.chars().peekable();
    while let Some(c) = characters.next() {
        let cell = cells.last_mut().unwrap();
        match c {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    assert!(!is_quoted, "{row}");
    cells
}

#[test]
fn no_cell_is_a_formula_and_no_row_is_torn() {
    let (folder, number) = hostile("findings-csv");
    let text = out(&scan(&folder, &["--format", "csv"]));
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), number + 1);
    let head = cells(rows[0]);
    assert_eq!(head.last().map(String::as_str), Some("ParentCommandLine"));
    for row in &rows {
        assert!(!row.contains(char::is_control), "{row:?}");
        let cells = cells(row);
        assert_eq!(cells.len(), head.len(), "{row}");
        for cell in cells {
            assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{cell}");
        }
    }
    assert_eq!(text, out(&scan(&folder, &["--format", "csv"])));
}

#[test]
fn a_table_is_eighty_wide_and_controls_no_terminal() {
    let (folder, number) = hostile("findings-table");
    let text = out(&scan(&folder, &["--format", "table"]));
    assert_eq!(text.lines().count(), number + 1);
    for line in text.lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(unicode_width(line) <= 80, "{line}");
    }
    let mut step = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    step.env("GITHUB_ACTIONS", "true").current_dir(&folder);
    step.args(["scan", "rule.yml", "-e", "events.jsonl", "--format", "table"]);
    let text = out(&step.output().unwrap());
    assert!(!text.contains("##[") && !text.lines().any(|line| line.trim().starts_with("::")));
}

/// The columns that a text takes, as far as the wide texts here need it
fn unicode_width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if ('\u{1100}'..='\u{ffff}').contains(&c) && !"…\u{fffd}".contains(c) { 2 } else { 1 }
        })
        .sum()
}

#[test]
fn the_page_is_whole_and_nothing_of_an_event_is_markup() {
    let (folder, number) = hostile("findings-page");
    let made = scan(&folder, &["--html", "page.html", "--quiet"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    assert_eq!(out(&made).lines().count(), number);
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    let pages = BTreeMap::from([("page.html".to_owned(), page.clone())]);
    check("page.html", &page, &pages);
    for shown in [
        format!("{number} findings in {number} events of 1 file"),
        "<a href=\"#rule-0\">Any process</a>".to_owned(),
        "<article class=\"signal\" id=\"rule-0\">".to_owned(),
        "<p class=\"text\">The second.</p>".to_owned(),
        "<a href=\"https://attack.mitre.org/\" rel=\"noreferrer\">".to_owned(),
        "&lt;img src=x onerror=y&gt;".to_owned(),
    ] {
        assert!(page.contains(&shown), "{shown}");
    }
    scan(&folder, &["--html", "page.html", "--quiet"]);
    assert!(page == fs::read_to_string(folder.join("page.html")).unwrap(), "the same bytes");
    // Pages of a set of rules in the same folder leave it alone.
    let mut report = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    let path = folder.to_str().unwrap();
    report.current_dir(root()).args(["report", "rules/webshell/web_requests.yml", "-o", path]);
    assert!(report.output().unwrap().status.success());
    assert!(folder.join("page.html").exists());
}

#[test]
fn a_page_has_a_bound_and_says_what_is_left_out() {
    let pad = "x".repeat(2_000);
    let events: Vec<Value> = (0..20_100).map(|number| event(number, &pad)).collect();
    let folder = with_events("findings-many", &events);
    let made = scan(&folder, &["--html", "page.html", "--summary"]);
    assert!(out(&made).contains("20100  2026-11-21 10:00:00  2026-11-21 10:59:00  Any process"));
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    assert!(page.len() < 8 << 20, "{}", page.len());
    let note =
        "The page has room for 20,000 findings, the most severe. Left out: 100 of level high.";
    assert!(page.contains(note));
    assert!(page.contains("And 18,000 more findings, none more severe than these"));
}

#[test]
fn what_is_not_new_is_counted_and_fails_nothing() {
    let folder = with_events(
        "findings-known",
        &[
            event(1, "a"),
            event(2, "a"),
            json!({
                "Image": "cmd.exe", "CommandLine": "b", "UtcTime": "2026-11-21 11:00:00"
            }),
        ],
    );
    let rule =
        format!("{RULE}new_terms: {{signal: s, fields: [host, command_line], window: 1d}}\n");
    fs::write(folder.join("rule.yml"), rule).unwrap();
    let first = scan(&folder, &["--fail-on-match", "--state", "state"]);
    assert_eq!((first.status.code(), out(&first).lines().count()), (Some(1), 1));
    let said_first = said(&first);
    for counted in [
        "1 match; 1 more is not new (`--known` prints it)",
        "warning: 1 match left out: the event lacks a field that `new_terms` asks for",
    ] {
        assert!(said_first.contains(counted), "{said_first}");
    }
    let again = scan(&folder, &["--fail-on-match", "--state", "state", "--html", "page.html"]);
    assert_eq!((again.status.code(), out(&again).lines().count()), (Some(0), 0));
    assert!(
        fs::read_to_string(folder.join("page.html")).unwrap().contains("The rules found nothing.")
    );
    let known = scan(&folder, &["--fail-on-match", "--state", "state", "--known"]);
    assert_eq!((known.status.code(), out(&known).lines().count()), (Some(1), 3));
    assert!(out(&known).contains("\"new\":false"));
}

#[test]
fn a_page_that_cannot_be_written_is_told_before_the_scan() {
    let folder = with_events("findings-nowhere", &[event(1, "a")]);
    let made = scan(&folder, &["--html", "no/such/page.html"]);
    assert_eq!((made.status.code(), out(&made)), (Some(2), String::new()));
}

#[test]
fn the_counts_are_one_object_with_first_and_last() {
    let events = [event(5, "web1"), event(3, "web2"), event(9, "web1")];
    let folder = with_events("findings-counts", &events);
    let counted: Value =
        serde_json::from_slice(&scan(&folder, &["--summary", "--format", "json"]).stdout).unwrap();
    let span = |first: &str, last: &str, hits: usize, name: (&str, &str)| json!({name.0: name.1, "hits": hits, "first": first, "last": last});
    let [three, five, nine] =
        ["03", "05", "09"].map(|minute| format!("2026-11-21T10:{minute}:00Z"));
    let hosts =
        [span(&five, &nine, 2, ("host", "web1")), span(&three, &three, 1, ("host", "web2"))];
    assert_eq!(counted["hosts"], json!(hosts));
    assert_eq!(counted["levels"], json!([span(&three, &nine, 3, ("level", "high"))]));
    assert_eq!(counted["rules"][0]["id"], "0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01");
    assert_eq!((&counted["events"], &counted["hits"]), (&json!(3), &json!(3)));
    let rows = out(&scan(&folder, &["--summary", "--format", "csv"]));
    assert!(rows.contains(&format!("host,web1,,2,{five},{nine}\r\n")), "{rows}");
}

#[test]
fn a_field_that_is_only_shown_is_none_that_a_rule_reads() {
    let event = json!({"Computer": "web1", "User": "anna", "CommandLine": "whoami"});
    let folder = with_events("findings-shown", &[event]);
    let made = scan(&folder, &[]);
    assert_eq!(made.status.code(), Some(2));
    assert!(said(&made).contains("has a field that a rule reads"), "{}", said(&made));
}
