//! The shapes that events come in, beside flat objects in Sigma's names.
//!
//! In: a record, as JSON. Out: the same event as a flat line in Sigma's names, with the log source that
//! the shape tells. What a shape is, is data ([`table`]); only the forms of Windows' event data need
//! code ([`windows`]). What a target's own names mean, the mappings tell ([`Mapped`]). A flat event is left as
//! it is and costs nothing.

mod json;
mod table;
mod windows;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

pub(super) use json::Object;
pub(super) use json::quoted;
use json::{Flat, text};
use table::{Inside, ROWS, Row, Through};

use super::mapped::{Mapped, Told};
use super::systems::SYSTEMS;
use crate::taxonomy::EventKind;

/// The most objects around an event: a hit, a message, a document
const DEEPEST: usize = 4;

/// The title of events that are flat already
pub(super) const FLAT: &str = "Sigma's fields";

/// An event made flat
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flattened {
    /// The event as a line of JSON in Sigma's names
    pub(super) line: String,
    /// What its shape is called
    pub(super) title: &'static str,
    /// Its log sources, where the shape tells them
    pub(super) kinds: Vec<EventKind>,
    /// Whether the record keeps fields where the shape does not look
    pub(super) is_partly_read: bool,
}

/// A shape that the user names
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(&'static str);

/// The name of the shape that is flat already
const SIGMA: &str = "sigma";

impl Shape {
    /// The names of all shapes of JSON, in the order in which they are tried
    pub fn names() -> Vec<&'static str> {
        let mut names = vec![SIGMA];
        for row in ROWS {
            if !names.contains(&row.name) {
                names.push(row.name);
            }
        }
        names
    }

    /// The shape with this name
    pub fn named(name: &str) -> Option<Shape> {
        Shape::names().into_iter().find(|known| *known == name).map(Shape)
    }

    /// Its name
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether its events are flat already
    pub(super) fn is_flat(self) -> bool {
        self.0 == SIGMA
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What the user and the rules want of shapes
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// The shape of every event, where the user names one
    pub(super) shape: Option<Shape>,
    /// The path of the value that the user names for the time
    pub(super) time: Option<&'w str>,
    /// What the names of the targets mean
    pub(super) mapped: &'w Mapped,
}

/// Whether a record is flat as it stands, or the object inside it at this path
pub(super) fn is_flat(record: &str, inner: Option<&str>) -> bool {
    let Some(record) = Object::read(record) else { return true };
    let is_flat = |record: &Object<'_>| !ROWS.iter().any(|row| is_of(row, record, None));
    match inner {
        Some(path) => record.inside(path).is_none_or(|object| is_flat(&object)),
        None => is_flat(&record),
    }
}

/// The record with the object at this path made flat; `None` when that object is flat, or is not of the shape
/// that the user names
pub(super) fn flatten_inside(record: &str, path: &str, wanted: Wanted<'_>) -> Option<Flattened> {
    let record = Object::read(record)?;
    let made = flatten(record.inside(path)?.text(), wanted)?;
    let first = path.split('.').next().unwrap_or(path);
    let beside = owned(&record).into_iter().filter(|(key, _)| key != path && key != first);
    let mut flat = Flat { fields: beside.collect() };
    flat.add(Cow::Borrowed(path), Cow::Borrowed(&made.line));
    Some(Flattened { line: flat.line(), ..made })
}

/// The event of a record in some shape; `None` when the record is flat, or is not of the shape that
/// the user names
pub(super) fn flatten(record: &str, wanted: Wanted<'_>) -> Option<Flattened> {
    let record = Rc::new(Object::read(record)?);
    let mut row = ROWS.iter().find(|row| is_of(row, &record, wanted.shape))?;
    let mut event = Rc::clone(&record);
    let mut title = row.title;
    for _ in 0..DEEPEST {
        let [Inside::Event(path)] = row.fields else { break };
        event = event.inside(path)?;
        let Some(inner) = ROWS.iter().find(|row| is_of(row, &event, None)) else {
            let flat = Flat { fields: owned(&event) };
            return Some(finish(flat, title, Told::default(), (&record, wanted.time)));
        };
        row = inner;
        title = row.title;
    }
    let root = if row.root.is_empty() { Rc::clone(&event) } else { event.inside(row.root)? };
    let mut flat = Flat::default();
    for part in row.fields {
        add_fields(&mut flat, &root, part);
    }
    for (name, paths) in row.says {
        let Some(value) = paths.iter().find_map(|path| said(&root, path)) else { continue };
        // A value that stands under its own name is there already.
        if paths.first() != Some(name) || !flat.has(name) {
            flat.say(name, without(row.cut, value));
        }
    }
    let mut told = match row.through {
        Some(Through::Streams) => wanted.mapped.document((&event, &record), row.fields.is_empty()),
        Some(Through::Tables) => wanted.mapped.row(event.text()),
        None => None,
    };
    for (name, values) in told.iter_mut().flat_map(|told| std::mem::take(&mut told.fields)) {
        if !flat.has(&name) {
            flat.add(Cow::Owned(name), Cow::Owned(list(values)));
        }
    }
    if told.is_none() && row.fields.is_empty() {
        // No mapping knows it: a rule may still ask for its own names.
        flat.fields.extend(owned(&root));
    }
    // An ingest pipeline of Elastic's moves fields from the data of the event to ECS.
    let moved = row.moved_to.iter().filter_map(|path| event.at(path));
    let is_unknown = told.is_none() && row.through.is_some();
    let is_partly_read =
        is_unknown && (row.fields.is_empty() || moved.into_iter().any(|value| !flat.holds(value)));
    let mut told = told.unwrap_or_default();
    told.kinds.extend(row.events.and_then(EventKind::named));
    Some(Flattened { is_partly_read, ..finish(flat, title, told, (&record, wanted.time)) })
}

/// Values as JSON: one as a text, several as a list
fn list(values: Vec<String>) -> String {
    match &values[..] {
        [one] => quoted(one),
        all => serde_json::Value::from(all.to_vec()).to_string(),
    }
}

fn is_of(row: &Row, record: &Object<'_>, shape: Option<Shape>) -> bool {
    let has = |path: &&str| record.at(path).is_some();
    shape.is_none_or(|shape| shape.0 == row.name)
        && row.marks.iter().any(|marks| marks.iter().all(has))
}

fn finish<'a>(
    mut flat: Flat<'a>,
    title: &'static str,
    told: Told,
    (record, time): (&Object<'a>, Option<&str>),
) -> Flattened {
    if let Some(path) = time
        && !flat.has(path)
        && let Some(value) = record.at(path)
    {
        flat.add(Cow::Owned(path.to_owned()), Cow::Borrowed(value));
    }
    if let Some(name) = told.systems.name() {
        flat.add(Cow::Borrowed(SYSTEMS), Cow::Owned(quoted(name)));
    }
    Flattened { line: flat.line(), title, kinds: told.kinds, is_partly_read: false }
}

fn owned<'a>(event: &Object<'a>) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    event.entries.iter().map(|entry| (entry.key.clone(), Cow::Borrowed(entry.value))).collect()
}

