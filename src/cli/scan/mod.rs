//! `scan`: rules over recorded events.

mod choice;
mod csv;
mod hits;
mod line;
mod overview;
mod table;
mod tally;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::census::Complaints;
use super::events::EventForm;
use super::input::Rules;
use super::interruption;
use super::progress::Progress;
use super::report::{self, Stream, count};
use super::seen::Columns;
use super::{Global, Outcome, Stop, census, summary};
use crate::definition::Looked;
use crate::diagnostic::Diagnostics;
use crate::matcher::novelty::{MOST_COMBINATIONS, MOST_TERMS};
use crate::matcher::{
    self, Census, End, Engine, Found, Listener, Memory, Options, Shortfall, scan,
};
use crate::pages::{self, EventFile, Severe, Sightings};
use crate::project::{self, Failure, Source};
use choice::Choice;
use hits::{About, Form, Hits};
use overview::Overview;

const EXAMPLE: &str = "Example:
  rulecast scan rules -e events.jsonl.gz
  rulecast scan rules -e logs/ -e 'C/*.evtx' --format table
  rulecast scan rules -e logs/ --level high --since 7d --html findings.html
  rulecast scan rules -e logs/ --tag 'attack.t1505*' --format csv > findings.csv
  rulecast scan rules -e logs/ --summary
  zcat events.jsonl.gz | rulecast scan rules -e - --event process_creation";

/// Match events against the rules
///
/// Events are JSON in Sigma's field names, or in the shapes that people have: Windows events as EVTX or
/// JSON, Winlogbeat, exports of Splunk, CloudTrail, web server logs, CSV; packed or not. Each file shows
/// its own shape, which the summary tells. Prints one JSON object for each signal that an event fits, as
/// the lines come, and for each correlation, most of them when all events have been read. An event whose
/// kind nothing tells is tried against every signal. A file of which no event could match is an error,
/// with exit code 2. SIGINT, SIGTERM and SIGHUP end the run in order, with exit code 128 and the signal's
/// number; a file that breaks off is judged as far as it goes, with exit code 2.
///
/// `--format table` prints a line for each match that fits the terminal, `--format csv` a row for a
/// spreadsheet: time, host, user, image, command line, rule and level, and the fields that the rule asks for
/// by `fields:`. A cell that a spreadsheet would run as a formula begins with `'`; a character that controls
/// a terminal is `�`. A match that `new_terms` rules out is counted and not printed.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Scan {
    #[command(flatten)]
    rules: Rules,
    /// File, folder or glob of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    #[command(flatten)]
    form: EventForm,
    #[command(flatten)]
    choice: Choice,
    /// Print counts in place of matches: of each rule, host and level, with the first and the last time;
    /// with `--format json` one object
    #[arg(long, help_heading = "Findings")]
    summary: bool,
    /// Also write a page for a browser to this file: a timeline of each host, the matches with search and
    /// filters, and the rules
    ///
    /// The page needs no network and no other file. It has room for 20,000 matches, the most severe, and
    /// says how many it leaves out.
    #[arg(long, value_name = "FILE", help_heading = "Findings")]
    html: Option<PathBuf>,
    /// Remember the new terms of this run in a file, and those of the runs before
    ///
    /// Runs at the same time may share the file: each adds what it has seen.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Try every rule on every event, without an index: slow, to compare results with
    #[arg(long, hide = true)]
    no_index: bool,
    /// Exit 1 when something matched
    #[arg(long)]
    fail_on_match: bool,
}

/// What was read
#[derive(Default)]
struct Read {
    censuses: Vec<Census>,
    complaints: Vec<Complaints>,
    /// Why files could not be read to their ends
    broken: Vec<String>,
    /// Whether a signal ended the run
    is_stopped: bool,
}

