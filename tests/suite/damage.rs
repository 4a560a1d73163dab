//! Damaged rules: whatever stands in a file, reading it ends, and what is said about it has a place
//! in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rulecast::backend::{self, Target};
use rulecast::diagnostic::{self, Diagnostic, Diagnostics};
use rulecast::source::{SourceText, Span};
use rulecast::{Definition, Rule, definition, ir};

use crate::agreement::Dice;
use crate::support::{corpus, root};

/// What careless and hostile hands put into files
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "|",
    "|contains",
    "|all",
    "|re",
    "|base64offset",
    "*",
    "?",
    "\\",
    "\\*",
    "%",
    "%x%",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "((",
    ")",
    " and ",
    " or not ",
    "1 of ",
    "all of them",
    "#",
    "# allow[W0213]: x\n",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "---\n",
    "null",
    "~",
    "$list",
    "0x1F",
    "99999999999999999999",
    "-",
    "\u{2028}",
    "\u{202e}",
    "é",
    "\u{1f600}",
    "\u{0}",
    "condition: ",
    "detection:\n",
    "filter:\n",
    "correlation:\n",
    "signals:\n",
    "(?i)",
    "{100000}",
];

fn damaged(text: &str, other: &str, dice: &mut Dice) -> String {
    let mut text: Vec<char> = text.chars().collect();
    let other: Vec<char> = other.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(text.len() + 1);
        let to = (at + 1 + dice.roll(40)).min(text.len());
        match dice.roll(6) {
            0 => drop(text.splice(at..to, [])),
            1 => {
                let piece = PIECES[dice.roll(PIECES.len())];
                text.splice(at..at, piece.chars());
            }
            2 => {
                let copy: Vec<char> = text[at..to].to_vec();
                let into = dice.roll(text.len() + 1);
                text.splice(into..into, copy);
            }
            3 => text.truncate(at),
            4 => {
                let from = dice.roll(other.len());
                let end = (from + 1 + dice.roll(200)).min(other.len());
                text.splice(at..to, other[from..end].iter().copied());
            }
            _ => {
                let piece = PIECES[dice.roll(PIECES.len())];
                text.splice(at..to, piece.chars());
            }
        }
    }
    text.into_iter().collect()
}

/// Everything that is done with a rule file
fn everything(text: &str, thorough: bool) -> Vec<Diagnostic> {
    let source = Arc::new(SourceText::new("damaged.yml", text));
    let mut found = Diagnostics::default();
    let definitions = definition::parse(&source, &mut found);
    let suppressions = definition::Suppressions::read(&source, &mut found);
    let mut rules: Vec<Option<Rule>> =
        definitions.iter().map(|definition| ir::lower(definition, &mut found)).collect();
    definitions.iter().for_each(|definition| definition::check(definition, &mut found));
    let all: Vec<&Definition> = definitions.iter().collect();
    ir::join(&all, &mut rules, &mut found);
    for rule in rules.iter().flatten().filter(|_| thorough) {
        for target in Target::ALL {
            backend::emit(*target, rule, "damaged", &mut found);
        }
    }
    suppressions.apply(&mut found, definition::Looked::Everywhere);
    let found = found.sorted();
    if thorough {
        found.iter().for_each(|one| drop((diagnostic::full(one, true), diagnostic::concise(one))));
        drop((diagnostic::json(&found), diagnostic::sarif(&found)));
    }
    found
}

fn places(found: &Diagnostic) -> impl Iterator<Item = Span> {
    let secondary = found.secondary.iter().map(|label| label.span);
    let edits = found.fix.iter().flat_map(|fix| fix.edits.iter().map(|(span, _)| *span));
    std::iter::once(found.primary.span).chain(secondary).chain(edits)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect()
}

/// Damages files so many times in all
fn damage(files: &[PathBuf], times: usize) {
    let texts: Vec<String> =
        files.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    (0..times).into_par_iter().for_each(|at| {
        let mut dice = Dice((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let text = damaged(&texts[at % texts.len()], &texts[dice.roll(texts.len())], &mut dice);
        let started = Instant::now();
        for one in everything(&text, at % 10 == 0) {
            for span in places(&one) {
                let inside = text.get(span.range()).is_some();
                assert!(inside, "{} at {span:?} of:\n{text}", one.message);
            }
        }
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?} for:\n{text}");
    });
}

#[test]
fn a_damaged_rule_is_read_to_its_end() {
    let folders = ["rules", "tests/operators", "tests/specification", "tests/invalid"];
    let files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| files(&root().join(folder))).collect();
    damage(&files, 3_000);
}

#[test]
fn a_hundred_thousand_damaged_rules_are_read_to_their_end() {
    let name = "a_hundred_thousand_damaged_rules_are_read_to_their_end";
    let Some(corpus) = corpus(name) else { return };
    damage(&files(&corpus.join("data/sigma/rules")), 100_000);
}