/// Adds the fields of a part of the record
fn add_fields<'a>(flat: &mut Flat<'a>, root: &Object<'a>, part: &Inside) {
    match part {
        // A record whose fields are its own keys needs no second look.
        Inside::Object("") => flat.fields.extend(owned(root)),
        Inside::Object(path) => {
            root.inside(path).iter().for_each(|object| windows::add_data(flat, object));
        }
        Inside::Children(path) => {
            let parts = root.inside(path);
            for entry in parts.iter().flat_map(|parts| &parts.entries) {
                entry.object().into_iter().for_each(|object| windows::add_data(flat, object));
            }
        }
        Inside::Text(path) => {
            let text = root.at(path).and_then(text).unwrap_or_default();
            windows::add_payload(flat, &text);
        }
        Inside::Event(_) => {}
    }
}

/// A value that is no object and says something
fn said<'a>(record: &Object<'a>, path: &str) -> Option<Cow<'a, str>> {
    let value = record.at(path)?;
    (!value.starts_with('{') && value != "null").then_some(Cow::Borrowed(value))
}

/// The value without what stands before the name of a channel
fn without<'a>(prefixes: &[&str], value: Cow<'a, str>) -> Cow<'a, str> {
    let Some(inside) = value.strip_prefix('"') else { return value };
    let bare = prefixes.iter().find_map(|prefix| inside.strip_prefix(prefix));
    bare.map(|rest| Cow::Owned(format!("\"{rest}"))).unwrap_or(value)
}

#[cfg(test)]
mod tests;
