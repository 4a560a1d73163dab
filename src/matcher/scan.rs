//! Judges the lines of a stream on all cores.
//!
//! In: lines of JSON. Out: [`Hit`]s in the order of the lines, whatever the number of threads.
//! Lines come in blocks; the blocks in work and the state of the [`Memory`] bound the memory used.

use std::io;

use rayon::prelude::*;

use super::block::Block;
use super::census::{Census, Facts};
use super::lines::{End, Lines};
use super::memory::{Finding, Memory};
use super::reading::{Kept, Shaped, Verdict, is_flat, read, too_long};
use super::turns::{ahead, in_turn};
use super::{Engine, Match};

/// The fewest lines per thread: smaller shares cost more to hand out than to judge
const SHARE: usize = 64;

/// The most events of a stream that the index is made for
const SAMPLED: usize = 512;

/// A match, with the line of its event
#[derive(Debug)]
pub struct Hit {
    /// Line of the event, from 1
    pub line: usize,
    /// The match
    pub matched: Match,
    /// Whether a combination of values is new; `None` when the signal has no `new_terms`
    pub new: Option<bool>,
}

/// A line that is not an event
#[derive(Debug)]
pub struct Unreadable {
    /// Line, from 1
    pub line: usize,
    /// Column in bytes, from 1
    pub column: usize,
    /// The reason: a text for the user
    pub why: String,
}

/// A result of a scan
#[derive(Debug)]
pub enum Found {
    /// An event that fits a signal
    Hit(Hit),
    /// Events that complete a correlation
    Together(Finding),
}

/// Receives the results of a scan, in the order of the lines
pub trait Listener {
    /// Takes a match or a completed correlation
    ///
    /// # Errors
    /// When the result cannot be passed on; the error ends the scan.
    fn found(&mut self, found: Found) -> io::Result<()>;

    /// Takes a line that is not an event
    fn unreadable(&mut self, line: Unreadable);

    /// Called after each block: all lines so far are judged, and `events` of them are events
    ///
    /// # Errors
    /// When earlier results cannot be passed on; the error ends the scan.
    fn judged(&mut self, events: usize) -> io::Result<()>;
}

/// Collects all results of a scan in memory
#[derive(Debug, Default)]
pub struct Collected {
    /// Matches and completed correlations, in the order of the lines
    pub found: Vec<Found>,
    /// The lines that are not events
    pub unreadable: Vec<Unreadable>,
}

impl Listener for Collected {
    fn found(&mut self, found: Found) -> io::Result<()> {
        self.found.push(found);
        Ok(())
    }

    fn unreadable(&mut self, line: Unreadable) {
        self.unreadable.push(line);
    }

    fn judged(&mut self, _: usize) -> io::Result<()> {
        Ok(())
    }
}

/// Judges every line of a stream, after the events that `memory` has seen; returns what its events
/// hold, and how the stream ended
///
/// `file` is the number of the stream in findings. [`Memory::finish`] judges the correlations that
/// still wait for events.
///
/// # Errors
/// When the listener fails.
pub fn scan(
    engine: &Engine,
    memory: &mut Memory,
    (file, lines): (usize, &mut Lines<'_>),
    listener: &mut dyn Listener,
) -> io::Result<(Census, End)> {
    let mut told = Told { engine, memory, file, listener, line: 0, census: Census::default() };
    let begin = |block: &Block| {
        let is_flat = is_flat(engine, block);
        prepare(engine, block, is_flat);
        is_flat
    };
    let end = if engine.ancestry.is_some() {
        // The process tree needs the events in the order of the stream.
        in_turn(lines, begin, |block, is_flat| {
            let verdicts = judge_in_order(engine, told.memory, block, is_flat);
            told.take(block, verdicts)
        })
    } else {
        let judge = |block: &Block, is_flat: bool| judge_block(engine, block, is_flat);
        ahead(lines, begin, judge, |block, verdicts| told.take(block, verdicts))
    }?;
    Ok((told.census, end))
}

/// What a scan has told so far, and what it needs for the next block
struct Told<'s> {
    engine: &'s Engine,
    memory: &'s mut Memory,
    /// The number of the stream
    file: usize,
    listener: &'s mut dyn Listener,
    /// The last line
    line: usize,
    census: Census,
}

