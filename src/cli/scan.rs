//! `scan`: rules over recorded events.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::events::{EventForm, Progress, not_events, open};
use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop};
use crate::definition::Looked;
use crate::ir::Rule;
use crate::matcher::{Engine, Finding, Found, Memory, Unreadable, scan};
use crate::project::{self, Failure};
use crate::source::visible_json;

/// Match events against the rules
///
/// Events are JSON objects in Sigma's field names, one a line; files may be gzipped. Prints one
/// JSON object for each signal that an event fits, and for each correlation, most of them when all
/// events have been read. An event whose kind nothing tells is tried against every signal.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast scan rules -e events.jsonl.gz\n  \
                        zcat events.jsonl.gz | rulecast scan rules -e - --event process_creation")]
pub(super) struct Scan {
    #[command(flatten)]
    rules: Rules,
    /// File of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    #[command(flatten)]
    form: EventForm,
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

impl Scan {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let project = self.rules.load()?;
        let rules: Vec<Rule> = project.reported().map(|loaded| loaded.rule.clone()).collect();
        let options = self.form.options(&rules)?;
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
