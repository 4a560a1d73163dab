//! Many events, on all cores, in order.
//!
//! In: lines of JSON from a reader. Out: [`Hit`]s in the order of the lines, whatever the number
//! of threads. Lines are read in blocks; memory stays bounded by the blocks in work, and by what a
//! [`Memory`] keeps of them.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::ops::Range;

use jiff::Timestamp;
use rayon::prelude::*;

use super::ancestry::ProcessTree;
use super::correlate::{Correlator, Together, Waiting};
use super::event::Event;
use super::state::{NewTerms, SeenTerms};
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

/// What a run knows of the events before: terms, processes, and what waits for others
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) terms: BTreeMap<usize, NewTerms>,
    /// Kept terms of rules that this run does not have, by name
    pub(super) others: BTreeMap<String, (Vec<String>, Vec<SeenTerms>)>,
    tree: ProcessTree,
    correlators: BTreeMap<usize, Correlator>,
    /// Matches without a time, which no correlation can place
    untimed: usize,
    /// No event is later than this, whatever its clock says
    pub(super) now: Option<Timestamp>,
}

/// A correlation of a rule
#[derive(Debug)]
pub struct Finding {
    /// Index of the rule
    pub rule: usize,
    /// What happened together
    pub together: Together,
}

/// Something that a scan finds
#[derive(Debug)]
pub enum Found {
    /// An event that fits a signal
    Hit(Hit),
    /// Events that mean something together
    Together(Finding),
}

/// Judges every line of `events`, after what `memory` has seen; gives the number of events read
///
/// `file` is the number that findings know the stream by. `found` gets the matches in the order
/// of the lines, `unreadable` the lines that are no events, `progress` the number of events so
/// far, now and then. What still waits for other events, [`Memory::finish`] tells.
///
/// # Errors
/// When reading fails, or when `found` does.
pub fn scan(
    engine: &Engine<'_>,
    memory: &mut Memory,
    (file, events): (usize, &mut (dyn BufRead + '_)),
    found: &mut dyn FnMut(Found) -> io::Result<()>,
    unreadable: &mut dyn FnMut(Unreadable),
    progress: &mut dyn FnMut(usize),
) -> io::Result<usize> {
    let (mut line, mut count) = (0, 0);
    let mut block = Block::default();
    loop {
        block.read(events)?;
        if block.lines.is_empty() {
            return Ok(count);
        }
        let verdicts = judge_block(engine, memory, &block);
        for verdict in verdicts {
            line += 1;
            match verdict {
                Verdict::Blank => {}
                Verdict::Unreadable(column, why) => unreadable(Unreadable { line, column, why }),
                Verdict::Event(matches) => {
                    count += 1;
                    for matched in matches {
                        let new = memory.observe(engine, &matched);
                        for finding in memory.correlate(engine, &matched, (file, line)) {
                            found(Found::Together(finding))?;
                        }
                        found(Found::Hit(Hit { line, matched, new }))?;
                    }
                }
            }
        }
        progress(count);
    }
}

impl Memory {
    /// Takes times after this one for what they are: those of a broken clock
    #[must_use]
    pub fn until(self, now: Timestamp) -> Memory {
        Memory { now: Some(now), ..self }
    }

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

    /// Takes a match for the correlations; gives what had to be judged to make room
    ///
    /// `place` is the number of the file and the line.
    pub fn correlate(
        &mut self,
        engine: &Engine<'_>,
        matched: &Match,
        place: (usize, usize),
    ) -> Vec<Finding> {
        let Some(values) = &matched.correlated else { return Vec::new() };
        let sane = |time: &Timestamp| self.now.is_none_or(|now| *time <= now);
        let Some(time) = matched.time.filter(sane) else {
            self.untimed += 1;
            return Vec::new();
        };
        let (rule, signal, values) = (matched.rule, matched.signal, values.clone());
        let correlator = self.correlators.entry(rule).or_default();
        let waiting = Waiting { time, signal, values, place };
        let found = correlator.observe(&engine.rules()[rule], waiting);
        found.into_iter().map(|together| Finding { rule, together }).collect()
    }

    /// Judges what still waits for others
    pub fn finish(&mut self, engine: &Engine<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for (rule, correlator) in &mut self.correlators {
            let together = correlator.finish(&engine.rules()[*rule]).into_iter();
            found.extend(together.map(|together| Finding { rule: *rule, together }));
        }
        found
    }

    /// How many matches no correlation saw: those without a time, and those that had to be
    /// forgotten or came too late
    pub fn uncorrelated(&self) -> (usize, usize) {
        (self.untimed, self.correlators.values().map(|correlator| correlator.lost).sum())
    }

    /// Fills the grandparent of an event and remembers its process
    pub(super) fn follow(&mut self, engine: &Engine<'_>, event: &mut Event<'_>) {
        if let Some(places) = engine.ancestry {
            self.tree.follow(places, event);
        }
    }
}

enum Verdict<T> {
    Blank,
    Unreadable(usize, String),
    Event(T),
}

impl<T> Verdict<T> {
    fn map<U>(self, judge: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Verdict::Blank => Verdict::Blank,
            Verdict::Unreadable(column, why) => Verdict::Unreadable(column, why),
            Verdict::Event(event) => Verdict::Event(judge(event)),
        }
    }
}

/// Judges the lines of a block on all cores
fn judge_block(
    engine: &Engine<'_>,
    memory: &mut Memory,
    block: &Block,
) -> Vec<Verdict<Vec<Match>>> {
    let lines = block.lines.par_iter().with_min_len(SHARE);
    let read = lines.map(|line| read(engine, &block.bytes[line.clone()]));
    if engine.ancestry.is_none() {
        return read.map(|event| event.map(|event| engine.matches(&event))).collect();
    }
    // Who started whom is known in the order of the stream only.
    let mut events: Vec<Verdict<Event<'_>>> = read.collect();
    for event in &mut events {
        if let Verdict::Event(event) = event {
            memory.follow(engine, event);
        }
    }
    let events = events.into_par_iter().with_min_len(SHARE);
    events.map(|event| event.map(|event| engine.matches(&event))).collect()
}

fn read<'e>(engine: &'e Engine<'_>, line: &'e [u8]) -> Verdict<Event<'e>> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text.trim_start_matches('\u{feff}').trim(),
        Err(error) => return Verdict::Unreadable(error.valid_up_to() + 1, "not UTF-8".to_owned()),
    };
    if text.is_empty() {
        return Verdict::Blank;
    }
    match engine.read(text) {
        Ok(event) => Verdict::Event(event),
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
