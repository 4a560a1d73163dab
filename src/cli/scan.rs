//! `scan`: rules over recorded events.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::input::Surroundings;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop};
use crate::definition::{Looked, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::matcher::{Engine, Finding, Found, Memory, Options, Unreadable, scan};
use crate::project::{self, Failure};
use crate::source::{SourceText, Span, visible_json};
use crate::taxonomy::{EventKind, Log};

/// Match events against the rules
///
/// Events are JSON objects in Sigma's field names, one a line; files may be gzipped. Prints one
/// JSON object for each signal that an event fits, and for each correlation, most of them when all
/// events have been read. An event whose kind nothing tells is tried against every signal.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast scan rules -e events.jsonl.gz\n  \
                        zcat events.jsonl.gz | rulecast scan rules -e - --event process_creation")]
pub(super) struct Scan {
    /// Rule files or folders
    #[arg(value_name = "PATH", default_value = "rules")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    around: Surroundings,
    /// File of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    /// The object inside each line that holds the event's fields
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// The kind of every event: `process_creation`, or a log source such as `windows/security`;
    /// `list events` shows them
    #[arg(long, value_name = "KIND", value_parser = kind)]
    event: Option<Given>,
    /// The field that names the kind of each event
    #[arg(long, value_name = "NAME", conflicts_with = "event")]
    event_field: Option<String>,
    /// Remember the new terms of this run in a file, and those of the runs before
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Also report signals that a correlation reports in their place
    #[arg(long)]
    signals: bool,
    /// Exit 1 when something matched
    #[arg(long)]
    fail_on_match: bool,
}

/// Reads a kind of event: one of the tables, or a log source that only a rule names
fn kind(name: &str) -> Result<Given, String> {
    let known = EventKind::category(name);
    let (kind, action) = known.unwrap_or_else(|| (EventKind::Log(Log::of_name(name)), None));
    Ok(Given { kind, action })
}

/// A kind of event, and what Sigma's category says has happened in it
#[derive(Clone, Copy)]
struct Given {
    kind: EventKind,
    action: Option<&'static str>,
}

/// A kind that neither a table nor a rule knows is probably misspelt
fn looked_at(kind: EventKind, rules: &[Rule]) -> Result<(), Failure> {
    let name = kind.name();
    let signals = rules.iter().flat_map(|rule| &rule.signals);
    if EventKind::named(name).is_some() || signals.clone().any(|signal| signal.kind == kind) {
        return Ok(());
    }
    let mut why = format!("no rule looks at `{name}` events, and no table knows them");
    let known = EventKind::ALL.iter().copied().chain(Log::all().map(EventKind::Log));
    let known = known.chain(signals.map(|signal| signal.kind)).map(EventKind::name);
    if let Some(near) = nearest_name(name, known) {
        why.push_str(&format!("; did you mean `{near}`?"));
    }
    Err(Failure::new(why))
}

impl Scan {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let project = self.around.load(&self.paths)?;
        let rules: Vec<Rule> = project.reported().map(|loaded| loaded.rule.clone()).collect();
        if let Some(given) = self.event {
            looked_at(given.kind, &rules)?;
        }
        let options = Options {
            field: self.field,
            kind: self.event.map(|given| given.kind),
            action: self.event.and_then(|given| given.action),
            kind_field: self.event_field,
        };
        let engine = Engine::new(&rules, &options);
        let memory = match &self.state {
            Some(path) => remembered(&engine, path)?,
            None => Memory::default(),
        };
        let mut memory = memory.until(tomorrow());
        // What cannot be read or kept is better said before hours of work.
        for path in self.events.iter().filter(|path| path.as_path() != Path::new("-")) {
            open(path)?;
        }
        if let Some(path) = &self.state {
            project::replaceable(path)?;
        }
        let names: Vec<String> =
            self.events.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect();
        let (mut events, mut hits) = (0, 0);
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut tell = |found: &Found, file: usize| -> io::Result<()> {
            if let Some(line) = line(&rules, &names, file, found, self.signals) {
                hits += 1;
                writeln!(out, "{}", visible_json(&line.to_string()))?;
            }
            Ok(())
        };
        for (file, path) in self.events.iter().enumerate() {
            let name = &names[file];
            let mut reader: Box<dyn BufRead> = open(path)?;
            let mut talk = Progress::new(global.quiet);
            let mut unreadable = Vec::new();
            let mut found = |found: Found| tell(&found, file);
            let mut bad = |line: Unreadable| unreadable.push(line);
            let mut progress = |events: usize| talk.tell(events);
            let stream = (file, reader.as_mut());
            let scanned = scan(&engine, &mut memory, stream, &mut found, &mut bad, &mut progress);
            let broken = |error: io::Error| {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    return Stop::Io(error);
                }
                Stop::Failed(Failure::new(format!("cannot read {name}: {error}")))
            };
            events += scanned.map_err(broken)?;
            talk.clear();
            not_events(name, &unreadable, &mut project.diagnostics);
        }
        for finding in memory.finish(&engine) {
            tell(&Found::Together(finding), 0)?;
        }
        out.flush()?;
        if let Some(path) = &self.state {
            project::replace(path, memory.keep(&engine).as_bytes())?;
        }
        let found = report::relevant(global, project, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Err)?;
        let (matched, rules) = (count(hits, "match"), count(rules.len(), "rule"));
        report::say(global, &format!("{}, {rules}: {matched}", count(events, "event")))?;
        let (untimed, lost) = memory.uncorrelated();
        // Said even to those who want to hear nothing: a finding may be missing.
        for (number, why) in [
            (untimed, "have no time, or one in the future"),
            (lost, "came too late, or were too many to remember"),
        ] {
            if number > 0 {
                let matches = count(number, "match");
                writeln!(anstream::stderr().lock(), "warning: {matches} not correlated: {why}")?;
            }
        }
        let fails = self.fail_on_match && hits > 0;
        Ok(if fails { Outcome::Findings } else { outcome })
    }
}

