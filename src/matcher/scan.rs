//! Judges the lines of a stream on all cores.
//!
//! In: lines of JSON. Out: [`Hit`]s in the order of the lines, whatever the number of threads.
//! Lines come in blocks; the blocks in work and the state of the [`Memory`] bound the memory used.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use rayon::prelude::*;

use super::ancestry::ProcessTree;
use super::block::Block;
use super::census::{Census, Facts};
use super::correlate::{Correlator, Together};
use super::event::Event;
use super::group::Waiting;
use super::lines::{End, Lines};
use super::novelty::{NewTerms, SeenTerm};
use super::reading::{Kept, Shaped, Verdict, is_flat, read, too_long};
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

/// The state of a run: terms seen, processes, and events that wait in correlations
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) terms: BTreeMap<usize, NewTerms>,
    /// Terms of the state file for rules that this run did not load, by name
    pub(super) others: BTreeMap<String, (Vec<String>, Vec<SeenTerm>)>,
    tree: ProcessTree,
    correlators: BTreeMap<usize, Correlator>,
    /// Matches without a time, which no correlation can place
    untimed: usize,
    /// Matches with more combinations of new terms than the limit
    crowded_terms: usize,
    /// Later times are ignored: the clock was wrong
    pub(super) now: Option<Timestamp>,
}

/// Numbers of matches that correlations or novelty could not judge exactly
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// Not correlated: without a time, or with one in the future
    pub untimed: usize,
    /// Not correlated: too late, or forgotten to make room
    pub lost: usize,
    /// Reported as new: more than [`MOST_COMBINATIONS`](super::novelty::MOST_COMBINATIONS) terms
    pub crowded_terms: usize,
    /// Terms forgotten to make room, which may be reported as new again
    pub forgotten_terms: usize,
    /// Reported by themselves: in more groups of a correlation than the same limit
    pub crowded_groups: usize,
}

/// A completed correlation of a rule
#[derive(Debug)]
pub struct Finding {
    /// Index of the rule
    pub rule: usize,
    /// The correlation and its events
    pub together: Together,
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
    let (mut line, mut census) = (0, Census::default());
    let mut flat = None;
    let mut block = Block::default();
    loop {
        if let Some(end) = lines.next(&mut block) {
            return Ok((census, end));
        }
        let flat = *flat.get_or_insert_with(|| {
            let flat = is_flat(engine, &block);
            prepare(engine, &block, flat);
            flat
        });
        let verdicts = judge_block(engine, memory, &block, flat);
        for (at, verdict) in verdicts.into_iter().enumerate() {
            line += 1;
            match verdict {
                Verdict::Blank => {}
                Verdict::Unreadable(column, why) => {
                    listener.unreadable(Unreadable { line, column, why });
                }
                Verdict::Event(Judged { matches, facts, shape, unlooked }) => {
                    census.count((facts, shape), unlooked, block.line(at).unwrap_or_default());
                    for matched in matches {
                        let (new, together) = memory.take(engine, &matched, (file, line));
                        for finding in together {
                            listener.found(Found::Together(finding))?;
                        }
                        listener.found(Found::Hit(Hit { line, matched, new }))?;
                    }
                }
            }
        }
        listener.judged(census.events)?;
    }
}

impl Memory {
    /// Ignores timestamps after `now`: the clock was wrong
    #[must_use]
    pub fn until(self, now: Timestamp) -> Memory {
        Memory { now: Some(now), ..self }
    }

    /// Takes a match; returns whether it is new, as [`Memory::observe`] does, and the findings that
    /// could not wait for the end, as [`Memory::correlate`] does
    ///
    /// A signal with `new_terms` counts only when it is new, so a match that is not new takes no
    /// part in a correlation. `place` is the number of the file and the line.
    pub fn take(
        &mut self,
        engine: &Engine,
        matched: &Match,
        place: (usize, usize),
    ) -> (Option<bool>, Vec<Finding>) {
        let new = self.observe(engine, matched);
        let together = match new {
            Some(false) => Vec::new(),
            Some(true) | None => self.correlate(engine, matched, place),
        };
        (new, together)
    }

