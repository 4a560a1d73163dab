//! The keys of a JSON event that rules read, and the slots that take their values.
//!
//! In: the fields and subjects of compiled rules. Out: a [`Layout`]: a slot for each field, and a
//! [`Place`] for each key that an event may use. All other keys are skipped unread.

use std::collections::{HashMap, HashSet};

use super::Options;
use super::derive::Derived;
use super::shape::Shape;
use super::systems::SYSTEMS;
use crate::ir::Subject;
use crate::taxonomy::{EventKind, Field, Log, aliases};

/// The slots of fields, and the keys that fill them
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Fields by slot
    pub(super) fields: Vec<Field>,
    /// Subjects of tests, each with the slot of its field
    pub(super) subjects: Vec<(Subject, usize)>,
    /// Slots of the fields that take part in deriving fields
    pub(super) derived: Derived,
    /// Path of the object that holds the fields; `None` when the event itself holds them
    pub(super) inner: Option<String>,
    /// Key that names the kind of the event
    pub(super) kind_field: Option<String>,
    /// Path of the value that is the time of the event, when the user says so
    pub(super) time_field: Option<String>,
    /// The shape of every event, when the user gives it
    pub(super) shape: Option<Shape>,
    /// Kind and action of every event, when the user gives the kind
    pub(super) given: Option<(EventKind, Option<&'static str>)>,
    /// Logs that signals name, by name; a table need not know them
    pub(super) logs: HashMap<String, Log>,
    /// The slot that takes every value, when a rule has keywords
    pub(super) every: Option<usize>,
    places: Names,
    /// Index of each field in `fields`; `known` has the index of each subject in `subjects`
    slots: HashMap<Field, usize>,
    known: HashMap<Subject, usize>,
    /// Names of objects that contain fields: the prefix before each dot of a field's name
    objects: HashSet<String>,
}

/// Places by name, grouped by the length of the name
///
/// Rules read few names of one length, so a key that no rule reads is dismissed quickly.
#[derive(Debug, Default)]
struct Names(Vec<Alike>);

/// Names of one length
#[derive(Debug, Default)]
struct Alike {
    ends: Vec<Ends>,
    /// By place in `ends`
    all: Vec<(String, Place)>,
    /// Place of each name; used above `FEW` names
    index: HashMap<String, usize, foldhash::fast::RandomState>,
}

impl Alike {
    /// Up to this number of names, comparing each is fastest
    const FEW: usize = 8;

    fn position(&self, name: &str) -> Option<usize> {
        if self.all.len() > Self::FEW {
            return self.index.get(name).copied();
        }
        let ends = Ends::of(name.as_bytes());
        let at = self.ends.iter().position(|known| *known == ends)?;
        if name.len() <= 2 * Ends::LENGTH || self.all[at].0 == name {
            return Some(at);
        }
        // Another name has the same ends.
        self.index.get(name).copied()
    }

    fn add(&mut self, name: &str) -> usize {
        let at = self.all.len();
        self.ends.push(Ends::of(name.as_bytes()));
        self.all.push((name.to_owned(), Place::default()));
        self.index.insert(name.to_owned(), at);
        at
    }
}

/// The first and the last bytes of a name, which are all of it up to twice their length
///
/// Two numbers are compared faster than two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends(u64, u64);

impl Ends {
    const LENGTH: usize = size_of::<u64>();

    fn of(name: &[u8]) -> Ends {
        match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => {
                Ends(u64::from_le_bytes(*first), u64::from_le_bytes(*last))
            }
            _ => Ends(name.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), 0),
        }
    }
}

/// Where the value of a key goes
#[derive(Debug, Default, Clone)]
pub(super) struct Place {
    /// Slot that takes the value
    pub(super) slot: Option<usize>,
    /// Slots that take the value when they are empty, on events of the kind beside
    pub(super) aliases: Vec<(usize, &'static EventKind)>,
    /// What the key tells about the event itself
    pub(super) says: Option<Says>,
}

/// What a key tells about the event; the key may be a field as well
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Channel,
    Provider,
    Id,
    /// The date, for logs whose time has no date
    Date,
    /// The operating systems
    Systems,
    /// A time, with the rank of its key: the lowest rank wins
    Time(usize),
}

