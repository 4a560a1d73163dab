//! Options of commands that read events, and reports about event files.
//!
//! In: options about the fields and the kind of events. Out: [`Options`] for the engine, and findings
//! for lines that are not events.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;

use crate::definition::nearest_name;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::mapping::Mappings;
use crate::matcher::{Options, Shape, TextForm, Unreadable};
use crate::project::Failure;
use crate::source::{SourceText, Span};
use crate::taxonomy::{EventKind, Log};

/// Options of every command that reads events
#[derive(Args, Clone)]
pub(super) struct EventForm {
    /// The object inside each line that holds the event's fields; `Event.EventData` is one inside
    /// another
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// The kind of every event: `process_creation`, or a log source such as `windows/security`;
    /// `list events` shows them
    #[arg(long, value_name = "KIND", value_parser = kind)]
    event: Option<Given>,
    /// The field that names the kind of each event
    #[arg(long, value_name = "NAME", conflicts_with = "event")]
    event_field: Option<String>,
    /// The field that holds the time of each event; dots lead into objects
    #[arg(long, value_name = "NAME")]
    time_field: Option<String>,
    /// The shape of every event; without it each file shows its own
    #[arg(long, value_name = "NAME", value_parser = shape)]
    shape: Option<Named>,
    /// Skip and report lines longer than this, in bytes or with K, M, G
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = size)]
    max_line: usize,
}

impl EventForm {
    /// How the streams of events are read: the limit of a line in bytes, and the form of the text
    pub(super) fn reading(&self) -> (usize, Option<TextForm>) {
        let text = match self.shape {
            Some(Named::Text(text)) => Some(text),
            Some(Named::Shape(_)) | None => None,
        };
        (self.max_line, text)
    }

    /// The options for the engine
    ///
    /// # Errors
    /// When neither a table nor a rule knows the kind.
    pub(super) fn options(&self, (rules, mappings): Read<'_>) -> Result<Options, Failure> {
        if let Some(given) = &self.event {
            looked_at(&given.kind, rules)?;
        }
        Ok(Options {
            field: self.field.clone(),
            kind: self.event.as_ref().map(|given| given.kind.clone()),
            action: self.event.as_ref().and_then(|given| given.action),
            kind_field: self.event_field.clone(),
            time_field: self.time_field.clone(),
            shape: match self.shape {
                Some(Named::Shape(shape)) => Some(shape),
                Some(Named::Text(_)) | None => None,
            },
            mappings: mappings.clone(),
            shown: Vec::new(),
            naive: false,
        })
    }
}

/// Rules, and the mappings that events are read through
pub(super) type Read<'r> = (&'r [Rule], &'r Mappings);

/// A shape of events that the user names
#[derive(Clone, Copy)]
enum Named {
    Shape(Shape),
    Text(TextForm),
}

/// Reads the name of a shape; the error lists all names
fn shape(name: &str) -> Result<Named, String> {
    let text = TextForm::ALL.iter().find(|(known, _)| *known == name);
    let text = text.map(|(_, text)| Named::Text(*text));
    text.or_else(|| Shape::named(name).map(Named::Shape)).ok_or_else(|| {
        let texts = TextForm::ALL.iter().map(|(name, _)| *name);
        let names: Vec<_> = Shape::names().into_iter().chain(texts).collect();
        format!("expected {}", names.join(", "))
    })
}

/// Reads a kind of event: one of the tables, or a log source that only a rule names
fn kind(name: &str) -> Result<Given, String> {
    let known = EventKind::category(name);
    let (kind, action) = known.unwrap_or_else(|| (EventKind::Log(Log::of_name(name)), None));
    Ok(Given { kind, action })
}

/// A kind of event, and the action that Sigma's category implies
#[derive(Clone)]
struct Given {
    kind: EventKind,
    action: Option<&'static str>,
}

/// Refuses a kind that neither a table nor a rule knows: it is probably misspelt
fn looked_at(kind: &EventKind, rules: &[Rule]) -> Result<(), Failure> {
    let name = kind.name();
    let signals = rules.iter().flat_map(|rule| &rule.signals);
    if EventKind::named(name).is_some() || signals.clone().any(|signal| signal.kind == *kind) {
        return Ok(());
    }
    let mut why = format!("no rule looks at `{name}` events, and no table knows them");
    let tables = EventKind::ALL.iter().map(EventKind::name).chain(Log::names());
    let mut known: Vec<&str> = tables.collect();
    known.extend(signals.map(|signal| signal.kind.name()));
    if let Some(near) = nearest_name(name, known) {
        why.push_str(&format!("; did you mean `{near}`?"));
    }
    Err(Failure::new(why))
}

/// Reads a size: `16M`, `16 MiB`, `4096`
fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err(format!("`{unit}` is no unit: expected K, M or G")),
    };
    let bytes = number.parse::<usize>().ok().filter(|bytes| *bytes > 0);
    let bytes = bytes.and_then(|bytes| bytes.checked_mul(1 << shift));
    bytes.ok_or_else(|| "expected a size in bytes, such as 16M".to_owned())
}

/// The source and span of a line, counted from 1, of a file of events
///
/// The source holds no text of the event, which may be long or private: empty lines before the
/// span give the line its number.
pub(super) fn line_of(file: &str, line: usize) -> (Arc<SourceText>, Span) {
    let source = Arc::new(SourceText::new(file, "\n".repeat(line - 1)));
    (source, Span::new(line as u32 - 1, line as u32 - 1))
}

/// The first lines of a file that are not events, and the number of all such lines
#[derive(Default)]
pub(super) struct BadLines {
    first: Vec<Unreadable>,
    count: usize,
    /// The number of lines by reason
    reasons: BTreeMap<String, usize>,
}

impl BadLines {
    /// The most lines that are reported with their places
    const SHOWN: usize = 10;

    pub(super) fn push(&mut self, line: Unreadable) {
        self.count += 1;
        let reason = reason(&line);
        // Reasons name what stands in a line, so a hostile file may have any number of them.
        let is_known = self.reasons.len() < Self::SHOWN || self.reasons.contains_key(reason);
        let reason = if is_known { reason } else { "other reasons" };
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(line);
        }
    }

    /// Reports the first lines with their places, then how many more there are
    pub(super) fn report(self, file: &str, diagnostics: &mut Diagnostics) {
        let more = self.count - self.first.len();
        let reasons = self.reasons.iter().map(|(why, number)| format!("{why} ({number})"));
        let reasons: Vec<String> = reasons.collect();
        for (at, bad) in self.first.iter().enumerate() {
            let (source, end) = line_of(file, bad.line);
            let why = reason(bad);
            let message = format!("this line is no event: {why}");
            let diagnostic = Diagnostic::new(Code::E0702, &source, end, message, "not an event");
            diagnostics.push(match at + 1 == Self::SHOWN && more > 0 {
                true => diagnostic.note(format!(
                    "{more} more lines are no events; of all {}: {}",
                    self.count,
                    reasons.join(", ")
                )),
                false => diagnostic,
            });
        }
    }
}

/// Why a line is no event, without the place in it
fn reason(line: &Unreadable) -> &str {
    line.why.split(" at line ").next().unwrap_or_default()
}
