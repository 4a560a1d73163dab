//! Emitted Kusto holds together, and what is wrong with a query is found at its word, as
//! Microsoft's own binder finds it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::project;
use rulecast::query::kusto::{Column, Platform, bind, format};
use rulecast::workspace::Loaded;
use serde_json::{Map, Value, json};

use crate::support::{corpus, root, sigmahq};
use rulecast::verify::near::chance::Dice;

const TARGETS: [(Target, Platform); 3] = [
    (Target::Sentinel, Platform::Sentinel),
    (Target::Asim, Platform::Sentinel),
    (Target::Xdr, Platform::AdvancedHunting),
];

/// An emitted query, its file and where it runs
#[derive(Clone)]
struct Query {
    name: String,
    platform: Platform,
    text: String,
}

/// The queries of every rule of a folder, for every target that speaks Kusto
fn emitted(folder: &Path) -> Vec<Query> {
    of_rules(&project::load(&[folder.to_owned()]).expect("the rules can be read").rules)
}

/// The queries of SigmaHQ's rules, emitted once for all tests
fn of_sigma(corpus: &Path) -> &'static [Query] {
    static EMITTED: OnceLock<Vec<Query>> = OnceLock::new();
    EMITTED.get_or_init(|| of_rules(&sigmahq(corpus).rules))
}

fn of_rules(rules: &[Loaded]) -> Vec<Query> {
    let mut all = Vec::new();
    for loaded in rules {
        for (target, platform) in TARGETS {
            let mut found = Diagnostics::default();
            let artifacts = emit(target, &loaded.rule, &loaded.stem, &mut found);
            let artifacts = artifacts.unwrap_or_default().into_iter();
            all.extend(artifacts.filter(|artifact| artifact.name.ends_with(".kql")).map(
                |artifact| Query {
                    name: format!("{target:?} {}", artifact.name),
                    platform,
                    text: artifact.text,
                },
            ));
        }
    }
    all
}

fn of_project() -> Vec<Query> {
    ["rules", "tests/operators"].iter().flat_map(|folder| emitted(&root().join(folder))).collect()
}

/// The columns of queries, which hold together
fn bound(queries: &[Query]) -> Vec<Vec<Column>> {
    let bound = queries.iter().map(|Query { name, platform, text }| {
        bind(text, *platform).unwrap_or_else(|found| {
            let said: Vec<String> =
                found.iter().map(|one| format!("{:?} {one}", one.line_column(text))).collect();
            panic!("{name}: {}\n{text}", said.join("\n"))
        })
    });
    bound.collect()
}

#[test]
fn emitted_queries_hold_together() {
    let queries = of_project();
    assert!(queries.len() >= 80, "only {} queries", queries.len());
    for (query, columns) in queries.iter().zip(bound(&queries)) {
        let time = match query.platform {
            Platform::Sentinel => "TimeGenerated",
            Platform::AdvancedHunting => "Timestamp",
        };
        let has = |name| columns.iter().any(|column| column.name == name);
        assert!(has(time) && has("Signal"), "{}: {columns:?}", query.name);
    }
}

#[test]
fn emitted_queries_of_sigma_hold_together() {
    let Some(corpus) = corpus("emitted_queries_of_sigma_hold_together") else { return };
    let queries = of_sigma(&corpus);
    assert!(queries.len() > 3_000, "only {} queries", queries.len());
    bound(queries);
}