impl Scan {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        let rules = self.choice.rules(workspace.take_reported())?;
        let columns = Columns::of(&rules);
        let options = self.form.options((&rules, &workspace.policy.mappings))?;
        let options = Options { naive: self.no_index, shown: columns.shown(), ..options };
        let engine = Engine::new(rules, &options);
        // Paths that cannot be read or written are reported before hours of work.
        let (sources, passed_over) = project::sources(&self.events)?;
        self.html.iter().try_for_each(|path| project::replaceable(path))?;
        let memory = match &self.state {
            Some(path) => kept(&engine, path)?,
            None => Memory::default(),
        };
        let mut memory = memory.until(tomorrow());
        let stop = interruption::listen()?;
        let files: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
        let about = About {
            rules: engine.rules(),
            columns: &columns,
            choice: &self.choice,
            sources: &sources,
            files: &files,
        };
        let form = Form::of(global.format, self.summary);
        let page = self.html.as_ref().map(|_| Severe::default());
        let out = io::BufWriter::new(io::stdout().lock());
        let mut hits = Hits::begin(about, (form, page), out, Progress::new(global.quiet))?;
        let diagnostics = &mut workspace.diagnostics;
        let read =
            self.read((&engine, &options), &mut memory, (&sources, &stop), &mut hits, diagnostics)?;
        self.conclude(global, &engine, &mut hits)?;
        if let Some(path) = &self.state {
            keep(&engine, &mut memory, path)?;
        }
        let findings = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &findings, Stream::Err)?;
        summary::files(global, &files, &read.censuses, passed_over)?;
        self.write_page(global, &engine, &mut hits, (&files, &read, memory.shortfall()))?;
        said(global, &engine, &hits)?;
        // Printed even when the run is quiet.
        census::unheld(&engine.unheld()).iter().for_each(|why| report::warn(why));
        left_out(&hits).iter().for_each(|why| report::warn(why));
        shortfalls(memory.shortfall()).iter().for_each(|why| report::warn(why));
        let mut broken = read.broken;
        broken.extend(census::tell(read.complaints));
        broken.iter().for_each(|why| report::error(why));
        Ok(match stop.load(Ordering::Relaxed) {
            0 if !broken.is_empty() => Outcome::Broken,
            0 if self.fail_on_match && hits.tally.all.number > 0 => Outcome::Findings,
            0 => outcome,
            signal => Outcome::Stopped(signal),
        })
    }

    /// Reads every file, until a signal comes; findings about their lines go to `diagnostics`
    fn read<W: Write>(
        &self,
        (engine, options): (&Engine, &Options),
        memory: &mut Memory,
        (sources, stop): (&[Source], &matcher::Stop),
        hits: &mut Hits<'_, W>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Read, Stop> {
        let mut read = Read::default();
        for (file, source) in sources.iter().enumerate() {
            let mut lines = project::events(source, self.form.reading(), stop.clone())?;
            hits.file = file;
            let (census, end) = scan(engine, memory, (file, &mut lines), hits)?;
            read.complaints.push(Complaints::of(&census, &source.name, engine, options));
            hits.events += census.events;
            read.censuses.push(census);
            std::mem::take(&mut hits.bad).report(&source.name, diagnostics);
            match end {
                End::Whole => {}
                End::Broken(error) => {
                    read.broken.push(format!("cannot read {}: {error}", source.name));
                }
                End::Stopped => {
                    read.is_stopped = true;
                    break;
                }
            }
        }
        for finding in memory.finish(engine) {
            hits.found(Found::Together(finding))?;
        }
        Ok(read)
    }

    /// Prints the end of the data on stdout
    fn conclude<W: Write>(
        &self,
        global: &Global,
        engine: &Engine,
        hits: &mut Hits<'_, W>,
    ) -> io::Result<()> {
        if self.summary {
            let (events, known) = (hits.events, hits.known);
            let tally = std::mem::take(&mut hits.tally);
            let overview = Overview { rules: engine.rules(), tally: &tally, events, known };
            overview.print(hits.end()?, global.format)?;
            hits.tally = tally;
        }
        hits.end()?;
        Ok(())
    }

    /// Writes the page of `--html`
    fn write_page<W: Write>(
        &self,
        global: &Global,
        engine: &Engine,
        hits: &mut Hits<'_, W>,
        (files, read, shortfall): (&[String], &Read, Shortfall),
    ) -> Result<(), Stop> {
        let (Some(path), Some(page)) = (&self.html, hits.page.take()) else { return Ok(()) };
        let (severe, note) = page.finish();
        let mut notes: Vec<String> = note.into_iter().chain(left_out(hits)).collect();
        notes.extend(shortfalls(shortfall));
        notes.extend(read.complaints.iter().flat_map(Complaints::all).cloned());
        notes.extend(read.broken.iter().cloned());
        let lines = hits.unreadable;
        notes.extend(
            (lines > 0).then(|| format!("not read: {} that hold no event", count(lines, "line"))),
        );
        notes.extend(read.is_stopped.then(|| "stopped before all events were read".to_owned()));
        let file = |(name, census): (&String, &Census)| EventFile {
            name: name.clone(),
            events: census.events,
        };
        let files = files.iter().zip(&read.censuses).map(file).collect();
        let sightings = Sightings { files, found: severe, notes };
        let text = pages::hunt(&self.rules.name(), engine.rules(), &sightings);
        let text = text.map_err(Failure::new)?;
        project::update(path, |_| Ok(text.clone()))?;
        Ok(report::say(global, &format!("page written to {}", project::display(path)))?)
    }
}

/// The last line of the summary: `4,120 events, 6 rules: 3 matches; 12 more are not new`
fn said<W: Write>(global: &Global, engine: &Engine, hits: &Hits<'_, W>) -> io::Result<()> {
    let (events, rules) = (count(hits.events, "event"), count(engine.rules().len(), "rule"));
    let matched = count(hits.tally.all.number, "match");
    let known = match hits.known {
        0 => String::new(),
        1 => "; 1 more is not new (`--known` prints it)".to_owned(),
        known => format!("; {known} more are not new (`--known` prints them)"),
    };
    report::say(global, &format!("{events}, {rules}: {matched}{known}"))
}

/// Why matches are not reported that may be findings all the same
fn left_out<W: Write>(hits: &Hits<'_, W>) -> Vec<String> {
    let all = [
        (
            hits.untimed,
            "`--since` and `--until` need the time of the event, and none can be read; try `--time-field`",
        ),
        (
            hits.termless,
            "the event lacks a field that `new_terms` asks for, so nothing can be new; `--known` prints them",
        ),
    ];
    let all = all.into_iter().filter(|(number, _)| *number > 0);
    all.map(|(number, why)| format!("{} left out: {why}", count(number, "match"))).collect()
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
