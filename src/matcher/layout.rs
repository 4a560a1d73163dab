//! Which parts of a JSON event the rules read, and where each is kept.
//!
//! In: the fields and subjects of compiled rules. Out: a [`Layout`]: a slot for each field, and for
//! each name that an event may use, where its value goes. Everything else is skipped unread.

use std::collections::{HashMap, HashSet};

use super::derive::Derived;
use crate::ir::Subject;
use crate::taxonomy::{EventKind, Field, Log, aliases};

/// Which parts of a JSON event are kept, and under which number
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Fields by slot
    pub(super) fields: Vec<Field>,
    /// Subjects of tests and the slot of their field
    pub(super) subjects: Vec<(Subject, usize)>,
    /// Those of them that follow from others
    pub(super) derived: Derived,
    /// The object that holds the fields, when it is not the event itself
    pub(super) inner: Option<String>,
    /// A field that names the kind of event
    pub(super) kind_field: Option<String>,
    /// The kind of every event and what has happened in it, when the user says so
    pub(super) given: Option<(EventKind, Option<&'static str>)>,
    /// Logs that no table knows and a rule names
    pub(super) logs: Vec<Log>,
    /// The slot that takes every value, when a rule looks for keywords
    pub(super) every: Option<usize>,
    places: Names,
    /// The place of each field in `fields`, of each subject in `subjects`
    slots: HashMap<Field, usize>,
    known: HashMap<Subject, usize>,
    /// What stands before a dot in the name of a field
    objects: HashSet<String>,
}

/// Places by name, and names by length: events have many names that no rule reads, and few of one
/// length that some rule does
#[derive(Debug, Default)]
struct Names(Vec<Alike>);

/// Names of one length
#[derive(Debug, Default)]
struct Alike {
    all: Vec<(String, Place)>,
    /// Where each stands, once there are many
    index: HashMap<String, usize>,
}

impl Alike {
    /// Up to so many names, looking at each is fastest
    const FEW: usize = 16;

    fn position(&self, name: &str) -> Option<usize> {
        match self.all.len() {
            ..=Self::FEW => self.all.iter().position(|(known, _)| known == name),
            _ => self.index.get(name).copied(),
        }
    }

    fn add(&mut self, name: &str) -> usize {
        let at = self.all.len();
        self.all.push((name.to_owned(), Place::default()));
        self.index.insert(name.to_owned(), at);
        at
    }
}

/// What is done with the value under a name
#[derive(Debug, Default, Clone)]
pub(super) struct Place {
    /// The slot it goes to
    pub(super) slot: Option<usize>,
    /// Slots that take it when they are empty, on events of a kind
    pub(super) aliases: Vec<(usize, EventKind)>,
    /// What it says of the event itself
    pub(super) says: Option<Says>,
}

/// What a key says beside, or instead of, being a field
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Channel,
    Provider,
    Id,
    /// The day, where the time has none
    Date,
    /// When; the smaller the number, the better
    Time(usize),
}

/// Keys that say what an event is and when
const SAID: &[(&str, Says)] = &[
    ("Channel", Says::Channel),
    ("Provider_Name", Says::Provider),
    ("EventID", Says::Id),
    ("date", Says::Date),
    ("UtcTime", Says::Time(0)),
    ("time", Says::Time(1)),
    ("@timestamp", Says::Time(2)),
    ("TimeCreated", Says::Time(3)),
    ("Timestamp", Says::Time(4)),
    ("date-time", Says::Time(5)),
];

impl Layout {
    pub(super) fn new(inner: Option<String>, kind_field: Option<String>) -> Layout {
        let mut layout = Layout { inner, kind_field, ..Layout::default() };
        for (name, says) in SAID {
            layout.place(name).says = Some(*says);
        }
        layout
    }

    pub(super) fn slot(&mut self, field: Field) -> usize {
        if let Some(slot) = self.slots.get(&field) {
            return *slot;
        }
        let slot = self.fields.len();
        self.slots.insert(field, slot);
        self.fields.push(field);
        if field == Field::EVERY {
            self.every = Some(slot);
            return slot;
        }
        self.place(field.name()).slot = Some(slot);
        for (alias, on) in aliases(field) {
            self.place(alias).aliases.push((slot, on));
        }
        for (at, _) in field.name().match_indices('.') {
            self.objects.insert(field.name()[..at].to_owned());
        }
        self.derived.note(field, slot);
        for source in Derived::sources(field) {
            self.slot(source);
        }
        slot
    }

    pub(super) fn subject(&mut self, subject: Subject) -> usize {
        let slot = self.slot(subject.field);
        *self.known.entry(subject).or_insert_with(|| {
            self.subjects.push((subject, slot));
            self.subjects.len() - 1
        })
    }

    /// What is done with the value under a name
    pub(super) fn at(&self, name: &str) -> Option<&Place> {
        let alike = self.places.0.get(name.len())?;
        alike.position(name).map(|at| &alike.all[at].1)
    }

    /// Whether a field is looked for inside the object of this name
    pub(super) fn is_object(&self, name: &str) -> bool {
        !self.objects.is_empty() && self.objects.contains(name)
    }

    /// The kind that an event calls its own, and what has happened in it
    pub(super) fn kind_named(&self, name: &str) -> Option<(EventKind, Option<&'static str>)> {
        let custom = self.logs.iter().find(|log| log.name() == name);
        EventKind::category(name).or_else(|| custom.map(|log| (EventKind::Log(*log), None)))
    }

    fn place(&mut self, name: &str) -> &mut Place {
        let places = &mut self.places.0;
        if places.len() <= name.len() {
            places.resize_with(name.len() + 1, Alike::default);
        }
        let alike = &mut places[name.len()];
        let at = alike.position(name).unwrap_or_else(|| alike.add(name));
        &mut alike.all[at].1
    }
}