/// Keys that tell the log, the id and the time of an event
///
/// Rank [`GIVEN`] is left for the key that the user names.
const SAID: &[(&str, Says)] = &[
    ("Channel", Says::Channel),
    ("Provider_Name", Says::Provider),
    ("EventID", Says::Id),
    ("date", Says::Date),
    (SYSTEMS, Says::Systems),
    ("UtcTime", Says::Time(1)),
    ("time", Says::Time(2)),
    ("@timestamp", Says::Time(3)),
    ("TimeCreated", Says::Time(4)),
    ("Timestamp", Says::Time(5)),
    ("date-time", Says::Time(6)),
];

/// The rank of the time that the user names
pub(super) const GIVEN: usize = 0;

impl Layout {
    pub(super) fn new(inner: Option<String>, kind_field: Option<String>) -> Layout {
        let mut layout = Layout { inner, kind_field, ..Layout::default() };
        for (name, says) in SAID {
            layout.place(name).says = Some(*says);
        }
        layout
    }

    /// A layout without fields, for events of this form
    pub(super) fn of(options: &Options) -> Layout {
        let mut layout = Layout::new(options.field.clone(), options.kind_field.clone());
        options.time_field.iter().for_each(|path| layout.take_time_from(path));
        layout.shape = options.shape;
        layout.given = options.kind.clone().map(|kind| (kind, options.action));
        layout
    }

    /// Takes the value at this path for the time of the event
    pub(super) fn take_time_from(&mut self, path: &str) {
        self.place(path).says = Some(Says::Time(GIVEN));
        self.hold_inside(path);
        self.time_field = Some(path.to_owned());
    }

    /// Whether the user says that events have a shape that is not flat
    pub(super) fn has_given_shape(&self) -> bool {
        self.shape.is_some_and(|shape| !shape.is_flat())
    }

    /// Notes the objects that a path with dots leads through
    fn hold_inside(&mut self, path: &str) {
        for (at, _) in path.match_indices('.') {
            self.objects.insert(path[..at].to_owned());
        }
    }

    pub(super) fn slot(&mut self, field: &Field) -> usize {
        if let Some(slot) = self.slots.get(field) {
            return *slot;
        }
        let slot = self.fields.len();
        self.slots.insert(field.clone(), slot);
        self.fields.push(field.clone());
        if *field == Field::EVERY {
            self.every = Some(slot);
            return slot;
        }
        self.place(field.name()).slot = Some(slot);
        for (alias, on) in aliases(field) {
            self.place(alias).aliases.push((slot, on));
        }
        self.hold_inside(field.name());
        self.derived.note(field, slot);
        for source in Derived::sources(field) {
            self.slot(&source);
        }
        slot
    }

    /// The slot of a field that some rule reads
    pub(super) fn slot_of(&self, field: &Field) -> Option<usize> {
        self.slots.get(field).copied()
    }

    pub(super) fn subject(&mut self, subject: &Subject) -> usize {
        if let Some(at) = self.known.get(subject) {
            return *at;
        }
        let slot = self.slot(&subject.field);
        let at = self.subjects.len();
        self.known.insert(subject.clone(), at);
        self.subjects.push((subject.clone(), slot));
        at
    }

    /// The place of a key; `None` when no rule reads the key
    pub(super) fn at(&self, name: &str) -> Option<&Place> {
        let alike = self.places.0.get(name.len())?;
        alike.position(name).map(|at| &alike.all[at].1)
    }

    /// Whether some field's name begins with this path and a dot
    pub(super) fn is_object(&self, name: &str) -> bool {
        !self.objects.is_empty() && self.objects.contains(name)
    }

    /// The kind and action of a name in the kind field; `None` for an unknown name
    pub(super) fn kind_named(&self, name: &str) -> Option<(EventKind, Option<&'static str>)> {
        let custom = self.logs.get(name);
        EventKind::category(name).or_else(|| custom.map(|log| (EventKind::Log(log.clone()), None)))
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
