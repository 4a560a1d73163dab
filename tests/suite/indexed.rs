//! The index changes no verdict: an engine with it says what an engine without it says.
//!
//! In: rules of this project, of the corpus and of chance; recorded events, and events near the values of
//! the rules. What is compared is everything that a scan tells: matches with their levels, fields, times
//! and terms, correlations, and what the census counts.

use std::fmt::Write as _;
use std::fs;

use rayon::prelude::*;
use rulecast::Rule;
use rulecast::matcher::{Collected, Engine, Lines, Memory, Options, scan};
use rulecast::project;
use rulecast::verify::near::chance::Dice;
use rulecast::workspace::{Text, Workspace};
use serde_json::{Value, json};

use crate::replay::executions;
use crate::support::{corpus, events_of, recordings, root, sigmahq};

/// Of the recorded events one of so many: an engine without an index is slow
const SAMPLED: usize = 2;

/// Everything that a scan of these lines tells
fn told(rules: &[Rule], options: &Options, lines: &str) -> Vec<String> {
    let engine = Engine::new(rules, options);
    let (mut memory, mut collected) = (Memory::default(), Collected::default());
    let stream = (0, &mut Lines::new(lines.as_bytes()));
    let (census, _) = scan(&engine, &mut memory, stream, &mut collected).unwrap();
    let mut told: Vec<String> = collected.found.iter().map(|one| format!("{one:?}")).collect();
    told.extend(memory.finish(&engine).iter().map(|one| format!("{one:?}")));
    told.extend(collected.unreadable.iter().map(|one| format!("{one:?}")));
    told.extend([memory.keep(&engine), format!("{census:?}")]);
    told
}

/// Compares the two engines; returns how much was found
fn agree(rules: &[Rule], options: &Options, lines: &str, what: &str) -> usize {
    let naive = Options { naive: true, ..options.clone() };
    let [indexed, naive] = [options, &naive].map(|options| told(rules, options, lines));
    let differ = indexed.iter().zip(&naive).find(|(one, other)| one != other);
    assert!(differ.is_none(), "{what}:\n{differ:#?}");
    assert_eq!(indexed.len(), naive.len(), "{what}");
    indexed.len()
}

fn rules_of(folders: &[&str]) -> Vec<Rule> {
    let folders: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    project::load(&folders).unwrap().rules.into_iter().map(|loaded| loaded.rule).collect()
}

#[test]
fn own_rules_say_the_same_of_recorded_events() {
    let rules = rules_of(&["rules", "tests/operators", "tests/specification"]);
    for (name, field) in [("otrf", Some("event".to_owned())), ("recorded", None)] {
        let text = fs::read_to_string(root().join(format!("tests/events/{name}.jsonl"))).unwrap();
        for kind_field in [None, Some("kind".to_owned())] {
            let options = Options { field: field.clone(), kind_field, ..Options::default() };
            agree(&rules, &options, &text, name);
        }
    }
}

#[test]
fn rules_of_sigmahq_say_the_same_of_recorded_events() {
    let Some(corpus) = corpus("rules_of_sigmahq_say_the_same_of_recorded_events") else { return };
    let rules: Vec<Rule> = sigmahq(&corpus).rules.iter().map(|one| one.rule.clone()).collect();
    let mut files = recordings(&corpus);
    files.push(corpus.join("data/sigma-regression/events.jsonl.gz"));
    let field = |name: &str| Some(name.to_owned());
    let found: usize = files
        .iter()
        .map(|path| {
            let events: Vec<Value> = events_of(path).step_by(SAMPLED).collect();
            let mut text = String::new();
            events.iter().for_each(|event| writeln!(text, "{event}").unwrap());
            let options =
                Options { field: field("sigma"), kind_field: field("kind"), ..Options::default() };
            let found = agree(&rules, &options, &text, &path.display().to_string());
            // Of no known log source: every rule is tried on every event.
            text.clear();
            for event in events.iter().step_by(events.len() / 100 + 1) {
                writeln!(text, "{}", event["sigma"]).unwrap();
            }
            found + agree(&rules, &Options::default(), &text, &path.display().to_string())
        })
        .sum();
    assert!(found > 1_000, "{found}");
}

/// Texts that rules look for and events hold; parts of each other, hard to fold, or nearly the same
const TEXTS: &[&str] = &[
    "",
    "a",
    "-",
    "/",
    "\\",
    "cmd",
    "cmd.exe",
    "\\cmd.exe",
    "/cmd.exe",
    "C:\\Windows\\cmd.exe",
    "CMD.EXE",
    "x\\",
    " -enc",
    " /enc",
    " \u{2013}enc",
    "-e",
    "enc",
    "powershell -enc aaaa",
    "POWERSHELL",
    "p*ll",
    "*\\cmd.exe",
    "c?d.exe",
    "k",
    "\u{212a}",
    "\u{212a}elvin",
    "kelvin",
    "ſ",
    "s",
    "ä",
    "Ä",
    "straße",
    "STRASSE",
    "İ",
    "42",
    "42.0",
    " 42",
    "+42",
    "9007199254740993",
    "1e2",
    "100",
    "-1",
    "true",
    "10.0.0.7",
    "::ffff:10.0.0.7",
    "8.8.8.8",
    "\u{0}",
    "\u{10ffff}",
    "aaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "HKLM\\Software\\Run",
    "\\Run",
    "a.php",
    ".php",
    "cmd.exe ",
    "\"",
];

const FIELDS: &[&str] =
    &["Image", "CommandLine", "ParentImage", "User", "EventID", "Odd.Name", "DestinationPort"];

