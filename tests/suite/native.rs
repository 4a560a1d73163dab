//! Generated Rust compiles by itself, whatever the values are, and means what the engine says.

use std::fs;
use std::process::Command;

use rayon::prelude::*;
use rulecast::backend::operators::{ROWS, Support};
use rulecast::backend::{Target, emit, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::Signal;
use rulecast::matcher::{Engine, Memory};
use rulecast::project;
use rulecast::taxonomy::EventKind;
use rulecast::verify::near::chance::{self, Dice};
use rulecast::verify::{Example, JudgedNative, Place, Verdict, own_examples};
use rulecast::workspace::{Kept, Loaded};
use serde_json::{Value, json};

use crate::support::{corpus, definition, lines, root, rule, sigmahq};

/// Compiles a file with nothing but std
fn compile(name: &str, text: &str) {
    let folder = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("matcher.rs");
    fs::write(&file, text).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags =
        ["--edition=2024", "--crate-type=lib", "--emit=metadata", "-Dwarnings", "-Funsafe-code"];
    let output = Command::new(rustc).args(flags).arg("--out-dir").arg(&folder).arg(&file).output();
    let output = output.expect("rustc runs");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(&folder).unwrap();
}

fn source(text: &str) -> String {
    let mut found = Diagnostics::default();
    let artifacts = emit(Target::Native, &rule(text), "rule", &mut found);
    let artifacts = artifacts.unwrap_or_else(|| panic!("{:?}", lines(found)));
    artifacts[0].text.clone()
}

#[test]
fn hostile_words_compile_and_add_nothing() {
    let hostile = "\"\\\"\\n} fn evil() { panic!() } /* \\u202e \\u2028 {{rs}} \\x07 */ r#\\\"\"";
    let text =
        definition("p", &format!("CommandLine: {hostile}\nImage|contains: [{hostile}, '\\']"));
    let text = text.replace("One test", hostile);
    let text = format!("{text}    exclusions:\n      - note: {hostile}\n        User: {hostile}\n");
    let source = source(&text);
    let count = |text: &str| {
        let items = syn::parse_file(text).unwrap().items;
        items.iter().filter(|item| matches!(item, syn::Item::Fn(_))).count()
    };
    let plain = self::source(&definition("p", "CommandLine: a*b\nImage|contains: [a*b, c]"));
    assert_eq!(count(&source), count(&plain));
    compile("hostile", &source);
}

#[test]
fn every_operator_compiles() {
    let rows = ROWS.iter().filter(|row| row.support[3] != Support::Refused);
    for (event, tests) in rows.fold(std::collections::BTreeMap::new(), |mut all, row| {
        let tests: &mut Vec<&str> = all.entry(row.event).or_default();
        tests.push(row.example);
        all
    }) {
        // One exclusion a test: a key may stand only once in a map.
        let exclusions: Vec<String> = tests.iter().map(|test| format!("      - {test}")).collect();
        let text = definition(event, "Computer: a");
        compile(event, &source(&format!("{text}    exclusions:\n{}\n", exclusions.join("\n"))));
    }
}

#[test]
fn a_file_has_the_functions_that_it_calls_and_no_others() {
    let rows = ROWS.iter().filter(|row| row.support[3] != Support::Refused);
    for row in rows {
        let text = source(&definition(row.event, row.example));
        let names = text.lines().filter_map(|line| line.strip_prefix("fn ")?.split('(').next());
        for name in names {
            let calls = text.matches(&format!("{name}(")).count();
            assert!(calls > 1, "{}: `{name}` is never called\n{text}", row.example);
        }
    }
}

#[test]
fn every_operator_by_itself_agrees_with_the_engine() {
    let rows = ROWS.iter().filter(|row| row.support[3] != Support::Refused);
    let folder = tempfile::tempdir().unwrap();
    for (at, row) in rows.enumerate() {
        let text = definition(row.event, row.example);
        // Of rules with one id, one is loaded.
        let text = text.replace("4c01", &format!("{at:04x}"));
        fs::write(folder.path().join(format!("{at}.yml")), text).unwrap();
    }
    let loaded = project::load(&[folder.path().to_owned()]).unwrap();
    let verify = (&*loaded.rules, &loaded.policy);
    let verified =
        project::verify(verify, &[Target::Native], None, &mut || Ok(Vec::new())).unwrap();
    assert!(verified.len() > 50, "only {}", verified.len());
    for one in verified {
        let source = one.loaded.rule.source.text();
        assert_eq!(one.verdict.word(), "same", "{source}\n{:?}", one.verdict);
    }
}

#[test]
fn signals_named_like_keywords_compile() {
    let text = definition("p", "CommandLine: a");
    for name in ["match", "type", "fold", "union", "self_", "event"] {
        compile(name, &source(&text.replace("  only:", &format!("  {name}:"))));
    }
}

#[test]
fn lists_named_like_items_of_the_template_compile() {
    let lists = "lists:\n  signals: [a.exe]\n  correlations: [b.exe]\n  non_public: [c.exe]\n";
    let tests = "Image: $signals\nParentImage: $correlations\nUser: $non_public\nDestinationIp: x";
    let text = definition("p", &tests.replace("\nDestinationIp: x", ""));
    compile("lists", &source(&format!("{lists}{text}")));
}

#[test]
fn a_field_of_any_name_keeps_it_in_the_matcher() {
    let odd =
        ["a.b", "cs(User-Agent)", "P{}.V", "a@b", "a+b", "a$b", "a%b", "a#b", "a//b", "a[0].b"];
    let names = odd.iter().chain(&["a:b", "a-b", "a_b", "1a", "_", "-", "a..b"]);
    let tests: Vec<String> =
        names.clone().map(|name| format!("    '{name}|contains': [x, '{name}']\n")).collect();
    let source = source(&format!(
        "title: Odd names\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nlogsource: {{product: aws, \
         service: cloudtrail}}\ndetection:\n  a:\n{}  condition: a\n",
        tests.concat()
    ));
    for name in names {
        assert!(source.contains(&format!("event.any({name:?},")), "{name}:\n{source}");
    }
    compile("fields", &source);
}

#[test]
fn every_matcher_of_sigmahq_is_rust() {
    let Some(corpus) = corpus("every_matcher_of_sigmahq_is_rust") else { return };
    let emitted = sigmahq(&corpus).rules.par_iter().enumerate().filter_map(|(at, loaded)| {
        let mut found = Diagnostics::default();
        let artifacts = emit(Target::Native, &loaded.rule, &loaded.stem, &mut found)?;
        let text = &artifacts[0].text;
        let name = loaded.rule.source.name();
        assert!(syn::parse_file(text).is_ok(), "{name}:\n{text}");
        // A compiler sees more than a parser, and takes a hundred times as long.
        if at % 60 == 0 {
            compile(&loaded.stem, text);
        }
        Some(())
    });
    let count = emitted.count();
    assert!(count > 2_000, "{count}");
}

/// Random events of the kind of some signal of these rules
fn random_events(rules: &[Loaded], number: usize) -> Vec<Example> {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut examples = Vec::new();
    for loaded in rules {
        let pool = chance::pool(loaded.rule.signals.iter().flat_map(Signal::tests));
        for _ in 0..number {
            let signal = &loaded.rule.signals[dice.roll(loaded.rule.signals.len())];
            examples.push(Example {
                place: Place::Line { file: 0, line: examples.len() + 1 },
                event: Value::Object(chance::event(&pool, &mut dice)),
                kind: Some(signal.kind.clone()),
            });
        }
    }
    examples
}

#[test]
fn every_operator_agrees_with_the_engine() {
    let loaded = project::load(&[root().join("tests/operators")]).expect("operators can be read");
    let mut events = vec![random_events(&loaded.rules, 300)];
    let verified =
        project::verify((&loaded.rules, &loaded.policy), &[Target::Native], None, &mut || {
            Ok(events.pop().unwrap_or_default())
        });
    let verified = verified.expect("events are given");
    let mut matched = 0;
    for one in &verified {
        match &one.verdict {
            Verdict::Same(tally) => matched += tally.matched,
            // A rule may leave all signals out here, or be refused.
            Verdict::Unchecked(why) => assert!(why.contains("refused") || why.contains("leaves")),
            verdict @ (Verdict::Binds { .. } | Verdict::Different(_) | Verdict::Broken(_)) => {
                panic!("{}: {verdict:?}", one.loaded.stem)
            }
        }
    }
    let same = verified.iter().filter(|one| one.verdict.word() == "same").count();
    assert!(same > 50, "only {same} rules were compiled");
    assert!(matched > 50_000, "only {matched} events matched: they are too dull");
}

#[test]
fn a_matcher_that_says_something_else_is_different() {
    let rule = rule(&definition("p", "CommandLine: a"));
    let judged = JudgedNative::new(&[&rule]);
    let kind = rule.signals[0].kind.clone();
    let example = |event| Example { place: Place::Near(0), event, kind: Some(kind.clone()) };
    let examples = [example(json!({"CommandLine": "a"})), example(json!({"CommandLine": "b"}))];
    let differences = |answers: &str| {
        let tallies = judged.ask(&[&examples]).judge(answers).unwrap();
        tallies[0].as_ref().unwrap().differences.len()
    };
    let level = rule.level.as_str();
    assert_eq!(differences(&format!("{level}\n-\n")), 0);
    assert_eq!(differences("-\n-\n"), 1);
    assert_eq!(differences(&format!("{level}\n{level}\n")), 1);
    assert_eq!(differences("informational\n-\n"), 1);
    assert!(judged.ask(&[&examples]).judge(&format!("{level}\n")).is_err());
    assert!(judged.ask_tables().judge("(\"other\", 0)\n").unwrap()[0].is_err());
}

#[test]
fn source_of_a_folder_that_is_not_emitted_is_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = project::load(&[root().join("rules")]).expect("the rules can be read");
    let target = folder.path().join("native/webshell");
    fs::create_dir_all(&target).unwrap();
    for one in &loaded.rules {
        let mut found = Diagnostics::default();
        let made = translate(Target::Native, &one.rule, &one.stem, &mut found).unwrap();
        let name = &made.artifacts[0].name;
        fs::write(target.join(name), made.artifacts[0].text.replace("true", "false")).unwrap();
    }
    let verify = (&*loaded.rules, &loaded.policy);
    let verified =
        project::verify(verify, &[Target::Native], Some(folder.path()), &mut || Ok(Vec::new()));
    for one in verified.unwrap() {
        assert_eq!(one.verdict.word(), "broken", "{}", one.loaded.stem);
    }
}

