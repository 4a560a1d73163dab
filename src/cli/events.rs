//! Files of events: how a command is told of them, and reading them.
//!
//! In: paths, and options that say where the fields of an event stand and what it is. Out: readers
//! of lines; what is no event becomes a finding at its line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use flate2::read::MultiGzDecoder;

use crate::definition::nearest_name;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::matcher::{Options, Unreadable};
use crate::project::Failure;
use crate::source::{SourceText, Span};
use crate::taxonomy::{EventKind, Log};

/// Options of every command that reads events
#[derive(Args, Clone)]
pub(super) struct EventForm {
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
}

impl EventForm {
    /// The same as the engine is told of it
    ///
    /// # Errors
    /// When the kind is one that neither a table nor a rule knows.
    pub(super) fn options(&self, rules: &[Rule]) -> Result<Options, Failure> {
        if let Some(given) = self.event {
            looked_at(given.kind, rules)?;
        }
        Ok(Options {
            field: self.field.clone(),
            kind: self.event.map(|given| given.kind),
            action: self.event.and_then(|given| given.action),
            kind_field: self.event_field.clone(),
        })
    }
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

/// Opens a file of events, gzipped or not; `-` is standard input
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
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

/// The place of a line, from 1, of a file of events
///
/// The line itself may be long and is the user's own; empty lines keep its number.
pub(super) fn line_of(file: &str, line: usize) -> (Arc<SourceText>, Span) {
    let source = Arc::new(SourceText::new(file, "\n".repeat(line - 1)));
    (source, Span::new(line as u32 - 1, line as u32 - 1))
}

/// The first bad lines with their place, then how many more there are
pub(super) fn not_events(file: &str, unreadable: &[Unreadable], diagnostics: &mut Diagnostics) {
    const SHOWN: usize = 10;
    for (at, bad) in unreadable.iter().take(SHOWN).enumerate() {
        let (source, end) = line_of(file, bad.line);
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
pub(super) struct Progress {
    shown: bool,
    next: Instant,
    active: bool,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let active = !quiet && io::stderr().is_terminal();
        Progress { shown: false, next: Instant::now() + Duration::from_secs(1), active }
    }

    pub(super) fn tell(&mut self, events: usize) {
        if self.active && Instant::now() >= self.next {
            self.next += Duration::from_millis(200);
            self.shown = true;
            // Losing a progress line is no reason to stop.
            let _ = write!(io::stderr(), "\r{events} events");
        }
    }

    pub(super) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
