//! `scan`: rules over recorded events.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::census::Complaints;
use super::events::{EventForm, Progress};
use super::hit::Hits;
use super::input::Rules;
use super::interruption;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop, census, summary};
use crate::definition::Looked;
use crate::matcher::novelty::{MOST_COMBINATIONS, MOST_TERMS};
use crate::matcher::{End, Engine, Found, Listener, Memory, Options, Shortfall, scan};
use crate::project::{self, Failure};

/// Match events against the rules
///
/// Events are JSON in Sigma's field names, or in the shapes that people have: Windows events as EVTX or
/// JSON, Winlogbeat, exports of Splunk, CloudTrail, web server logs, CSV; packed or not. Each file shows
/// its own shape, which the summary tells. Prints one JSON object for each signal that an event fits, as
/// the lines come, and for each correlation, most of them when all events have been read. An event whose
/// kind nothing tells is tried against every signal. A file of which no event could match is an error,
/// with exit code 2. SIGINT, SIGTERM and SIGHUP end the run in order, with exit code 128 and the signal's
/// number; a file that breaks off is judged as far as it goes, with exit code 2.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast scan rules -e events.jsonl.gz\n  \
                        rulecast scan rules -e logs/ -e 'C/*.evtx'\n  \
                        zcat events.jsonl.gz | rulecast scan rules -e - --event process_creation")]
pub(super) struct Scan {
    #[command(flatten)]
    rules: Rules,
    /// File, folder or glob of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    #[command(flatten)]
    form: EventForm,
    /// Remember the new terms of this run in a file, and those of the runs before
    ///
    /// Runs at the same time may share the file: each adds what it has seen.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Also report signals that a correlation reports in their place
    #[arg(long)]
    signals: bool,
    /// Try every rule on every event, without an index: slow, to compare results with
    #[arg(long, hide = true)]
    no_index: bool,
    /// Exit 1 when something matched
    #[arg(long)]
    fail_on_match: bool,
}

impl Scan {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        let rules = workspace.take_reported();
        let read = (&*rules, &workspace.policy.mappings);
        let options = Options { naive: self.no_index, ..self.form.options(read)? };
        let engine = Engine::new(rules, &options);
        let mut complaints = Vec::new();
        // Paths that cannot be read or written are reported before hours of work.
        let (sources, passed_over) = project::sources(&self.events)?;
        let memory = match &self.state {
            Some(path) => kept(&engine, path)?,
            None => Memory::default(),
        };
        let mut memory = memory.until(tomorrow());
        let stop = interruption::listen()?;
        let files: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
        let out = io::BufWriter::new(io::stdout().lock());
        let mut hits = Hits::new(engine.rules(), &files, out, Progress::new(global.quiet));
        hits.signals = self.signals;
        let (mut censuses, mut broken) = (Vec::new(), Vec::new());
        for (file, source) in sources.iter().enumerate() {
            let mut lines = project::events(source, self.form.reading(), stop.clone())?;
            hits.file = file;
            let (census, end) = scan(&engine, &mut memory, (file, &mut lines), &mut hits)?;
            complaints.push(Complaints::of(&census, &files[file], &engine, &options));
            censuses.push(census);
            hits.progress = hits.progress.next();
            std::mem::take(&mut hits.bad).report(&files[file], &mut workspace.diagnostics);
            match end {
                End::Whole => {}
                End::Broken(error) => broken.push(format!("cannot read {}: {error}", files[file])),
                End::Stopped => break,
            }
        }
        for finding in memory.finish(&engine) {
            hits.found(Found::Together(finding))?;
        }
        hits.out.flush()?;
        let printed = hits.printed;
        if let Some(path) = &self.state {
            keep(&engine, &mut memory, path)?;
        }
        let found = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Err)?;
        summary::files(global, &files, &censuses, passed_over)?;
        let events = censuses.iter().map(|census| census.events).sum();
        let (matched, rules) = (count(printed, "match"), count(engine.rules().len(), "rule"));
        report::say(global, &format!("{}, {rules}: {matched}", count(events, "event")))?;
        // Printed even when the run is quiet.
        census::unheld(&engine.unheld()).iter().for_each(|why| report::warn(why));
        shortfalls(memory.shortfall()).iter().for_each(|why| report::warn(why));
        broken.extend(census::tell(complaints));
        broken.iter().for_each(|why| report::error(why));
        Ok(match stop.load(Ordering::Relaxed) {
            0 if !broken.is_empty() => Outcome::Broken,
            0 if self.fail_on_match && printed > 0 => Outcome::Findings,
            0 => outcome,
            signal => Outcome::Stopped(signal),
        })
    }
}

/// What correlations and novelty could not judge, a clause each: a finding may be missing or superfluous
pub(super) fn shortfalls(shortfall: Shortfall) -> Vec<String> {
    let crowded = format!("they have more than {MOST_COMBINATIONS} combinations of values");
    let all = [
        (shortfall.untimed, "not correlated: they have no time, or one in the future"),
        (shortfall.lost, "not correlated: they came too late, or were too many to remember"),
        (shortfall.crowded_terms, &format!("taken for new: {crowded}")),
        (shortfall.crowded_groups, &format!("reported each as a correlation: {crowded}")),
    ];
    let all = all.into_iter().filter(|(number, _)| *number > 0);
    let all = all.map(|(number, what)| format!("{} {what}", count(number, "match")));
    let forgotten = (shortfall.forgotten_terms > 0).then(|| {
        let terms = count(shortfall.forgotten_terms, "new term");
        format!(
            "{terms} forgotten: a rule remembers {MOST_TERMS}; they may be reported as new again"
        )
    });
    all.chain(forgotten).collect()
}

/// The latest time to accept: one day from now; a later time comes from a broken clock
pub(super) fn tomorrow() -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

/// The memory kept by an earlier run; an empty memory when the file does not exist yet
fn kept(engine: &Engine, path: &Path) -> Result<Memory, Failure> {
    project::replaceable(path)?;
    match std::fs::read_to_string(path) {
        Ok(json) => restored(engine, &json, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", project::display(path)))),
    }
}

/// Keeps the memory, joined with the terms that other runs have kept in the meantime
fn keep(engine: &Engine, memory: &mut Memory, path: &Path) -> Result<(), Failure> {
    project::update(path, |json| {
        if let Some(json) = json {
            memory.join(restored(engine, json, path)?);
        }
        Ok(memory.keep(engine))
    })
}

fn restored(engine: &Engine, json: &str, path: &Path) -> Result<Memory, Failure> {
    let cannot = |error| Failure::new(format!("cannot use {}: {error}", project::display(path)));
    Memory::restored(engine, json).map_err(cannot)
}