    /// Records the combinations of the match; true when one is new, `None` without `new_terms`
    pub fn observe(&mut self, engine: &Engine, matched: &Match) -> Option<bool> {
        let window = engine.rules()[matched.rule].new_terms.as_ref()?.window;
        let terms = matched.terms.as_ref()?;
        let seen = self.terms.entry(matched.rule).or_default();
        let mut new = terms.more;
        self.crowded_terms += usize::from(terms.more);
        for key in &terms.keys {
            new |= seen.observe(key, matched.time, (window, self.now));
        }
        Some(new)
    }

    /// Takes a match for the correlations; returns the findings that could not wait for the end
    ///
    /// They come when too many events wait, or when the event is in too many groups. `place` is the
    /// number of the file and the line.
    pub fn correlate(
        &mut self,
        engine: &Engine,
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
        let completions = correlator.observe(&engine.rules()[rule], waiting);
        completions.into_iter().map(|together| Finding { rule, together }).collect()
    }

    /// Judges the events that still wait in correlations
    pub fn finish(&mut self, engine: &Engine) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (rule, correlator) in &mut self.correlators {
            let together = correlator.finish(&engine.rules()[*rule]).into_iter();
            findings.extend(together.map(|together| Finding { rule: *rule, together }));
        }
        findings
    }

    /// Every event that completes a correlation, also where its group is reported already; without those that
    /// take part
    pub(crate) fn completions(&mut self, engine: &Engine) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (rule, correlator) in &mut self.correlators {
            let together = correlator.completions(&engine.rules()[*rule]).into_iter();
            findings.extend(together.map(|together| Finding { rule: *rule, together }));
        }
        findings
    }

    /// Numbers of matches that could not be judged exactly, since the start of the run
    pub fn shortfall(&self) -> Shortfall {
        let sum = |count: fn(&Correlator) -> usize| self.correlators.values().map(count).sum();
        Shortfall {
            untimed: self.untimed,
            lost: sum(|correlator| correlator.lost),
            crowded_terms: self.crowded_terms,
            forgotten_terms: self.terms.values().map(NewTerms::forgotten).sum(),
            crowded_groups: sum(|correlator| correlator.crowded),
        }
    }

    /// Adds the terms that another run has seen
    pub fn join(&mut self, other: Memory) {
        for (rule, terms) in other.terms {
            self.terms.entry(rule).or_default().join(terms);
        }
        self.others.extend(other.others);
    }

    /// Fills the grandparent of an event and records its process, when a rule reads grandparents
    pub(super) fn follow(&mut self, engine: &Engine, event: &mut Event<'_>) {
        if let Some(places) = engine.ancestry {
            self.tree.follow(places, event);
        }
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

/// Judges the records of a block on all cores
fn judge_block(
    engine: &Engine,
    memory: &mut Memory,
    block: &Block,
    is_flat: bool,
) -> Vec<Verdict<Judged>> {
    let kept: Vec<Kept> = (0..block.len()).map(|_| Kept::new()).collect();
    let lines = kept.par_iter().enumerate().with_min_len(SHARE);
    let read = lines.map(|(at, kept)| match block.line(at) {
        Ok(line) => read(engine, (line, block.form.as_ref()), is_flat, kept),
        Err(limit) => Verdict::Unreadable(1, too_long(limit)),
    });
    if engine.ancestry.is_none() {
        return read.map(|event| event.map(|event| Judged::of(engine, &event))).collect();
    }
    // The process tree needs the events in the order of the stream: this step is sequential.
    let mut events: Vec<Verdict<Shaped<'_>>> = read.collect();
    for event in &mut events {
        if let Verdict::Event(event) = event {
            memory.follow(engine, &mut event.event);
        }
    }
    let events = events.into_par_iter().with_min_len(SHARE);
    events.map(|event| event.map(|event| Judged::of(engine, &event))).collect()
}
