//! Emitted Kibana queries read back as what they were, and judge as the referee says.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::pattern::{Pattern, Token};
use rulecast::project;
use rulecast::query::elasticsearch;
use rulecast::query::kuery::{self, Bound, Kuery, Literal, Values, parse};
use rulecast::verify::elastic::Rule;
use rulecast::workspace::Loaded;
use serde_json::{Value, json};

use crate::support::{LANGUAGES, corpus, in_language, root, sigmahq};
use crate::{documents, events, pairs, sigma};
use rulecast::verify::near::chance::Dice;

/// Every rule of a folder as the lines of Kibana's import, with those of the TOML files
pub(crate) fn emitted(folder: &Path, language: &str) -> Vec<(String, Value)> {
    of_rules(&project::load(&[folder.to_owned()]).expect("the rules can be read").rules, language)
}

/// The same of SigmaHQ's rules, emitted once for all tests
pub(crate) fn of_sigma(corpus: &Path, language: &str) -> &'static [(String, Value)] {
    static EMITTED: [OnceLock<Vec<(String, Value)>>; 3] = [const { OnceLock::new() }; 3];
    let at = LANGUAGES.iter().position(|known| *known == language).unwrap();
    EMITTED[at].get_or_init(|| of_rules(&sigmahq(corpus).rules, language))
}

fn of_rules(rules: &[Loaded], language: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for loaded in rules {
        let mut found = Diagnostics::default();
        let rule = in_language(loaded.rule.clone(), language);
        let artifacts = emit(Target::Elastic, &rule, &loaded.stem, &mut found);
        for artifact in artifacts.unwrap_or_default() {
            if artifact.name.ends_with(".toml") {
                let toml: toml::Table = artifact.text.parse().unwrap();
                let mut rule = serde_json::to_value(&toml["rule"]).unwrap();
                // The template ends the query with a line of its own.
                let query = rule["query"].as_str().unwrap().strip_suffix('\n').unwrap();
                rule["query"] = json!(query);
                all.push((artifact.name, rule));
            } else {
                for line in artifact.text.lines() {
                    all.push((artifact.name.clone(), serde_json::from_str(line).unwrap()));
                }
            }
        }
    }
    all
}

/// The rules of these files are read, print as they were, and can be judged
fn round_trips(rules: &[(String, Value)]) {
    for (name, rule) in rules.iter().filter(|(_, rule)| rule["language"] == "kuery") {
        let text = rule["query"].as_str().unwrap();
        let query = parse(text).unwrap_or_else(|why| panic!("{name}: {why}\n{text}"));
        assert_eq!(query.to_string(), text, "{name}");
        assert_eq!(query.clone().optimised(), query, "{name} is not in its optimised form");
        for filter in rule["filters"].as_array().into_iter().flatten() {
            let read = elasticsearch::filter(filter).unwrap().map(|filter| filter.to_json());
            assert_eq!(read.as_ref(), Some(filter), "{name}");
        }
        Rule::of(rule).unwrap_or_else(|why| panic!("{name}: {why}\n{text}"));
    }
}

#[test]
fn emitted_queries_are_read_back_as_they_were() {
    for (folder, least) in [("rules", 36), ("tests/operators", 300)] {
        let rules = emitted(&root().join(folder), "kuery");
        assert!(rules.len() >= least, "{folder} makes only {} queries", rules.len());
        round_trips(&rules);
    }
}

#[test]
fn emitted_queries_of_sigma_are_read_back_as_they_were() {
    let Some(corpus) = corpus("emitted_queries_of_sigma_are_read_back_as_they_were") else {
        return;
    };
    let rules = of_sigma(&corpus, "kuery");
    assert!(rules.len() > 1_500, "only {} queries", rules.len());
    round_trips(rules);
}

#[test]
fn types_are_those_that_rules_say_they_need() {
    for (name, rule) in emitted(&root().join("tests/operators"), "kuery") {
        for field in rule["required_fields"].as_array().unwrap() {
            let name = || format!("{name}: {field}");
            let says = field["type"].as_str().unwrap();
            let wildcard = json!({"query": format!("{}:1*", field["name"].as_str().unwrap())});
            let read = Rule::of(&wildcard);
            let stars = !matches!(says, "long" | "ip");
            assert_eq!(read.is_ok(), stars, "{}: {read:?}", name());
        }
    }
}