/// No clock is more than a day ahead; later times are broken
fn tomorrow() -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

/// The memory that an earlier run has kept; a new one when there is no file yet
fn remembered(engine: &Engine<'_>, path: &Path) -> Result<Memory, Failure> {
    match std::fs::read_to_string(path) {
        Ok(json) => Memory::restored(engine, &json)
            .map_err(|error| Failure::new(format!("cannot use {}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let head = reader.fill_buf().unwrap_or_default();
    if head.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(reader);
        return Ok(Box::new(BufReader::with_capacity(1 << 20, unpacked)));
    }
    Ok(Box::new(reader))
}

/// What is printed of a finding; nothing of what is reported through a correlation only
fn line(
    rules: &[Rule],
    files: &[String],
    file: usize,
    found: &Found,
    signals: bool,
) -> Option<serde_json::Value> {
    let head = |rule: &Rule| {
        let id = rule.metadata.id.as_ref().map(|id| id.value.clone());
        Map::from_iter([
            ("rule".to_owned(), json!(rule.metadata.title.value)),
            ("id".to_owned(), json!(id)),
        ])
    };
    let (mut line, rest) = match found {
        Found::Hit(hit) => {
            let rule = &rules[hit.matched.rule];
            if !signals && !rule.reports_signal(hit.matched.signal) {
                return None;
            }
            let mut rest = json!({
                "signal": rule.signals[hit.matched.signal].name,
                "level": hit.matched.level.as_str(),
                "file": files[file],
                "line": hit.line,
                "fields": hit.matched.fields,
            });
            if let Some(new) = hit.new {
                rest["new"] = json!(new);
            }
            (head(rule), rest)
        }
        Found::Together(Finding { rule, together }) => {
            let rule = &rules[*rule];
            if !rule.reports_correlation(together.correlation) {
                return None;
            }
            let correlation = &rule.correlations[together.correlation];
            let place = |(file, line): &(usize, usize)| json!({"file": files[*file], "line": line});
            let events: Vec<_> = together.places.iter().map(place).collect();
            let group: Map<String, serde_json::Value> =
                together.group.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let rest = json!({
                "correlation": correlation.name,
                "level": correlation.level.as_str(),
                "time": together.time.to_string(),
                "group": group,
                "events": events,
            });
            (head(rule), rest)
        }
    };
    if let serde_json::Value::Object(rest) = rest {
        line.extend(rest);
    }
    Some(serde_json::Value::Object(line))
}

/// The first bad lines with their place, then how many more there are
fn not_events(file: &str, unreadable: &[Unreadable], diagnostics: &mut Diagnostics) {
    const SHOWN: usize = 10;
    for (at, bad) in unreadable.iter().take(SHOWN).enumerate() {
        // The line itself may be long and is the user's own; empty lines keep its number.
        let source = Arc::new(SourceText::new(file, "\n".repeat(bad.line - 1)));
        let end = Span::new(bad.line as u32 - 1, bad.line as u32 - 1);
        let why = bad.why.split(" at line ").next().unwrap_or_default();
        let message = format!("this line is no event: {why}");
        let found = Diagnostic::new(Code::E0702, &source, end, message, "not an event");
        let more = unreadable.len() - SHOWN.min(unreadable.len());
        diagnostics.push(match (at + 1 == SHOWN, more) {
            (true, more) if more > 0 => found.note(format!("{} more lines are no events", more)),
            _ => found,
        });
    }
}

/// Tells a person at a terminal how far a long scan is
struct Progress {
    shown: bool,
    next: Instant,
    active: bool,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        let active = !quiet && io::stderr().is_terminal();
        Progress { shown: false, next: Instant::now() + Duration::from_secs(1), active }
    }

    fn tell(&mut self, events: usize) {
        if self.active && Instant::now() >= self.next {
            self.next += Duration::from_millis(200);
            self.shown = true;
            // Losing a progress line is no reason to stop.
            let _ = write!(io::stderr(), "\r{events} events");
        }
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