/// A program that asks a module about events, and prints what matches each
fn asking(events: &[(usize, &Example)]) -> String {
    let mut arms = String::new();
    for (at, example) in events {
        let fields = example.event.as_object().unwrap().iter();
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("({name:?}, {:?})", value.as_str().unwrap()))
            .collect();
        arms.push_str(&format!("    ({at}, &[{}]),\n", fields.join(", ")));
    }
    format!(
        r#"#[path = "native/mod.rs"]
mod rules;

struct Process(&'static [(&'static str, &'static str)]);

impl rules::Event for Process {{
    fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {{
        self.0.iter().any(|(name, value)| *name == field && test(value))
    }}

    // Only the texts of one rule are asked about.
    fn is_found(&self, pattern: &str, text: &str) -> bool {{
        pattern == "odd[0-9]+tool" && text.contains("odd77tool")
    }}
}}

const EVENTS: &[(usize, &[(&str, &str)])] = &[
{arms}];

fn main() {{
    let source = rules::Source {{ event: "process_creation", log: None, product: None }};
    for (at, fields) in EVENTS {{
        for one in rules::judge_all(&Process(fields), &source) {{
            println!("{{at}} {{}} {{}} {{}}", one.rule, one.signal, one.level);
        }}
    }}
}}
"#
    )
}

