//! Damaged rules: whatever stands in a file, reading it ends, and what is said about it has a place
//! in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::properties::{everything, has_places_inside};
use crate::support::{corpus, root};
use rulecast::verify::near::chance::Dice;

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

/// Damages a text in up to five places, sometimes by pieces of another
pub(crate) fn damaged(text: &str, other: &str, dice: &mut Dice) -> String {
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
        let (found, _) = everything(&text, at % 10 == 0);
        found.iter().for_each(|one| has_places_inside(one, &text));
        let took = started.elapsed();
        // A worker that waits takes up the work of other tests, so the limit is far above what a rule takes.
        assert!(took < Duration::from_secs(60), "{took:?} for:\n{text}");
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