/// Every query is laid out as the printer would lay out what it reads of it
fn stays_as_it_is(queries: &[Query]) {
    for Query { name, text, .. } in queries {
        let printed = format(text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let differs = text.lines().zip(printed.lines()).find(|(was, is)| was != is);
        assert_eq!(&printed, text, "{name}: {differs:?}");
    }
}

#[test]
fn emitted_queries_are_printed_as_they_are_read() {
    stays_as_it_is(&of_project());
}

#[test]
fn emitted_queries_of_sigma_are_printed_as_they_are_read() {
    let test = "emitted_queries_of_sigma_are_printed_as_they_are_read";
    let Some(corpus) = corpus(test) else { return };
    stays_as_it_is(of_sigma(&corpus));
}

#[test]
fn a_wrong_word_is_found_where_it_stands() {
    let query = "let shells = dynamic([\"cmd.exe\"]);\n\
                 let spawn = DeviceProcessEvents\n\
                 | where FileName in~ (shells) and ProcessId > 4\n\
                 | extend Host = tolower(DeviceName);\n\
                 spawn\n\
                 | join kind=inner (spawn | project Host, Other = FileName) on Host\n\
                 | project TimeGenerated, Host, Other";
    assert!(bind(query, Platform::Sentinel).is_ok());
    for (word, wrong, finding) in [
        ("FileName in~", "Filename in~", "3:9 there is no column `Filename` here"),
        ("tolower", "tolowwer", "4:17 the function `tolowwer` is not known here"),
        ("ProcessId > 4", "ProcessId == \"4\"", "3:45 `==` is not defined for long and string"),
        ("project Host, O", "project O", "6:57 the right side has no column `Host`"),
        ("(shells)", "(shell)", "3:23 there is no column `shell` here"),
        ("Other\u{0}", "Others", "7:32 there is no column `Others` here"),
    ] {
        let text = format!("{query}\u{0}").replacen(word, wrong, 1).replace('\u{0}', "");
        let found = bind(&text, Platform::Sentinel).expect_err(wrong);
        let (line, column) = found[0].line_column(&text);
        assert_eq!(format!("{line}:{column} {}", found[0]), finding);
        assert_eq!(found.len(), 1, "{found:?}");
    }
    let found = bind(query, Platform::AdvancedHunting).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "there is no column `TimeGenerated` here");
}

/// The words, texts and signs of a query, in their order
fn tokens(text: &str) -> Vec<&str> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x) (?: //[^\n]* | \s )+ | @"(?:[^"]|"")*" | "(?:\\.|[^"\\])*"
               | project-\w+ | mv-\w+ | !?\w+~? | [=!<>~]+ | . "#,
        )
        .unwrap()
    });
    TOKEN.find_iter(text).map(|found| found.as_str()).collect()
}

/// A query with one token dropped, doubled, misspelt or put in another's place
fn damaged(text: &str, dice: &mut Dice) -> String {
    let mut tokens = tokens(text);
    let solid: Vec<usize> = (0..tokens.len()).filter(|at| !tokens[*at].trim().is_empty()).collect();
    let [at, other] = [(); 2].map(|()| solid[dice.roll(solid.len())]);
    let misspelt = format!("{}x", tokens[at]);
    match dice.roll(6) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at]),
        2 => tokens[at] = &misspelt,
        3 => tokens[at] = "1",
        4 => tokens[at] = "\"a\"",
        _ => tokens[at] = tokens[other],
    }
    tokens.concat()
}

#[test]
fn damaged_queries_are_judged_without_a_panic() {
    let mut dice = Dice(0x6b75_7374_6f5f_3031);
    for query in of_project() {
        for _ in 0..40 {
            let mut text = damaged(&query.text, &mut dice);
            if dice.roll(3) == 0 {
                let cut = (0..=text.len()).rev().skip(dice.roll(text.len()));
                text.truncate(cut.into_iter().find(|at| text.is_char_boundary(*at)).unwrap());
            }
            for found in bind(&text, query.platform).err().into_iter().flatten() {
                assert!(text.get(found.place.clone()).is_some(), "{found:?}\n{text}");
                assert!(!found.message.contains('\n'), "{found:?}");
            }
        }
    }
}

/// The table of columns: table, column, type, platform
fn facts() -> Vec<[String; 4]> {
    rows("src/query/kusto/columns.tsv")
}

/// The table of parameters: parser, parameter, column
fn parameters() -> Vec<[String; 3]> {
    rows("src/query/kusto/parameters.tsv")
}

/// The cells of a table of facts
fn rows<const CELLS: usize>(file: &str) -> Vec<[String; CELLS]> {
    let table = fs::read_to_string(root().join(file)).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let cells = lines.map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    cells.map(|cells| cells.try_into().unwrap()).collect()
}

/// Tables and parsers of a platform with their columns, in the form of Microsoft's binder
fn schema(platform: &str) -> Value {
    let (mut tables, mut functions) = (Map::new(), Map::new());
    for [table, column, kind, on] in facts() {
        if on == "both" || on == platform {
            let part = if table.starts_with("_Im_") { &mut functions } else { &mut tables };
            part.entry(table).or_insert(json!({}))[column] = json!(kind);
        }
    }
    json!({"tables": tables, "functions": functions})
}