#[test]
fn the_matchers_of_many_rules_are_one_module() {
    let folder = tempfile::tempdir().unwrap();
    let odd = definition("p", "CommandLine|re: 'odd[0-9]+tool'");
    let odd = format!(
        "{odd}tests:\n  - {{name: it, signal: only, event: {{CommandLine: an odd77tool here}}}}\n  \
         - {{name: another, signal: only, event: {{CommandLine: an oddtool}}, expect: none}}\n"
    );
    let file = folder.path().join("odd.yml");
    fs::write(&file, odd).unwrap();
    let mut workspace = project::load(&[root().join("rules"), file]).unwrap();
    let (mut outputs, _) = workspace.outputs(&[Target::Native], Kept::Artifacts);
    let module = workspace.native_module(&outputs).unwrap().expect("the template has no mistake");
    outputs.push(module);
    let examples: Vec<Example> =
        workspace.reported().flat_map(|loaded| own_examples(&loaded.rule)).flatten().collect();
    let is_plain = |example: &Example| {
        let texts = example.event.as_object().unwrap().values().all(Value::is_string);
        example.kind == EventKind::named("process_creation") && texts
    };
    let events: Vec<(usize, &Example)> =
        examples.iter().enumerate().filter(|(_, one)| is_plain(one)).collect();
    for output in &outputs {
        let file = folder.path().join(&output.path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &output.text).unwrap();
    }
    let main = folder.path().join("main.rs");
    fs::write(&main, asking(&events)).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags = ["--edition=2024", "-Dwarnings", "-Funsafe-code", "--out-dir"];
    let built = Command::new(rustc).args(flags).arg(folder.path()).arg(&main).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let said = Command::new(folder.path().join("main")).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let engine = Engine::builder().rules(workspace.take_reported()).build();
    let mut wanted = String::new();
    for (at, example) in &events {
        let kind = example.kind.as_ref();
        for one in engine.judge_value(&example.event, kind, &mut Memory::default()).unwrap() {
            let rule = &engine.rules()[one.rule];
            let (title, signal) = (&rule.metadata.title.value, &rule.signals[one.signal].name);
            wanted.push_str(&format!("{at} {title} {signal} {}\n", one.level));
        }
    }
    assert_eq!(said, wanted);
    assert!(said.contains(" One test only "), "{said}");
    assert!(events.len() > 100 && wanted.lines().count() > 100, "{} events", events.len());
}