#[test]
fn types_are_those_of_elastics_packages() {
    let Some(corpus) = corpus("types_are_those_of_elastics_packages") else { return };
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(corpus.join("schemas").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (mut schema, more) = (read("elastic-fields.json"), read("elastic-fields-more.json"));
    // A name with a plus sign adds fields to the data set before it.
    for (name, added) in more["datasets"].as_object().unwrap() {
        if let (Some(name), Some(added)) = (name.strip_suffix('+'), added["fields"].as_object()) {
            let fields = schema["datasets"][name]["fields"].as_object_mut().unwrap();
            fields.extend(added.clone());
        }
    }
    let table = std::fs::read_to_string(root().join("src/verify/elastic/fields.tsv")).unwrap();
    // The data sets that stand for the words of the table; another word is a stream of Elastic Defend.
    let rest = [
        ("endgame", "endgame-*"),
        ("others", "windows.sysmon_operational"),
        ("others", "system.security"),
        ("others", "auditd_manager.auditd"),
        ("others", "iis.access"),
        ("others", "winlogbeat-*"),
        ("others", "filebeat-*"),
    ];
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let words = rows.filter_map(|row| row.rsplit('\t').next()).flat_map(|cell| cell.split(' '));
    let words: BTreeSet<&str> =
        words.filter(|word| !["all", "endgame", "others"].contains(word)).collect();
    let streams = words.into_iter().map(|word| (word, format!("endpoint.events.{word}")));
    let streams = streams.filter(|(_, data_set)| schema["datasets"][data_set].is_object());
    let rest = rest.map(|(word, data_set)| (word, data_set.to_owned()));
    let data_sets: Vec<(&str, String)> = streams.chain(rest).collect();
    let known = |word: &str| word == "all" || data_sets.iter().any(|(one, _)| *one == word);
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, kind, limit, words] = cells[..] else { panic!("{line}") };
        // The data sets of the other words are in another schema, by other names.
        if !words.split(' ').all(known) {
            continue;
        }
        for (word, data_set) in &data_sets {
            let data_set = &schema["datasets"][data_set];
            let inherited = &schema["ecs"]["fields"][name];
            let inherited = data_set["ecs_fields"].as_bool().unwrap().then_some(inherited);
            let theirs = data_set["fields"].get(name).or(inherited).and_then(Value::as_str);
            let ours = (words == "all" || words.split(' ').any(|one| one == *word)).then_some(kind);
            let theirs = theirs.map(|kind| match kind {
                "match_only_text" => "text",
                "constant_keyword" => "keyword",
                "keyword" if name.ends_with(".caseless") => "lowercase",
                kind => kind,
            });
            assert_eq!(ours, theirs, "{word}: {line}");
        }
        let most = &schema["_meta"]["ignore_above"]["exceptions"][name];
        let most = most.as_u64().unwrap_or(1_024).to_string();
        let keyword = matches!(kind, "keyword" | "lowercase");
        assert_eq!(limit, if keyword { most.as_str() } else { "-" }, "{line}");
    }
}

#[test]
fn an_expression_is_read_back_as_the_same() {
    let mut dice = Dice(0x6b75_6572_795f_3031);
    for _ in 0..20_000 {
        let query = pairs::kuery(&mut dice, 3).optimised();
        let text = query.to_string();
        assert_eq!(parse(&text).as_ref(), Ok(&query), "{text}");
    }
}

/// A rule that Elastic has published or that was written by hand, when the text is one
fn queries_of(path: &Path) -> Option<String> {
    let text = || std::fs::read_to_string(path).ok();
    let rule = match path.extension()?.to_str()? {
        "toml" => serde_json::to_value(text()?.parse::<toml::Table>().ok()?).ok()?["rule"].clone(),
        "json" if path.to_str()?.contains("elastic") => serde_json::from_str(&text()?).ok()?,
        _ => return None,
    };
    (rule["language"] == "kuery").then(|| rule["query"].as_str().map(ToOwned::to_owned))?
}

#[test]
fn rules_of_others_are_read() {
    let Some(corpus) = corpus("rules_of_others_are_read") else { return };
    let mut read = 0;
    for entry in walkdir::WalkDir::new(corpus).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let Some(text) = queries_of(&path) else { continue };
        let query = parse(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(parse(&query.to_string()).as_ref(), Ok(&query), "{}", path.display());
        read += 1;
    }
    assert!(read > 0, "the corpus has a rule by hand at least");
}

/// Only the lines of Kibana's import
pub(crate) fn lines_of(mut rules: Vec<(String, Value)>) -> Vec<(String, Value)> {
    rules.retain(|(name, _)| name.ends_with(".ndjson"));
    rules
}

