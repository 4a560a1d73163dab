//! From a record to an event.
//!
//! In: the bytes of a record, and the form of its text. Out: the event, and what its shape is called; or why
//! the record is no event. A flat event is read where it stands. Any other is made flat first; the block
//! keeps the text, which the event borrows.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::block::Block;
use super::event::Event;
use super::form::Form;
use super::mapped::Mapped;
#[cfg(test)]
use super::mapped::Unheld;
use super::shape::{self, FLAT, Flattened, Shape, Wanted};
use super::{Engine, Options};
use crate::ir::Rule;
use crate::taxonomy::EventKind;

/// The most records that are looked at to find the shape of a file
const SAMPLED: usize = 32;

/// What a record is
pub(super) enum Verdict<T> {
    Blank,
    /// Column, from 1, and reason
    Unreadable(usize, String),
    Event(T),
}

impl<T> Verdict<T> {
    pub(super) fn map<U>(self, judge: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Verdict::Blank => Verdict::Blank,
            Verdict::Unreadable(column, why) => Verdict::Unreadable(column, why),
            Verdict::Event(event) => Verdict::Event(judge(event)),
        }
    }
}

/// An event, and what its shape is called
pub(super) struct Shaped<'e> {
    pub(super) event: Event<'e>,
    /// The flat event that it was read from, as JSON
    pub(super) line: &'e str,
    pub(super) title: &'static str,
    /// Whether the record keeps fields where its shape does not look
    pub(super) is_partly_read: bool,
}

impl<'e> Shaped<'e> {
    fn flat(event: Event<'e>, line: &'e str) -> Shaped<'e> {
        Shaped { event, line, title: FLAT, is_partly_read: false }
    }
}

/// Makes events of any shape flat, with every field
#[derive(Debug)]
pub struct Flattener {
    /// The path of the object that holds the fields
    inner: Option<String>,
    shape: Option<Shape>,
    mapped: Mapped,
}

impl Flattener {
    /// Reads events as the options say; `rules` are those whose queries may have returned a row
    pub fn new(options: &Options, rules: &[Rule]) -> Flattener {
        Flattener {
            inner: options.field.clone(),
            shape: options.shape,
            mapped: Mapped::new(options.mappings.clone(), None, rules),
        }
    }

    /// What the rows and documents of targets that were read so far do not hold of what rules ask for
    #[cfg(test)]
    pub(crate) fn unheld(&self, rules: &[Rule]) -> Unheld {
        self.mapped.unheld(rules)
    }

    /// The record of a block as a flat event, with the log sources that its shape tells; `None` when the
    /// record is blank
    ///
    /// # Errors
    /// The reason why the record is no event.
    ///
    /// # Panics
    /// When the block has no such record.
    pub fn event(
        &self,
        block: &Block,
        at: usize,
    ) -> Result<Option<(String, Vec<EventKind>)>, String> {
        let line = block.line(at).map_err(too_long)?;
        let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let text = trimmed(text, block.form.as_ref());
        if text.is_empty() {
            return Ok(None);
        }
        let converted = block.form.as_ref().map_or(Ok(None), |form| form.convert(text))?;
        let (json, kinds) = match converted {
            Some(converted) => (Cow::Owned(converted.json), converted.kinds),
            None => (Cow::Borrowed(text), Vec::new()),
        };
        let wanted = Wanted { shape: self.shape, time: None, mapped: &self.mapped };
        let made = match &self.inner {
            Some(path) => shape::flatten_inside(&json, path, wanted),
            None => shape::flatten(&json, wanted),
        };
        Ok(Some(made.map_or_else(|| (json.into_owned(), kinds), |made| (made.line, made.kinds))))
    }
}

/// The reason why a record above the limit, in bytes, is not an event
pub fn too_long(limit: usize) -> String {
    format!("it has more than {limit} bytes")
}

/// Keeps the text of an event that was made flat
pub(super) type Kept = OnceLock<Box<Flattened>>;

