//! Generated Rust compiles by itself, whatever the values are, and means what the engine says.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use rayon::prelude::*;
use rulecast::backend::operators::{ROWS, Support};
use rulecast::backend::{Target, emit, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::project;
use rulecast::taxonomy::EventKind;
use serde_json::{Map, Value};

use crate::support::{corpus, definition, lines, root, rule, sigmahq};
use rulecast::ir::Signal;
use rulecast::verify::near::chance::{self, Dice};

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
    let plain = self::source(&definition("p", "CommandLine: a"));
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

/// The `main` of a program that judges events from standard input with generated modules
///
/// One event a line: index of the rule, kind, then `field:value,value`, values in hex, `!` null.
const HARNESS: &str = r##"
struct Line<'l>(Vec<(&'l str, Option<Vec<String>>)>);

impl Line<'_> {
    fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        match self.0.iter().find(|(name, _)| *name == field) {
            Some((_, Some(values))) => values.iter().any(|value| test(value)),
            Some((_, None)) => false,
            None => field == "Action" && test("created"),
        }
    }
    fn has(&self, field: &str) -> bool {
        field == "Action" || self.0.iter().any(|(name, _)| *name == field)
    }
}

fn text(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
}

fn main() {
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let mut cells = line.split(' ');
        let rule: usize = cells.next().unwrap().parse().unwrap();
        let kind = cells.next().unwrap();
        let field = |cell: &'_ str| -> (String, Option<Vec<String>>) {
            let (name, values) = cell.split_once(':').unwrap();
            let values = match values {
                "!" => None,
                values => Some(values.split(',').map(text).collect()),
            };
            (name.to_owned(), values)
        };
        let fields: Vec<_> = cells.map(field).collect();
        let event = Line(fields.iter().map(|(n, v)| (n.as_str(), v.clone())).collect());
        println!("{}", judge(rule, kind, &event).join(" "));
    }
}
"##;

/// An event for [`HARNESS`]
fn encode(rule: usize, kind: &str, event: &Map<String, Value>) -> String {
    let hex = |value: &Value| -> String {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut line = format!("{rule} {kind}");
    for (name, value) in event {
        let values = match value {
            Value::Null => "!".to_owned(),
            Value::Array(items) => items.iter().map(hex).collect::<Vec<_>>().join(","),
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                hex(value)
            }
        };
        write!(line, " {name}:{values}").unwrap();
    }
    line
}

#[test]
fn every_operator_agrees_with_the_engine() {
    let loaded = project::load(&[root().join("tests/operators")]).expect("operators can be read");
    let mut program = String::new();
    let mut arms = String::new();
    let mut rules = Vec::new();
    for one in loaded.rules {
        let mut found = Diagnostics::default();
        let made = translate(Target::Native, &one.rule, &one.stem, &mut found);
        // A rule may leave signals out here, or all of them.
        let Some(made) = made.filter(|made| !made.artifacts.is_empty()) else { continue };
        let (rule, artifacts) = (made.rule, made.artifacts);
        let at = rules.len();
        let body = artifacts[0].text.replace("//!", "//").replace("#![allow", "#[allow");
        let body = body.replacen(
            "#[allow(dead_code, non_snake_case, unreachable_pub, clippy::nonminimal_bool)]",
            "",
            1,
        );
        write!(
            program,
            "#[allow(dead_code)]\nmod m{at} {{\n{body}\n}}\nimpl m{at}::Event for Line<'_> {{\n\
             fn any(&self, f: &str, t: &mut dyn FnMut(&str) -> bool) -> bool {{ Line::any(self, f, t) }}\n\
             fn has(&self, f: &str) -> bool {{ Line::has(self, f) }}\n}}\n"
        )
        .unwrap();
        writeln!(
            arms,
            "{at} => m{at}::SIGNALS.iter().filter(|s| s.event == kind && (s.matches)(event))\
             .map(|s| s.name).collect(),"
        )
        .unwrap();
        rules.push(rule);
    }
    assert!(rules.len() > 8, "only {} definitions", rules.len());
    let program = format!(
        "{program}{HARNESS}\nfn judge(rule: usize, kind: &str, event: &Line<'_>) -> Vec<&'static str> \
         {{\nmatch rule {{\n{arms}_ => unreachable!(),\n}}\n}}\n"
    );
    let folder = std::env::temp_dir().join(format!("rulecast-operators-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (file, binary) = (folder.join("main.rs"), folder.join("judge"));
    fs::write(&file, &program).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled =
        Command::new(rustc).args(["--edition=2024", "-o"]).arg(&binary).arg(&file).output();
    let compiled = compiled.unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut input, mut wanted, mut events, mut matched) =
        (String::new(), Vec::new(), Vec::new(), 0);
    for (at, rule) in rules.iter().enumerate() {
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        let pool = chance::pool(rule.signals.iter().flat_map(Signal::tests));
        for _ in 0..3_000 {
            let signal = &rule.signals[dice.roll(rule.signals.len())];
            let event = chance::event(&pool, &mut dice);
            // What happened is for the caller to say, and that a dash of a web log is no value.
            let mut told = event.clone();
            if signal.kind == EventKind::Webserver {
                told.retain(|_, value| value.as_str() != Some("-"));
            }
            let action = crate::agreement::Json(&event).derived("Action");
            told.entry("Action").or_insert(action.into());
            writeln!(input, "{}", encode(at, signal.kind.name(), &told)).unwrap();
            let event = Value::Object(event);
            let matches =
                engine.judge_value(&event, Some(&signal.kind), &mut Memory::default()).unwrap();
            let names: Vec<&str> =
                matches.iter().map(|m| rule.signals[m.signal].name.as_str()).collect();
            matched += names.len();
            wanted.push(names.join(" "));
            events.push(format!("{}: {event}", rule.metadata.title.value));
        }
    }
    let mut child = Command::new(&binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the compiled matcher runs");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), wanted.len());
    for ((said, wanted), event) in said.lines().zip(&wanted).zip(&events) {
        assert_eq!(said, wanted, "{event}");
    }
    assert!(matched > 5_000, "only {matched} events matched: they are too dull");
    fs::remove_dir_all(folder).unwrap();
}
