//! Generated Rust compiles by itself, whatever the values are.

use std::fs;
use std::process::Command;

use rulecast::backend::support::{ROWS, Support};
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;

use crate::support::{definition, lines, rule};

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
    let rows = ROWS.iter().filter(|row| row.targets[2] != Support::Refused);
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