#[test]
fn columns_are_those_of_microsofts_reference() {
    let Some(corpus) = corpus("columns_are_those_of_microsofts_reference") else { return };
    let read = |name: &str| -> Value {
        let file = corpus.join("schemas").join(name);
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let described = read("kusto-functions.json");
    let more = read("kusto-tables-more.json");
    for (platform, file) in [("sentinel", "kusto-tables.json"), ("xdr", "kusto-tables-xdr.json")] {
        let (ours, mut theirs) = (schema(platform), read(file));
        if platform == "sentinel" {
            theirs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        for (table, columns) in ours["tables"].as_object().unwrap() {
            assert_eq!(columns, &theirs[table], "{platform} {table}");
        }
        for parser in parameters().chunk_by(|one, next| one[0] == next[0]) {
            let [name, ..] = &parser[0];
            let declared = described["functions"][name]["params"].as_str().unwrap();
            for [_, parameter, column] in parser {
                let wanted = format!(" {parameter}:dynamic=dynamic([])");
                assert!(declared.contains(&wanted), "{name} {parameter}");
                assert!(ours["functions"][name][column] == "string" || platform == "xdr");
            }
        }
        for (parser, columns) in ours["functions"].as_object().unwrap() {
            // The reference has no columns of some parsers.
            let Some(result) = described["functions"][parser]["returns"].as_str() else { continue };
            assert_eq!(columns, &described["results"][result]["columns"], "{parser}");
        }
    }
}

/// Where the proof has installed Microsoft's binder
fn binder(test: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().unwrap();
    let modules = this.ancestors().nth(3)?.join("conformance/node_modules");
    if modules.join("@kusto").is_dir() {
        return Some(modules);
    }
    // Straight to the terminal: the test harness would swallow `println!`.
    let _ = writeln!(std::io::stderr(), "left out: {test} (tests/conformance/run installs it)");
    None
}

/// What Microsoft's binder says: diagnostics, and columns with their types
fn theirs(modules: &Path, queries: &[Query]) -> Vec<Value> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let schemas = json!({"sentinel": schema("sentinel"), "xdr": schema("xdr")});
    write!(file, "{schemas}").unwrap();
    let mut node = Command::new("node");
    node.arg(root().join("tests/conformance/bind.cjs")).arg(modules).arg(file.path());
    let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let asked: String = queries.iter().map(|query| format!("{}\n", asked(query))).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), queries.len());
    answers
}

fn asked(query: &Query) -> Value {
    let platform = match query.platform {
        Platform::Sentinel => "sentinel",
        Platform::AdvancedHunting => "xdr",
    };
    json!({"id": query.name, "platform": platform, "query": query.text})
}

#[test]
fn results_are_those_of_microsofts_binder() {
    let Some(modules) = binder("results_are_those_of_microsofts_binder") else { return };
    let mut queries = of_project();
    if let Some(corpus) = corpus("results_are_those_of_microsofts_binder, for Sigma") {
        // The proof in `tests/conformance` asks whether the binder takes the others.
        queries.extend(of_sigma(&corpus).iter().step_by(16).cloned());
    }
    let ours = bound(&queries);
    for ((query, ours), theirs) in queries.iter().zip(ours).zip(theirs(&modules, &queries)) {
        assert_eq!(theirs["diagnostics"], json!([]), "{}", query.name);
        let theirs: Vec<(&str, &str)> = theirs["columns"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, kind)| (name.as_str(), kind.as_str().unwrap()))
            .collect();
        let ours: Vec<(&str, &str)> =
            ours.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
        assert_eq!(ours, theirs, "{}", query.name);
    }
}

#[test]
fn what_microsofts_binder_refuses_is_refused() {
    let Some(modules) = binder("what_microsofts_binder_refuses_is_refused") else { return };
    let mut dice = Dice(0x6b75_7374_6f5f_3032);
    let mut mutants = Vec::new();
    for query in of_project() {
        for _ in 0..2 {
            let text = damaged(&query.text, &mut dice);
            mutants.push(Query { text, name: query.name.clone(), ..query });
        }
    }
    let (mut refused, mut missed) = (0, Vec::new());
    for (query, theirs) in mutants.iter().zip(theirs(&modules, &mutants)) {
        if theirs["diagnostics"] == json!([]) {
            continue;
        }
        refused += 1;
        if bind(&query.text, query.platform).is_ok() {
            missed.push(format!("{}\n{}", theirs["diagnostics"], query.text));
        }
    }
    assert!(refused > 200, "only {refused} of {} are wrong", mutants.len());
    // The binder knows which dynamic values are lists, and takes no text as an index of one.
    let known = |said: &String| said.contains("must have one of the types: int or long");
    missed.retain(|said| !known(said));
    assert!(missed.is_empty(), "{} of {refused}: {}", missed.len(), missed[0]);
}
