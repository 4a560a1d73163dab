//! Counts what a rule could read of the events of a file.
//!
//! In: [`Facts`] of each event. Out: a [`Census`], from which the user learns why nothing matched: no
//! event has a field of a rule, no rule looks at such events, or an option names something that no
//! event has. A scan without a match says nothing unless its events could have matched.

use std::collections::BTreeMap;

use serde_json::Value;

use super::layout::Layout;

/// The most bytes of an event that is kept as a sample
const SAMPLE: usize = 1 << 16;

/// The deepest object in which fields are looked for
const DEEPEST: usize = 8;

/// What is known of one event before it is judged
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// It has a field that some rule reads
    pub(super) has_field: bool,
    /// It has the object that holds its fields
    pub(super) has_object: bool,
    /// It has the field that names its kind
    pub(super) has_kind: bool,
    /// It has the field that the user names for its time
    pub(super) has_time: bool,
    /// Its channel or provider tells what it is
    pub(super) is_recognized: bool,
    /// Its channel and id say that it is of another kind than the user says
    pub(super) is_contradicted: bool,
}

/// What was found in the events of a file
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// The number of events
    pub events: usize,
    /// What the shapes of its events are called, each with the number of events
    pub shapes: Vec<(&'static str, usize)>,
    /// Events that keep fields where their shape does not look
    pub partly_read: usize,
    /// Events that some rule looks at, but that have no field of any rule
    pub without_field: usize,
    /// Those of them whose channel or provider tells what they are
    pub recognized: usize,
    /// Events that no rule looks at, by what they are
    pub unlooked: BTreeMap<String, usize>,
    /// Events without the object of [`Options::field`](super::Options::field)
    pub without_object: usize,
    /// Events without the field of [`Options::kind_field`](super::Options::kind_field)
    pub without_kind: usize,
    /// Events without the field of [`Options::time_field`](super::Options::time_field)
    pub without_time: usize,
    /// Events that are of another kind than [`Options::kind`](super::Options::kind) says
    pub contradicted: usize,
    /// The first event that has no field of any rule, or not the object with the fields
    pub sample: Option<String>,
}

impl Census {
    /// The number of events that no rule looks at
    pub fn all_unlooked(&self) -> usize {
        self.unlooked.values().sum()
    }

    /// Adds the events of another file
    pub fn add(&mut self, other: &Census) {
        self.events += other.events;
        for (title, number) in &other.shapes {
            match self.shapes.iter_mut().find(|(known, _)| known == title) {
                Some((_, all)) => *all += number,
                None => self.shapes.push((title, *number)),
            }
        }
        for (kind, number) in &other.unlooked {
            *self.unlooked.entry(kind.clone()).or_default() += number;
        }
        self.partly_read += other.partly_read;
        self.without_field += other.without_field;
        self.recognized += other.recognized;
        self.without_object += other.without_object;
        self.without_kind += other.without_kind;
        self.without_time += other.without_time;
        self.contradicted += other.contradicted;
    }

    /// Counts an event; `unlooked` says what it is, when no rule looks at it
    pub(super) fn count(
        &mut self,
        (facts, (title, is_partly_read)): (Facts, (&'static str, bool)),
        unlooked: Option<String>,
        line: &[u8],
    ) {
        self.events += 1;
        self.partly_read += usize::from(is_partly_read);
        match self.shapes.iter_mut().find(|(known, _)| *known == title) {
            Some((_, number)) => *number += 1,
            None => self.shapes.push((title, 1)),
        }
        self.without_object += usize::from(!facts.has_object);
        self.without_kind += usize::from(!facts.has_kind);
        self.without_time += usize::from(!facts.has_time);
        self.contradicted += usize::from(facts.is_contradicted);
        match unlooked {
            Some(kind) => *self.unlooked.entry(kind).or_default() += 1,
            None if !facts.has_field => {
                self.without_field += 1;
                self.recognized += usize::from(facts.is_recognized);
            }
            None => {}
        }
        let tells = !facts.has_object || !facts.has_field;
        if tells && self.sample.is_none() && line.len() <= SAMPLE {
            self.sample = Some(String::from_utf8_lossy(line).into_owned());
        }
    }
}

/// The path of the object that holds the most fields of rules, keys joined by dots
///
/// Empty for the event itself; `None` when no object holds one.
pub(super) fn richest(layout: &Layout, event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    let mut best = (0, Vec::new());
    look(layout, &event, &mut Vec::new(), &mut best);
    (best.0 > 0).then(|| best.1.join("."))
}

fn look<'e>(
    layout: &Layout,
    value: &'e Value,
    path: &mut Vec<&'e str>,
    best: &mut (usize, Vec<&'e str>),
) {
    let Value::Object(fields) = value else { return };
    let is_read = |name: &&String| layout.at(name).is_some_and(|place| place.slot.is_some());
    let number = fields.keys().filter(is_read).count();
    if number > best.0 {
        *best = (number, path.clone());
    }
    if path.len() >= DEEPEST {
        return;
    }
    for (key, value) in fields {
        path.push(key);
        look(layout, value, path, best);
        path.pop();
    }
}
