//! Files of events as examples to try rules on.
//!
//! In: files, and where the fields of an event stand. Out: examples, a few hundred at a time; what
//! is no event becomes a finding at its line.

use std::path::PathBuf;

use serde_json::Value;

use super::events::{BadLines, EventForm, Progress};
use crate::diagnostic::Diagnostics;
use crate::ir::{Rule, say_action};
use crate::matcher::{Block, End, Lines, Options, Stop, Unreadable, too_long};
use crate::project::{Failure, check_events, display, events};
use crate::taxonomy::EventKind;
use crate::verify::{Example, Place};

/// So many events are tried at a time
const BLOCK: usize = 512;

/// The events of several files, one file after the other
pub(super) struct Files {
    /// As findings call them
    pub(super) names: Vec<String>,
    paths: Vec<PathBuf>,
    max_line: usize,
    options: Options,
    /// The stream of the file at hand, when it has been opened
    lines: Option<Lines<'static>>,
    block: Block,
    /// Which line of the block is next
    at: usize,
    /// Which file, and how many lines of it have been read
    place: (usize, usize),
    events: usize,
    bad: Vec<BadLines>,
    talk: Progress,
}

impl Files {
    /// Looks at them all, so that one that cannot be read is said before hours of work
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

    /// The next examples; none at the end
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

    /// Waits for lines of the file at hand or of the next one; false when all files are read
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

    /// Notes that the line at hand is no event
    fn is_bad(&mut self, why: String) -> Option<Example> {
        let (file, line) = self.place;
        self.bad[file].push(Unreadable { line, column: 1, why });
        None
    }

    /// The event of a line; `None` for an empty line, and for what is none
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
        let (kind, action) = match (self.options.kind, named) {
            (Some(kind), _) => (Some(kind), self.options.action),
            (None, Some(Some((kind, action)))) => (Some(kind), action),
            // Such events have no documents.
            (None, Some(None)) => return None,
            (None, None) => (None, None),
        };
        if !event.is_object() {
            return None;
        }
        say_action(&mut event, action);
        Some(Example { place: Place::Line { file, line: line_number }, event, kind })
    }

    /// Reports what was no event
    pub(super) fn finish(&mut self, diagnostics: &mut Diagnostics) {
        self.talk.clear();
        for (name, bad) in self.names.iter().zip(&mut self.bad) {
            std::mem::take(bad).report(name, diagnostics);
        }
    }
}
