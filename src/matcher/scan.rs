//! Many events, on all cores, in order.
//!
//! In: lines of JSON from a reader. Out: [`Hit`]s in the order of the lines, whatever the number
//! of threads. Lines are read in blocks; memory stays bounded by the blocks in work.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::Range;

use rayon::prelude::*;

use super::state::NewTerms;
use super::{Engine, Match};

/// Bytes of lines that are worked on at once
const BLOCK: usize = 4 << 20;
/// Lines that one thread takes at least: fewer cost more to hand out than to judge
const SHARE: usize = 64;

/// A match and where its event stands
#[derive(Debug)]
pub struct Hit {
    /// Line of the event, from 1
    pub line: usize,
    /// What matched
    pub matched: Match,
    /// Whether a combination of its new terms is new; `None` when the signal does not ask
    pub new: Option<bool>,
}

/// A line that is no event
#[derive(Debug)]
pub struct Unreadable {
    /// Line, from 1
    pub line: usize,
    /// Column in bytes, from 1
    pub column: usize,
    /// Why
    pub why: String,
}

/// What one run over a stream knows: the terms each rule has seen
#[derive(Debug, Default)]
pub struct Memory {
    terms: HashMap<usize, NewTerms>,
}

/// Judges every line of `events`; gives the number of events read
///
/// `hit` gets the matches in the order of the lines, `unreadable` the lines that are no events,
/// `progress` the number of events so far, now and then.
///
/// # Errors
/// When reading fails, or when `hit` does.
pub fn scan(
    engine: &Engine<'_>,
    events: &mut dyn BufRead,
    hit: &mut dyn FnMut(Hit) -> io::Result<()>,
    unreadable: &mut dyn FnMut(Unreadable),
    progress: &mut dyn FnMut(usize),
) -> io::Result<usize> {
    let mut memory = Memory::default();
    let (mut line, mut count) = (0, 0);
    let mut block = Block::default();
    loop {
        block.read(events)?;
        if block.lines.is_empty() {
            return Ok(count);
        }
        let lines = block.lines.par_iter().with_min_len(SHARE);
        let verdicts: Vec<_> =
            lines.map(|line| judge(engine, &block.bytes[line.clone()])).collect();
        for verdict in verdicts {
            line += 1;
            match verdict {
                Verdict::Blank => {}
                Verdict::Unreadable(column, why) => unreadable(Unreadable { line, column, why }),
                Verdict::Matches(matches) => {
                    count += 1;
                    for matched in matches {
                        let new = memory.observe(engine, &matched);
                        hit(Hit { line, matched, new })?;
                    }
                }
            }
        }
        progress(count);
    }
}

impl Memory {
    /// Whether a combination of the match is new; `None` when its signal does not ask
    pub fn observe(&mut self, engine: &Engine<'_>, matched: &Match) -> Option<bool> {
        let window = engine.rules()[matched.rule].new_terms.as_ref()?.window;
        let terms = matched.terms.as_ref()?;
        let seen = self.terms.entry(matched.rule).or_default();
        let mut new = false;
        for key in terms {
            new |= seen.observe(key.clone(), matched.time, window);
        }
        Some(new)
    }
}

enum Verdict {
    Blank,
    Unreadable(usize, String),
    Matches(Vec<Match>),
}

fn judge(engine: &Engine<'_>, line: &[u8]) -> Verdict {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text.trim_start_matches('\u{feff}').trim(),
        Err(error) => return Verdict::Unreadable(error.valid_up_to() + 1, "not UTF-8".to_owned()),
    };
    if text.is_empty() {
        return Verdict::Blank;
    }
    match engine.judge(text) {
        Ok(matches) => Verdict::Matches(matches),
        Err(error) => Verdict::Unreadable(error.column(), error.to_string()),
    }
}

/// Whole lines, one after another
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    lines: Vec<Range<usize>>,
}

impl Block {
    /// Takes the next lines; none at the end of the stream
    fn read(&mut self, events: &mut dyn BufRead) -> io::Result<()> {
        self.bytes.clear();
        self.lines.clear();
        while self.bytes.len() < BLOCK {
            let start = self.bytes.len();
            if events.read_until(b'\n', &mut self.bytes)? == 0 {
                break;
            }
            self.lines.push(start..self.bytes.len());
        }
        Ok(())
    }
}