impl Told<'_> {
    /// Passes on what is found of a block
    fn take(&mut self, block: &Block, verdicts: Vec<Verdict<Judged>>) -> io::Result<()> {
        for (at, verdict) in verdicts.into_iter().enumerate() {
            self.line += 1;
            let line = self.line;
            match verdict {
                Verdict::Blank => {}
                Verdict::Unreadable(column, why) => {
                    self.listener.unreadable(Unreadable { line, column, why });
                }
                Verdict::Event(Judged { matches, facts, shape, unlooked }) => {
                    let text = block.line(at).unwrap_or_default();
                    self.census.count((facts, shape), unlooked, text);
                    for matched in matches {
                        let (new, together) =
                            self.memory.take(self.engine, &matched, (self.file, line));
                        for finding in together {
                            self.listener.found(Found::Together(finding))?;
                        }
                        self.listener.found(Found::Hit(Hit { line, matched, new }))?;
                    }
                }
            }
        }
        self.listener.judged(self.census.events)
    }
}

/// What is found of an event
struct Judged {
    matches: Vec<Match>,
    facts: Facts,
    /// What its shape is called, and whether the shape was read in part
    shape: (&'static str, bool),
    /// What the event is, when no rule looks at it
    unlooked: Option<String>,
}

impl Judged {
    fn of(engine: &Engine, shaped: &Shaped<'_>) -> Judged {
        let event = &shaped.event;
        let (mut matches, is_looked_at) = engine.verdict(event, false);
        engine.show(shaped.line, &mut matches);
        let unlooked = (!is_looked_at).then(|| event.kind().to_string());
        Judged {
            matches,
            facts: event.facts(),
            shape: (shaped.title, shaped.is_partly_read),
            unlooked,
        }
    }
}

/// Makes the index for events like some of this block, unless it is made already
fn prepare(engine: &Engine, block: &Block, is_flat: bool) {
    if !engine.wants_sample() {
        return;
    }
    let step = block.len().div_ceil(SAMPLED).max(1);
    let records = (0..block.len()).step_by(step).filter_map(|at| block.line(at).ok());
    let records: Vec<(&[u8], Kept)> = records.map(|record| (record, Kept::new())).collect();
    let form = block.form.as_ref();
    let events = records.iter().filter_map(|(record, kept)| {
        match read(engine, (record, form), is_flat, kept) {
            Verdict::Event(shaped) => Some(shaped.event),
            Verdict::Blank | Verdict::Unreadable(..) => None,
        }
    });
    engine.index(&events.collect::<Vec<_>>());
}

/// Reads the records of a block on all cores
fn read_block<'b>(
    engine: &'b Engine,
    block: &'b Block,
    is_flat: bool,
    kept: &'b [Kept],
) -> impl IndexedParallelIterator<Item = Verdict<Shaped<'b>>> {
    let lines = kept.par_iter().enumerate().with_min_len(SHARE);
    lines.map(move |(at, kept)| match block.line(at) {
        Ok(line) => read(engine, (line, block.form.as_ref()), is_flat, kept),
        Err(limit) => Verdict::Unreadable(1, too_long(limit)),
    })
}

/// Judges the records of a block on all cores
fn judge_block(engine: &Engine, block: &Block, is_flat: bool) -> Vec<Verdict<Judged>> {
    let kept: Vec<Kept> = (0..block.len()).map(|_| Kept::new()).collect();
    let read = read_block(engine, block, is_flat, &kept);
    read.map(|event| event.map(|event| Judged::of(engine, &event))).collect()
}

/// Judges the records of a block on all cores, once the process tree has followed them one by one
fn judge_in_order(
    engine: &Engine,
    memory: &mut Memory,
    block: &Block,
    is_flat: bool,
) -> Vec<Verdict<Judged>> {
    let kept: Vec<Kept> = (0..block.len()).map(|_| Kept::new()).collect();
    let mut events: Vec<_> = read_block(engine, block, is_flat, &kept).collect();
    for event in &mut events {
        if let Verdict::Event(event) = event {
            memory.follow(engine, &mut event.event);
        }
    }
    let events = events.into_par_iter().with_min_len(SHARE);
    events.map(|event| event.map(|event| Judged::of(engine, &event))).collect()
}
