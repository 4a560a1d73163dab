//! Reads files of events as examples to try rules on.
//!
//! In: files, and options about the fields and kind of events. Out: examples, up to 512 at a time;
//! a line that is not an event becomes a finding.

use std::path::PathBuf;

use serde_json::Value;

use super::events::{BadLines, EventForm, Progress};
use crate::diagnostic::Diagnostics;
use crate::ir::{Rule, say_action};
use crate::matcher::{Block, End, Lines, Options, Stop, Unreadable, too_long};
use crate::project::{Failure, check_events, display, events};
use crate::taxonomy::EventKind;
use crate::verify::{Example, Place};

/// The most events that are tried at a time
const BLOCK: usize = 512;

/// The events of several files, one file after the other
pub(super) struct Files {
    /// Names of the files in findings
    pub(super) names: Vec<String>,
    paths: Vec<PathBuf>,
    max_line: usize,
    options: Options,
    /// The stream of the current file; `None` until it is opened
    lines: Option<Lines<'static>>,
    block: Block,
    /// Index of the next line in the block
    at: usize,
    /// Index of the current file, and the number of its lines read so far
    place: (usize, usize),
    events: usize,
    bad: Vec<BadLines>,
    talk: Progress,
}

impl Files {
    /// Checks all files, so that an unreadable file is reported before hours of work
    pub(super) fn open(
        paths: &[PathBuf],
        form: &EventForm,
        rules: &[Rule],
        quiet: bool,
    ) -> Result<Self, Failure> {
        check_events(paths)?;
        Ok(Files {
            names: paths.iter().map(|path| display(path)).collect(),
            paths: paths.to_vec(),
            max_line: form.max_line(),
            options: form.options(rules)?,
            lines: None,
            block: Block::default(),
            at: 0,
            place: (0, 0),
            events: 0,
            bad: paths.iter().map(|_| BadLines::default()).collect(),
            talk: Progress::new(quiet),
        })
    }

    /// The next examples; an empty list at the end
    pub(super) fn next(&mut self) -> Result<Vec<Example>, Failure> {
        let mut examples = Vec::new();
        while examples.len() < BLOCK && (self.at < self.block.len() || self.refill()?) {
            self.place.1 += 1;
            self.at += 1;
            let block = std::mem::take(&mut self.block);
            let example = match block.line(self.at - 1) {
                Ok(line) => self.example(line),
                Err(limit) => self.is_bad(too_long(limit)),
            };
            self.block = block;
            examples.extend(example);
        }
        self.events += examples.len();
        self.talk.tell(self.events);
        Ok(examples)
    }

    /// Waits for lines of the current or the next file; false when all files are read
    fn refill(&mut self) -> Result<bool, Failure> {
        self.at = 0;
        while let Some(path) = self.paths.get(self.place.0) {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => self.lines.insert(events(path, self.max_line, Stop::default())?),
            };
            match lines.next(&mut self.block) {
                None => return Ok(true),
                Some(End::Broken(error)) => {
                    let name = &self.names[self.place.0];
                    return Err(Failure::new(format!("cannot read {name}: {error}")));
                }
                Some(End::Whole | End::Stopped) => {
                    self.lines = None;
                    self.place = (self.place.0 + 1, 0);
                }
            }
        }
        Ok(false)
    }

    /// Notes that the current line is not an event; returns `None`
    fn is_bad(&mut self, why: String) -> Option<Example> {
        let (file, line) = self.place;
        self.bad[file].push(Unreadable { line, column: 1, why });
        None
    }

    /// The event of a line; `None` for an empty line and for a line that is not a usable event
    fn example(&mut self, line: &[u8]) -> Option<Example> {
        let (file, line_number) = self.place;
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
        if text.is_empty() {
            return None;
        }
        let mut event: Value = match serde_json::from_slice(text) {
            Ok(event @ Value::Object(_)) => event,
            other => {
                let why = other.err().map_or("not an object".to_owned(), |why| why.to_string());
                return self.is_bad(why);
            }
        };
        let named = self.options.kind_field.as_ref().and_then(|field| event.get(field)?.as_str());
        let named = named.map(EventKind::category);
        if let Some(field) = &self.options.field {
            event = event.get_mut(field)?.take();
        }
        let (kind, action) = match (&self.options.kind, named) {
            (Some(kind), _) => (Some(kind.clone()), self.options.action),
            (None, Some(Some((kind, action)))) => (Some(kind), action),
            // Elastic has no documents for an unknown kind of event.
            (None, Some(None)) => return None,
            (None, None) => (None, None),
        };
        if !event.is_object() {
            return None;
        }
        say_action(&mut event, action);
        Some(Example { place: Place::Line { file, line: line_number }, event, kind })
    }

    /// Reports the lines that are not events
    pub(super) fn finish(&mut self, diagnostics: &mut Diagnostics) {
        self.talk.clear();
        for (name, bad) in self.names.iter().zip(&mut self.bad) {
            std::mem::take(bad).report(name, diagnostics);
        }
    }
}