fn one<'t>(texts: &[&'t str], dice: &mut Dice) -> &'t str {
    texts[dice.roll(texts.len())]
}

/// A key of a selection with its values
fn key(dice: &mut Dice) -> Option<(String, Value)> {
    const MODIFIERS: &[&str] = &[
        "",
        "",
        "|contains",
        "|contains",
        "|endswith",
        "|startswith",
        "|contains|all",
        "|re",
        "|re|i",
        "|cased",
        "|contains|cased",
        "|endswith|cased",
        "|windash|contains",
        "|base64offset|contains",
        "|wide|base64offset|contains",
        "|cidr",
        "|gt",
        "|lte",
        "|neq",
        "|exists",
        "|fieldref",
        "|fieldref|endswith",
        "|null",
    ];
    const PATTERNS: &[&str] = &[
        "cmd",
        "(?i)kelvin",
        "c[mM]d\\.exe$",
        "(enc|e) ?a+",
        "^\\w+$",
        "a{3,}b",
        "[ks]",
        "\\\\cmd",
        "(?i)STRASSE|ſ",
        "\\bcmd\\b",
        "(?i)p.*l",
        "x?",
        "[-/]enc",
    ];
    let field = one(FIELDS, dice);
    let modifier = one(MODIFIERS, dice);
    let many = 1 + dice.roll(3) * dice.roll(12);
    let values = match modifier {
        "|exists" => json!(dice.roll(2) == 0),
        "|null" => return Some((field.to_owned(), Value::Null)),
        "|fieldref" | "|fieldref|endswith" => json!(one(FIELDS, dice)),
        "|cidr" => json!(["10.0.0.0/8", "8.8.8.8/32"]),
        "|gt" | "|lte" => json!(one(&["42", "100", "1.5"], dice).parse::<f64>().ok()?),
        "|re" | "|re|i" => (0..many).map(|_| one(PATTERNS, dice)).collect(),
        _ => (0..many).map(|_| one(TEXTS, dice)).collect(),
    };
    Some((format!("{field}{modifier}"), values))
}

/// A rule as YAML; some are refused
fn rule(at: usize, dice: &mut Dice) -> String {
    const CONDITIONS: &[&str] = &[
        "a",
        "a and b",
        "a or b",
        "not a",
        "a and not b",
        "1 of them",
        "all of them",
        "a and not (b or c)",
        "not (a and b) or c",
        "(a or b) and (b or c)",
        "b or not 1 of a*",
    ];
    let mut detection = serde_json::Map::new();
    for name in ["a", "b", "c"] {
        let selection: serde_json::Map<_, _> =
            (0..=dice.roll(3)).filter_map(|_| key(dice)).collect();
        let keywords = || json!([one(TEXTS, &mut Dice(at as u64 + 7)), "elvin"]);
        let selection = if dice.roll(12) == 0 { keywords() } else { selection.into() };
        detection.insert(name.to_owned(), selection);
    }
    detection.insert("condition".to_owned(), one(CONDITIONS, dice).into());
    let source = one(
        &[
            "category: process_creation",
            "product: windows",
            "category: network_connection",
            "product: windows, service: security",
        ],
        dice,
    );
    format!("title: t{at}\nlogsource: {{{source}}}\ndetection: {}\n", Value::from(detection))
}

/// An event: any value in any field
fn event(dice: &mut Dice) -> Value {
    let mut event = serde_json::Map::new();
    for field in FIELDS {
        let text = |dice: &mut Dice| match dice.roll(3) {
            0 => one(TEXTS, dice).to_owned(),
            1 => format!("{}{}", one(TEXTS, dice), one(TEXTS, dice)),
            _ => format!("{}{}{}", one(TEXTS, dice), one(TEXTS, dice), one(TEXTS, dice)),
        };
        let value = match dice.roll(12) {
            0 => continue,
            1 => Value::Null,
            2 => json!([]),
            3 => json!({"inner": text(dice)}),
            4 => json!([text(dice), null, text(dice)]),
            5 => json!(42),
            6 => json!(42.0),
            _ => json!(text(dice)),
        };
        event.insert((*field).to_owned(), value);
    }
    if dice.roll(3) == 0 {
        event.insert("Odd".to_owned(), json!({"Name": one(TEXTS, dice)}));
    }
    if dice.roll(2) == 0 {
        event.insert(
            "kind".to_owned(),
            one(&["process_creation", "windows/security", "none"], dice).into(),
        );
    }
    event.into()
}

#[test]
fn rules_of_chance_say_the_same_of_events_of_chance() {
    let rounds = executions(60);
    let found: usize = (1..=rounds as u64)
        .into_par_iter()
        .map(|round| {
            let dice = &mut Dice(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let rules: Vec<String> = (0..30).map(|at| rule(at, dice)).collect();
            let text = rules.join("---\n");
            let read = Workspace::read(&Text::new("chance.yml", text.as_str()).into());
            let rules: Vec<Rule> = read.rules.into_iter().map(|loaded| loaded.rule).collect();
            let lines: Vec<String> = (0..60).map(|_| event(dice).to_string()).collect();
            let kind_field = Some("kind".to_owned());
            [Options::default(), Options { kind_field, ..Options::default() }]
                .iter()
                .map(|options| {
                    agree(&rules, options, &lines.join("\n"), &format!("round {round}:\n{text}"))
                })
                .sum::<usize>()
        })
        .sum();
    assert!(found > rounds * 100, "{found} of {rounds} rounds");
}