/// What the referees answer (tests/kuery_referee.py)
pub(crate) fn referee(corpus: &Path, asked: &[Value]) -> Vec<Value> {
    let script = root().join("tests/kuery_referee.py");
    let mut python = Command::new("python3");
    let python = python.arg("-B").arg(script).arg(corpus);
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = asked.iter().map(|line| format!("{line}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let answers: Vec<Value> =
        answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(answers.len(), asked.len());
    answers
}

/// The syntax tree in the referee's words
fn tree(query: &Kuery) -> Value {
    let name = |pattern: &Pattern| literal(&Literal::Plain(pattern.clone()));
    match query {
        Kuery::And(parts) => json!(["and", parts.iter().map(tree).collect::<Vec<_>>()]),
        Kuery::Or(parts) => json!(["or", parts.iter().map(tree).collect::<Vec<_>>()]),
        Kuery::Not(part) => json!(["not", tree(part)]),
        Kuery::Field(field, values) => list(&name(field), values),
        Kuery::Range(field, bound, limit) => {
            let bound = match bound {
                Bound::Below => "lt",
                Bound::AtMost => "lte",
                Bound::Above => "gt",
                Bound::AtLeast => "gte",
            };
            json!(["range", name(field), bound, literal(limit)])
        }
        Kuery::Nested(field, inner) => json!(["nested", name(field), tree(inner)]),
        Kuery::Anywhere(value) => json!(["anywhere", literal(value)]),
    }
}

fn list(field: &Value, values: &Values) -> Value {
    let many = |parts: &[Values]| -> Vec<Value> { parts.iter().map(|v| list(field, v)).collect() };
    match values {
        Values::One(value) => json!(["is", field, literal(value)]),
        Values::Any(parts) => json!(["or", many(parts)]),
        Values::All(parts) => json!(["and", many(parts)]),
        Values::Not(part) => json!(["not", list(field, part)]),
    }
}

fn literal(value: &Literal) -> Value {
    match value {
        Literal::Quoted(text) => json!(["quoted", text]),
        Literal::Plain(pattern) => match pattern.as_literal() {
            Some(text) => json!(["plain", text]),
            None => {
                let text = pattern.tokens().iter().map(|token| match token {
                    Token::Literal(text) => text,
                    Token::Any | Token::One => "\u{e000}",
                });
                json!(["wild", text.collect::<String>()])
            }
        },
    }
}

#[test]
fn the_referee_reads_every_text_the_same_way() {
    let Some(corpus) = corpus("the_referee_reads_every_text_the_same_way") else { return };
    let mut dice = Dice(0x6b75_6572_795f_3032);
    let texts: Vec<String> = (0..50_000).map(|_| pairs::text(&mut dice)).collect();
    let asked: Vec<Value> = texts.iter().map(|text| json!({"parse": text})).collect();
    let mut accepted = 0;
    for (text, theirs) in texts.iter().zip(referee(&corpus, &asked)) {
        let ours = parse(text);
        let ours_as_tree = ours.as_ref().map_or(Value::Null, tree);
        assert_eq!(ours_as_tree, theirs, "{text:?}: {ours:?}");
        accepted += usize::from(ours.is_ok());
    }
    assert!((10_000..40_000).contains(&accepted), "{accepted} of the texts are queries");
}

/// Compares verdicts; pairs compared, pairs that match, searches refused
fn compare(corpus: &Path, cases: &[(Value, Vec<Value>)]) -> (usize, usize, usize) {
    // The referee knows no regular expressions, which are held against Rust's beside their reader, takes
    // any text for a truth, and knows of fields outside ECS neither their own analysers nor names that come with the events.
    let is_known = |rule: &Value| {
        let fields = rule["required_fields"].as_array().into_iter().flatten();
        fields.into_iter().all(|field| field["ecs"] == true)
            && !rule["filters"].to_string().contains("\"regexp\":")
            && !rule["required_fields"].to_string().contains("\"boolean\"")
    };
    let cases: Vec<_> = cases.iter().filter(|(rule, _)| is_known(rule)).collect();
    let asked: Vec<Value> =
        cases.iter().map(|(rule, events)| json!({"rule": rule, "events": events})).collect();
    let (mut pairs, mut matching, mut refused) = (0, 0, 0);
    for ((rule, events), theirs) in cases.into_iter().zip(referee(corpus, &asked)) {
        let theirs = theirs.as_str().unwrap();
        let ours = match Rule::of(rule) {
            Ok(rule) => rule,
            Err(why) => {
                assert_eq!(theirs, "e", "{why}: {rule}");
                refused += 1;
                continue;
            }
        };
        assert_eq!(theirs.len(), events.len(), "{rule}");
        for (event, theirs) in events.iter().zip(theirs.chars()) {
            let says = ours.matches(event);
            assert_eq!(says, theirs == '1', "{event}\n{rule}");
            pairs += 1;
            matching += usize::from(says);
        }
    }
    (pairs, matching, refused)
}

#[test]
fn the_referee_gives_every_random_rule_the_same_verdicts() {
    let Some(corpus) = corpus("the_referee_gives_every_random_rule_the_same_verdicts") else {
        return;
    };
    let mut dice = Dice(0x6b75_6572_795f_3033);
    let cases: Vec<(Value, Vec<Value>)> =
        (0..5_600).map(|_| pairs::rule_and_events(&mut dice, 20)).collect();
    let (pairs, matching, refused) = compare(&corpus, &cases);
    assert!(
        pairs >= 100_000 && matching > pairs / 10 && refused > 50,
        "{pairs} {matching} {refused}"
    );
}

/// A rule with documents near its values
fn near(rule: Value, documents: usize, dice: &mut Dice) -> (Value, Vec<Value>) {
    let query = kuery::parse(rule["query"].as_str().unwrap()).unwrap();
    let near = documents::near_rule(&query, &rule["filters"]);
    let events = (0..documents).map(|_| documents::document(&near, dice)).collect();
    (rule, events)
}

/// The documents of recorded events, by the events' ids, in the indices of their data sets
pub(crate) fn recorded(corpus: &Path) -> BTreeMap<String, Value> {
    let documents = events::in_order(corpus).into_iter().map(|mut event| {
        let mut document = event["ecs"].take();
        let data_set = document["event"]["dataset"].clone();
        // Sysmon for Linux has no data set in the schema; such events may be in any index.
        if data_set != "sysmon_linux.log" {
            document["data_stream"] = json!({"dataset": data_set});
        }
        (event["id"].as_str().unwrap().to_owned(), document)
    });
    documents.collect()
}

#[test]
fn the_referee_gives_every_emitted_rule_the_same_verdicts() {
    let Some(corpus) = corpus("the_referee_gives_every_emitted_rule_the_same_verdicts") else {
        return;
    };
    let mut dice = Dice(0x6b75_6572_795f_3034);
    let recorded = recorded(&corpus);
    let some: Vec<&Value> = recorded.values().step_by(recorded.len() / 40).collect();
    let rules =
        ["rules", "tests/operators"].map(|folder| lines_of(emitted(&root().join(folder), "kuery")));
    let cases: Vec<(Value, Vec<Value>)> = rules
        .into_iter()
        .flatten()
        .filter(|(_, rule)| rule["language"] == "kuery")
        .map(|(_, rule)| {
            let (rule, mut events) = near(rule, 120, &mut dice);
            events.extend(some.iter().map(|document| (*document).clone()));
            (rule, events)
        })
        .collect();
    let (pairs, matching, refused) = compare(&corpus, &cases);
    assert!(
        pairs > 10_000 && matching > pairs / 50 && refused == 0,
        "{pairs} {matching} {refused}"
    );
}

#[test]
fn the_referee_gives_every_emitted_rule_of_sigma_the_same_verdicts() {
    let Some(corpus) = corpus("the_referee_gives_every_emitted_rule_of_sigma_the_same_verdicts")
    else {
        return;
    };
    let mut dice = Dice(0x6b75_6572_795f_3035);
    let recorded = recorded(&corpus);
    // By the stem of a rule's file: the recorded events that pySigma says it matches.
    let matched: BTreeMap<String, Vec<String>> = sigma::reference(&corpus)
        .into_iter()
        .map(|(path, events)| {
            let stem = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
            (stem, events.into_iter().collect())
        })
        .collect();
    let cases: Vec<(Value, Vec<Value>)> = lines_of(of_sigma(&corpus, "kuery").to_vec())
        .into_iter()
        .map(|(name, rule)| {
            let (rule, mut events) = near(rule, 20, &mut dice);
            let ids = matched.get(name.trim_end_matches(".ndjson")).into_iter().flatten();
            events.extend(ids.filter_map(|id| recorded.get(id)).take(40).cloned());
            (rule, events)
        })
        .collect();
    let (pairs, matching, refused) = compare(&corpus, &cases);
    assert!(
        cases.len() > 800 && matching > pairs / 50 && refused == 0,
        "{} {pairs} {matching} {refused}",
        cases.len()
    );
}