/// Whether the events of a block are flat already, as far as a few of them tell
pub(super) fn is_flat(engine: &Engine, block: &Block) -> bool {
    let lines = (0..block.len()).filter_map(|at| block.line(at).ok());
    let texts = lines.filter_map(|line| std::str::from_utf8(line).ok());
    let mut texts =
        texts.map(|text| trimmed(text, None)).filter(|text| !text.is_empty()).take(SAMPLED);
    texts.all(|text| shape::is_flat(text, engine.layout.inner.as_deref()))
}

/// Reads a record; `is_flat` says that most events of its file are flat
pub(super) fn read<'e>(
    engine: &'e Engine,
    (line, form): (&'e [u8], Option<&Form>),
    is_flat: bool,
    kept: &'e Kept,
) -> Verdict<Shaped<'e>> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => trimmed(text, form),
        Err(error) => return Verdict::Unreadable(error.valid_up_to() + 1, "not UTF-8".to_owned()),
    };
    if text.is_empty() {
        return Verdict::Blank;
    }
    match form.map_or(Ok(None), |form| form.convert(text)) {
        Ok(None) => of_json(engine, text, is_flat, kept),
        Ok(Some(converted)) => {
            let title = form.and_then(Form::title).unwrap_or(FLAT);
            let made = match flattened(engine, &converted.json) {
                Ok(Some(made)) => made,
                Ok(None) => {
                    let (line, kinds) = (converted.json, converted.kinds);
                    Flattened { line, title, kinds, is_partly_read: false }
                }
                Err(why) => return Verdict::Unreadable(1, why),
            };
            of_text(engine, kept.get_or_init(|| Box::new(made)))
        }
        Err(why) => Verdict::Unreadable(1, why),
    }
}

/// The text of a record without what stands around it; blanks are values in a table
fn trimmed<'t>(text: &'t str, form: Option<&Form>) -> &'t str {
    let text = text.trim_start_matches('\u{feff}');
    match form {
        Some(Form::Table(..)) if !text.trim().is_empty() => text.trim_end_matches('\r'),
        _ => text.trim(),
    }
}

/// The event of a text that is JSON
fn of_json<'e>(
    engine: &'e Engine,
    text: &'e str,
    is_flat: bool,
    kept: &'e Kept,
) -> Verdict<Shaped<'e>> {
    if is_flat && !engine.layout.has_given_shape() {
        match engine.read(text) {
            Ok(event) => {
                let facts = event.facts();
                let is_told = facts.has_field || facts.is_recognized;
                if is_told || engine.layout.inner.is_some() {
                    return Verdict::Event(Shaped::flat(event, text));
                }
            }
            Err(error) => return Verdict::Unreadable(error.column(), error.to_string()),
        }
    }
    match flattened(engine, text) {
        Ok(Some(made)) => of_text(engine, kept.get_or_init(|| Box::new(made))),
        Ok(None) => match engine.read(text) {
            Ok(event) => Verdict::Event(Shaped::flat(event, text)),
            Err(error) => Verdict::Unreadable(error.column(), error.to_string()),
        },
        Err(why) => Verdict::Unreadable(1, why),
    }
}

/// The event of a text that was made flat
fn of_text<'e>(engine: &'e Engine, made: &'e Flattened) -> Verdict<Shaped<'e>> {
    match engine.read(&made.line) {
        Ok(event) => {
            let event = event.of_kinds(&made.kinds);
            let is_partly_read = made.is_partly_read;
            Verdict::Event(Shaped { event, line: &made.line, title: made.title, is_partly_read })
        }
        Err(error) => Verdict::Unreadable(1, error.to_string()),
    }
}

/// The text made flat, or the object in it that the user names; `None` when it is flat
fn flattened(engine: &Engine, text: &str) -> Result<Option<Flattened>, String> {
    let layout = &engine.layout;
    if layout.shape.is_some_and(shape::Shape::is_flat) {
        return Ok(None);
    }
    let time = layout.time_field.as_deref();
    let wanted = Wanted { shape: layout.shape, time, mapped: &engine.mapped };
    let flattened = match &layout.inner {
        Some(path) => shape::flatten_inside(text, path, wanted),
        None => shape::flatten(text, wanted),
    };
    match (&flattened, layout.shape) {
        (None, Some(shape)) => Err(format!("it is not of the shape `{shape}`")),
        _ => Ok(flattened),
    }
}
