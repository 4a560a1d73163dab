//! The fuzzer's corpus, replayed without the fuzzer: every input, and inputs near it.
//!
//! `RULECAST_EXECUTIONS` says how many inputs are judged in all; without it few are, so that a
//! plain `cargo test` stays quick. The same number gives the same inputs on every machine.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::damage::damaged;
use crate::properties::{TARGETS, hold};
use crate::support::root;
use rulecast::verify::near::chance::Dice;

/// What is judged when nobody says how much
const FEW: usize = 600;
/// No input of this size takes longer, on any machine
const LONGEST: Duration = Duration::from_secs(10);

/// How many times things are tried
pub(crate) fn executions(few: usize) -> usize {
    let asked = std::env::var("RULECAST_EXECUTIONS").ok();
    asked.map_or(few, |number| number.parse().expect("RULECAST_EXECUTIONS is a number"))
}

/// The inputs of a target, sorted by name
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("tests/fuzz/corpus").join(target);
    let files = walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path()).filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Judges an input; what goes wrong is told with the input, so that it can be kept
fn judge(target: &str, bytes: &[u8], from: &str) {
    let started = Instant::now();
    let judged = catch_unwind(AssertUnwindSafe(|| hold(target, bytes)));
    let input = || String::from_utf8_lossy(bytes).into_owned();
    assert!(judged.is_ok(), "{target} fails on {from}: {:?}", input());
    let took = started.elapsed();
    assert!(took < LONGEST, "{target} took {took:?} for {from}: {:?}", input());
}

/// An input near one of the corpus
fn near(corpus: &[(PathBuf, Vec<u8>)], at: usize, dice: &mut Dice) -> Vec<u8> {
    let (_, bytes) = &corpus[at % corpus.len()];
    let (_, other) = &corpus[dice.roll(corpus.len())];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let other = Some(text(other)).filter(|other| !other.is_empty());
    let mut bytes = damaged(&text(bytes), &other.unwrap_or_else(|| " ".into()), dice).into_bytes();
    // Few inputs are no text at all.
    if dice.roll(16) == 0 && !bytes.is_empty() {
        let at = dice.roll(bytes.len());
        bytes[at] = dice.roll(256) as u8;
    }
    bytes
}

#[test]
fn the_corpus_and_what_is_near_it_keep_every_promise() {
    let all = executions(FEW);
    let (started, judged) = (Instant::now(), Mutex::new(Vec::new()));
    TARGETS.par_iter().for_each(|(target, _)| {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{target} has no corpus");
        for (path, bytes) in &corpus {
            judge(target, bytes, &path.display().to_string());
        }
        let more = (all / TARGETS.len()).saturating_sub(corpus.len());
        (0..more).into_par_iter().for_each(|at| {
            let mut dice = Dice((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let bytes = near(&corpus, at, &mut dice);
            judge(target, &bytes, &format!("input {at} near the corpus"));
        });
        judged.lock().unwrap().push((*target, corpus.len() + more));
    });
    let mut judged = judged.into_inner().unwrap();
    judged.sort_unstable();
    let total: usize = judged.iter().map(|(_, inputs)| inputs).sum();
    let each: Vec<String> =
        judged.iter().map(|(name, inputs)| format!("{name} {inputs}")).collect();
    // Straight to the terminal: the test harness would swallow `println!`.
    let told =
        format!("replayed: {total} executions in {:?} ({})", started.elapsed(), each.join(", "));
    let _ = writeln!(std::io::stderr(), "{told}");
}
