//! Files of events as examples to try rules on.
//!
//! In: files, and where the fields of an event stand. Out: examples, a few hundred at a time; what
//! is no event becomes a finding at its line.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::events::{Progress, not_events, open};
use crate::diagnostic::Diagnostics;
use crate::ir::say_action;
use crate::matcher::{Options, Unreadable};
use crate::project::Failure;
use crate::taxonomy::EventKind;
use crate::verify::{Example, Place};

/// So many events are tried at a time
const BLOCK: usize = 512;

/// The events of several files, one file after the other
pub(super) struct Files {
    /// As findings call them
    pub(super) names: Vec<String>,
    readers: Vec<Box<dyn BufRead>>,
    options: Options,
    /// Which file, and how many lines of it have been read
    place: (usize, usize),
    events: usize,
    unreadable: Vec<(usize, Unreadable)>,
    talk: Progress,
}

impl Files {
    /// Opens them all, so that one that cannot be read is said before hours of work
    pub(super) fn open(paths: &[PathBuf], options: Options, quiet: bool) -> Result<Self, Failure> {
        let names = paths.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect();
        let readers = paths.iter().map(|path: &PathBuf| open(Path::new(path)));
        let readers = readers.collect::<Result<_, _>>()?;
        let (place, events, unreadable) = ((0, 0), 0, Vec::new());
        let talk = Progress::new(quiet);
        Ok(Files { names, readers, options, place, events, unreadable, talk })
    }

    /// The next examples; none at the end
    pub(super) fn next(&mut self) -> Result<Vec<Example>, Failure> {
        let mut examples = Vec::new();
        let mut line = Vec::new();
        while let (true, Some(reader)) =
            (examples.len() < BLOCK, self.readers.get_mut(self.place.0))
        {
            line.clear();
            let name = &self.names[self.place.0];
            let cannot = |why| Failure::new(format!("cannot read {name}: {why}"));
            if reader.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
                self.place = (self.place.0 + 1, 0);
                continue;
            }
            self.place.1 += 1;
            examples.extend(self.example(&line));
        }
        self.events += examples.len();
        self.talk.tell(self.events);
        Ok(examples)
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
                self.unreadable.push((file, Unreadable { line: line_number, column: 1, why }));
                return None;
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
        for (file, name) in self.names.iter().enumerate() {
            let of_file = self.unreadable.extract_if(.., |(of, _)| *of == file);
            let lines: Vec<Unreadable> = of_file.map(|(_, line)| line).collect();
            not_events(name, &lines, diagnostics);
        }
    }
}
