//! Exclusions as exceptions of Kibana: which ones, and that the rule as a whole stays the same.

use rayon::prelude::*;
use rulecast::backend::{Target, Translation, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::project;
use rulecast::verify::near::chance::Dice;
use rulecast::verify::{Example, Import, Tally, Trial, compare_forms};
use serde_json::{Value, json};

use crate::kuery::referee;
use crate::support::{LANGUAGES, corpus, definition, in_language, root, rule, with_setting};
use crate::trials::{import, near};

/// A definition with these exclusions, which asks for exceptions
fn text(event: &str, exclusions: &[&str]) -> String {
    let items: Vec<String> = exclusions.iter().map(|one| format!("  - {one}\n")).collect();
    let test = if event == "n" { "Image|endswith: .exe" } else { "children: [cmd.exe]" };
    let tests = format!("{test}\nexclusions:\n{}", items.concat());
    format!("{}targets:\n  elastic: {{exceptions: true}}\n", definition(event, &tests))
}

fn made(text: &str, language: &str) -> Translation {
    let mut found = Diagnostics::default();
    let rule = in_language(rule(text), language);
    let made = translate(Target::Elastic, &rule, "rule", &mut found).unwrap();
    assert_eq!(compare_forms(&made.artifacts), [], "{text}");
    made
}

/// The rule of the import file, and the entries of each exception
fn imported(made: &Translation) -> (Value, Vec<Value>) {
    let mut all: Vec<Value> =
        import(made).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rule = all.remove(0);
    let items = all.iter().filter_map(|line| line.get("entries").cloned());
    (rule, items.collect())
}

fn entry(field: &str, kind: &str, operator: &str, value: Value) -> Value {
    let mut entry = json!({"field": field, "operator": operator, "type": kind});
    if !value.is_null() {
        entry["value"] = value;
    }
    entry
}

#[test]
fn what_an_item_says_exactly_is_an_item() {
    let is = |field: &str, kind: &str, value: Value| entry(field, kind, "included", value);
    for (event, exclusion, wanted) in [
        (
            "p",
            "CommandLine|cased: cmd /c Ver",
            json!([[is("process.command_line", "match", json!("cmd /c Ver"))]]),
        ),
        (
            "p",
            "CommandLine|cased: [a B, C d]",
            json!([[is("process.command_line", "match_any", json!(["C d", "a B"]))]]),
        ),
        (
            "p",
            "{CommandLine|cased|contains: ' -x ', User|cased: 'A\\b'}",
            json!([[
                is("process.command_line", "wildcard", json!("* -x *")),
                is("user.domain", "match", json!("A")),
                is("user.name", "match", json!("b")),
            ]]),
        ),
        (
            "p",
            "CommandLine|cased|endswith: [' -a', ' -b']",
            json!([
                [is("process.command_line", "wildcard", json!("* -a"))],
                [is("process.command_line", "wildcard", json!("* -b"))],
            ]),
        ),
        (
            "p",
            "CommandLine|exists: false",
            json!([[entry("process.command_line", "exists", "excluded", Value::Null)]]),
        ),
        ("n", "DestinationPort: 8080", json!([[is("destination.port", "match", json!("8080"))]])),
        (
            "n",
            "DestinationIp|cidr: [10.0.0.0/8, 192.168.0.0/16]",
            json!([[is("destination.ip", "match_any", json!(["10.0.0.0/8", "192.168.0.0/16"]))]]),
        ),
    ] {
        let (rule, items) = imported(&made(&text(event, &[exclusion]), "auto"));
        assert_eq!(json!(items), wanted, "{exclusion}");
        let query = rule["query"].as_str().unwrap();
        assert!(event == "n" || !query.contains("not"), "{exclusion}: {query}");
        assert_eq!(rule["exceptions_list"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_an_item_would_say_otherwise_stays_in_the_query() {
    for (event, exclusion) in [
        ("p", "CommandLine: cmd /c ver"),
        ("p", "CommandLine|cased|re: a+b"),
        ("p", "{CommandLine|cased: a, User: b}"),
        ("p", "Image|cased|contains: '\\Program Files\\'"),
        ("n", "DestinationPort|gt: 1024"),
        ("p", "CommandLine|cased: ''"),
    ] {
        let made = made(&text(event, &[exclusion]), "auto");
        let (rule, items) = imported(&made);
        assert_eq!(items, [] as [Value; 0], "{exclusion}");
        assert_eq!(rule.get("exceptions_list"), None, "{exclusion}");
        assert_eq!(import(&made).lines().count(), 1, "{exclusion}");
    }
    let asked = text("p", &["CommandLine|cased: a"]);
    let usual = made(&asked.replace("true", "false"), "auto");
    let unasked = made(&asked.replace("exceptions: true", ""), "auto");
    assert_eq!(import(&usual), import(&unasked), "only where asked");
}

const ALL: &[&str] = &[
    "CommandLine|cased: cmd /c Ver",
    "{note: builds, CommandLine|cased|contains: ' -x ', ParentImage: make.exe}",
    "{note: \"a \\\"service\\\"\", CommandLine|cased|startswith: Run, User|cased: [A, B]}",
    "CommandLine|exists: false",
    "{Image|cased: ['C:\\cmd.exe', /bin/cmd.exe], CommandLine|cased|contains|all: [Aa, Bb]}",
    "Image: C:\\Tools\\a.exe",
];

/// What the judge says of the import file on at most so many events near the literals of the rule
fn judged(made: &Translation, file: &str, most: usize) -> Result<Tally, String> {
    let imports = [Some(Import::read(&made.rule, &made.manifest, file)?)];
    let events = near(&made.rule, &mut Dice(7), 200);
    let each = events.len().div_ceil(most);
    let events: Vec<Example> = events.into_iter().step_by(each).collect();
    let mut trial = Trial::new(std::slice::from_ref(&made.rule), &imports);
    trial.observe(&events);
    Ok(trial.finish().remove(0))
}

#[test]
fn with_its_exceptions_the_rule_says_what_the_engine_says_and_a_changed_one_is_noticed() {
    for language in LANGUAGES {
        let made = made(&text("p", ALL), language);
        let file = import(&made);
        let tally = judged(&made, file, usize::MAX).unwrap();
        assert_eq!(tally.differences, [], "{language}");
        assert!(tally.matched > 10, "{language}: {} matched", tally.matched);
        for (from, to) in [
            ("\"value\":\"cmd /c Ver\"", "\"value\":\"cmd /c ver\""),
            ("\"value\":\"Run*\"", "\"value\":\"Run?\""),
            ("\"type\":\"exists\"", "\"type\":\"match\",\"value\":\"x\""),
            ("\"operator\":\"excluded\"", "\"operator\":\"included\""),
        ] {
            assert!(file.contains(from), "{from}: {file}");
            let tally = judged(&made, &file.replacen(from, to, 1), usize::MAX).unwrap();
            assert_ne!(tally.differences, [], "{language}: {from} is {to}");
        }
        for (at, line) in file.lines().enumerate().filter(|(_, line)| line.contains("list_id")) {
            let kept = file.lines().enumerate().filter(|(other, _)| *other != at);
            let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
            let left = judged(&made, &kept.join("\n"), usize::MAX);
            assert!(
                left.is_err() || left.is_ok_and(|tally| !tally.differences.is_empty()),
                "{line}"
            );
        }
    }
}

#[test]
fn every_rule_with_exceptions_says_what_the_engine_says() {
    let folders = ["rules", "tests/operators"].map(|folder| root().join(folder));
    let mut loaded = project::load(&folders).unwrap().rules;
    // Kibana would apply an exception to every event of a correlation.
    loaded.retain(|loaded| loaded.rule.correlations.is_empty());
    let items: usize = loaded
        .par_iter()
        .map(|loaded| {
            let mut found = Diagnostics::default();
            let rule = with_setting(loaded.rule.clone(), ("exceptions", "true"));
            let Some(made) = translate(Target::Elastic, &rule, "rule", &mut found) else {
                return 0;
            };
            if made.artifacts.is_empty() {
                return 0;
            }
            assert_eq!(compare_forms(&made.artifacts), [], "{}", loaded.stem);
            let tally = judged(&made, import(&made), 120).unwrap();
            assert_eq!(tally.differences, [], "{}", loaded.stem);
            import(&made).lines().filter(|line| line.contains("\"item_id\"")).count()
        })
        .sum();
    assert!(items > 5, "only {items} exceptions");
}

#[test]
fn items_keep_their_ids_and_kibana_takes_the_rule() {
    let ids = |exclusions: &[&str]| -> Vec<Value> {
        let made = made(&text("p", exclusions), "auto");
        let lines = import(&made).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter_map(|line| line.get("item_id").cloned()).collect()
    };
    let (one, two) = ("CommandLine|cased: a", "CommandLine|cased: b");
    assert_eq!(ids(&[one, two]), [ids(&[one]), ids(&[two])].concat());
    assert_eq!(ids(&[one, one]).len(), 1);
    let Some(corpus) = corpus("items_keep_their_ids_and_kibana_takes_the_rule") else { return };
    let (rule, _) = imported(&made(&text("p", ALL), "auto"));
    assert_eq!(referee(&corpus, &[json!({"import": rule})])[0], json!([[], []]));
}
