//! Reads files of events as examples to try rules on.
//!
//! In: files, and options about the fields and kind of events. Out: examples, up to 512 at a time;
//! a line that is not an event becomes a finding.

use std::path::PathBuf;

use serde_json::Value;

use super::Stop as Stopped;
use super::events::{BadLines, EventForm, Read};
use super::progress::Progress;
use crate::diagnostic::Diagnostics;
use crate::ir::say_action;
use crate::matcher::{Block, End, Flattener, Lines, Options, Stop, TextForm, Unreadable};
use crate::project::{Failure, Source, events, sources};
use crate::taxonomy::EventKind;
use crate::verify::{Example, Place};

/// The most events that are tried at a time
const BLOCK: usize = 512;

/// The events of several files, one file after the other
pub(super) struct Files {
    /// Names of the files in findings
    pub(super) names: Vec<String>,
    sources: Vec<Source>,
    reading: (usize, Option<TextForm>),
    options: Options,
    flattener: Flattener,
    /// The stream of the current file; `None` until it is opened
    lines: Option<Lines<'static>>,
    block: Block,
    /// Index of the next line in the block
    at: usize,
    /// Index of the current file, and the number of its lines read so far
    place: (usize, usize),
    events: usize,
    /// The number of records, and of those without the object and the field that the options name
    records: [usize; 3],
    bad: Vec<BadLines>,
    talk: Progress,
}

impl Files {
    /// Checks all files, so that an unreadable file is reported before hours of work
    pub(super) fn open(
        paths: &[PathBuf],
        form: &EventForm,
        read: Read<'_>,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let (sources, _) = sources(paths)?;
        let options = form.options(read)?;
        Ok(Files {
            names: sources.iter().map(|source| source.name.clone()).collect(),
            reading: form.reading(),
            flattener: Flattener::new(&options, read.0),
            options,
            lines: None,
            block: Block::default(),
            at: 0,
            place: (0, 0),
            events: 0,
            records: [0; 3],
            bad: sources.iter().map(|_| BadLines::default()).collect(),
            sources,
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
            let example = match self.flattener.event(&block, self.at - 1) {
                Ok(Some((event, kinds))) => self.example(&event, kinds.into_iter().next()),
                Ok(None) => None,
                Err(why) => self.is_bad(why),
            };
            self.block = block;
            examples.extend(example);
        }
        self.events += examples.len();
        self.talk.tell(&format!("{} events", self.events));
        Ok(examples)
    }

    /// Calls `take` with the names of the files and each event, to the end
    ///
    /// # Errors
    /// Those of `take`; and when no event could be tried as the options say.
    pub(super) fn each(
        &mut self,
        mut take: impl FnMut(&[String], &Example) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        loop {
            let examples = self.next()?;
            if examples.is_empty() {
                return self.failure().map_or(Ok(()), |failure| Err(failure.into()));
            }
            examples.iter().try_for_each(|example| take(&self.names, example))?;
        }
    }

    /// Waits for lines of the current or the next file; false when all files are read
    fn refill(&mut self) -> Result<bool, Failure> {
        self.at = 0;
        while let Some(source) = self.sources.get(self.place.0) {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => self.lines.insert(events(source, self.reading, Stop::default())?),
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

    /// The event of a flat record; `None` when the record is not a usable event
    ///
    /// `told` is the kind that its shape tells.
    fn example(&mut self, text: &str, told: Option<EventKind>) -> Option<Example> {
        let (file, line_number) = self.place;
        let mut event: Value = match serde_json::from_str(text) {
            Ok(event @ Value::Object(_)) => event,
            other => {
                let why = other.err().map_or("not an object".to_owned(), |why| why.to_string());
                return self.is_bad(why);
            }
        };
        let named = self.options.kind_field.as_ref().and_then(|field| event.get(field)?.as_str());
        let named = named.map(EventKind::category);
        self.records[0] += 1;
        self.records[2] += usize::from(self.options.kind_field.is_some() && named.is_none());
        if let Some(field) = &self.options.field {
            let Some(object) = object_at(&mut event, field).filter(|value| value.is_object())
            else {
                self.records[1] += 1;
                return None;
            };
            event = object.take();
        }
        let (kind, action) = match (&self.options.kind, named) {
            (Some(kind), _) => (Some(kind.clone()), self.options.action),
            (None, Some(Some((kind, action)))) => (Some(kind), action),
            // Elastic has no documents for an unknown kind of event.
            (None, Some(None)) => return None,
            (None, None) => (told, None),
        };
        if !event.is_object() {
            return None;
        }
        say_action(&mut event, action);
        Some(Example { place: Place::Line { file, line: line_number }, event, kind })
    }

    /// Why no event could be tried as the options say
    pub(super) fn failure(&self) -> Option<Failure> {
        let [all, without_object, without_kind] = self.records;
        let lacks = |number: usize| number > 0 && number == all;
        let (what, name, option) = match &self.options {
            Options { field: Some(name), .. } if lacks(without_object) => {
                ("the object", name, "--field")
            }
            Options { kind_field: Some(name), .. } if lacks(without_kind) => {
                ("the field", name, "--event-field")
            }
            _ => return None,
        };
        Some(Failure::new(format!("no event has {what} `{name}` that `{option}` names")))
    }

    /// Reports the lines that are not events
    pub(super) fn finish(&mut self, diagnostics: &mut Diagnostics) {
        self.talk.clear();
        for (name, bad) in self.names.iter().zip(&mut self.bad) {
            std::mem::take(bad).report(name, diagnostics);
        }
    }
}

/// The value at a path, keys joined by dots
fn object_at<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    if value.get(path).is_some() {
        return value.get_mut(path);
    }
    let (key, rest) = path.split_once('.')?;
    object_at(value.get_mut(key)?, rest)
}
