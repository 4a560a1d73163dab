//! Recorded events, as far as the rules read them.
//!
//! In: a JSON object. Out: an [`Event`] with a slot for each field that a rule reads; everything
//! else in the object is skipped without being built. Numbers and truth values are kept as their
//! text: 42 and '42' are one value in Sigma. What kind of event it is, is settled here.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::derive::Derived;
use super::part;
use crate::definition::pattern::fold_text;
use crate::ir::{Part, Subject};
use crate::taxonomy::{EventKind, Field, FieldType, Product, Recognized, recognize};

/// What an event holds for a field
#[derive(Debug, Default, Clone)]
pub(super) enum Slot<'a> {
    #[default]
    Missing,
    /// There, without a text: null or an object
    Null,
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Slot<'a> {
    pub(super) fn values(&self) -> &[Cow<'a, str>] {
        match self {
            Slot::Missing | Slot::Null => &[],
            Slot::One(value) => std::slice::from_ref(value),
            Slot::Many(values) => values,
        }
    }

    fn add(&mut self, other: Slot<'a>) {
        let values = match (std::mem::take(self), other) {
            (Slot::Missing | Slot::Null, Slot::Missing | Slot::Null) => {
                *self = Slot::Null;
                return;
            }
            (mine, other) => mine.values().iter().chain(other.values()).cloned().collect(),
        };
        *self = Slot::Many(values);
    }
}

/// Which parts of a JSON event are kept, and under which number
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Fields of the taxonomy, by slot
    pub(super) fields: Vec<Field>,
    /// Subjects of tests and the slot of their field
    pub(super) subjects: Vec<(Subject, usize)>,
    /// Those of them that follow from others
    pub(super) derived: Derived,
    /// The object that holds the fields, when it is not the event itself
    pub(super) inner: Option<String>,
    /// A field that names the kind of event
    pub(super) kind_field: Option<String>,
}

/// Keys beside the fields that say what an event is and when
const CHANNEL: &str = "Channel";
const PROVIDER: &str = "Provider_Name";
const EVENT_ID: &str = "EventID";
const DATE: &str = "date";
const LOG: &[&str] = &[CHANNEL, PROVIDER, EVENT_ID, DATE];
/// Names of the time, the best first
const TIMES: &[&str] = &["UtcTime", "time", "@timestamp", "TimeCreated", "Timestamp", "date-time"];

impl Layout {
    pub(super) fn slot(&mut self, field: Field) -> usize {
        if let Some(slot) = self.fields.iter().position(|known| *known == field) {
            return slot;
        }
        let slot = self.fields.len();
        self.fields.push(field);
        self.derived.note(field, slot);
        for source in Derived::sources(field) {
            self.slot(source);
        }
        slot
    }

    pub(super) fn subject(&mut self, subject: Subject) -> usize {
        let slot = self.slot(subject.field);
        self.subjects.iter().position(|(known, _)| *known == subject).unwrap_or_else(|| {
            self.subjects.push((subject, slot));
            self.subjects.len() - 1
        })
    }

    /// Reads an event from a line of JSON
    pub(super) fn read<'a>(&'a self, line: &'a str) -> serde_json::Result<Event<'a>> {
        let mut json = serde_json::Deserializer::from_str(line);
        let event = self.deserialize(&mut json)?;
        json.end()?;
        Ok(event)
    }
}

/// One event
pub(super) struct Event<'a> {
    layout: &'a Layout,
    slots: Vec<Slot<'a>>,
    folded: Vec<OnceCell<Vec<String>>>,
    kind: Kind,
    time: Option<Cow<'a, str>>,
}

/// What is known about the kind of an event
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// This kind, from this product where that is known
    Known(EventKind, Option<Product>),
    /// A kind that no signal looks at
    Other,
    /// Nothing: every signal is tried
    Unknown,
}

impl<'a> Event<'a> {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn slot(&self, slot: usize) -> &Slot<'a> {
        &self.slots[slot]
    }

    pub(super) fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    /// Puts a value where the event has none
    pub(super) fn fill(&mut self, slot: usize, value: Slot<'a>) {
        self.slots[slot] = value;
    }

    /// Whether a value of the subject passes
    pub(super) fn any(&self, subject: usize, mut test: impl FnMut(&str) -> bool) -> bool {
        let (subject, slot) = self.layout.subjects[subject];
        let account = subject.field.kind() == FieldType::Account;
        self.slots[slot].values().iter().any(|value| match subject.part {
            Part::Whole => test(value),
            Part::Name if account => test(part::account_name(value)),
            Part::Name => test(part::base_name(value)),
            Part::Extension => part::extension(value).is_some_and(&mut test),
            Part::Argument(product) => {
                part::arguments(value, product).iter().any(|argument| test(argument))
            }
            Part::Key => test(&format!("{value}\\")),
        })
    }

    /// The same over folded text, which is made once an event
    pub(super) fn any_folded(&self, subject: usize, test: impl FnMut(&String) -> bool) -> bool {
        let folded = self.folded[subject].get_or_init(|| {
            let mut values = Vec::new();
            self.any(subject, |value| {
                values.push(fold_text(value));
                false
            });
            values
        });
        folded.iter().any(test)
    }

    /// Settles the kind once all keys have been read
    fn settle(&mut self, log: &Log<'a>) {
        let id = log.id.as_deref().and_then(|id| id.parse().ok());
        let text = |text: &Option<Cow<'a, str>>| text.as_deref().map(ToOwned::to_owned);
        let (channel, provider) = (text(&log.channel), text(&log.provider));
        let recognized = match id {
            Some(id) => recognize(channel.as_deref(), provider.as_deref(), id),
            None => Recognized::Unknown,
        };
        let named = log.kind.as_deref().map(EventKind::category);
        let (kind, action) = match (named, recognized) {
            (Some(Some((kind, action))), Recognized::As(_, product, recognized)) => {
                (Kind::Known(kind, Some(product)), recognized.or(action))
            }
            (Some(Some((kind, action))), _) => (Kind::Known(kind, None), action),
            (Some(None), _) => (Kind::Other, None),
            (None, Recognized::As(kind, product, action)) => {
                (Kind::Known(kind, Some(product)), action)
            }
            (None, Recognized::Other) => (Kind::Other, None),
            (None, Recognized::Unknown) => (Kind::Unknown, None),
        };
        self.kind = kind;
        self.layout.derived.fill(&mut self.slots, action);
        // A W3C log writes day and time apart.
        self.time = match (&log.time, &log.date) {
            (Some((_, time)), Some(date)) if !time.contains(['-', 'T']) => {
                Some(Cow::Owned(format!("{date} {time}")))
            }
            (Some((_, time)), _) => Some(time.clone()),
            (None, _) => None,
        };
    }

    /// Takes the kind as given, whatever the event says of itself
    pub(super) fn given(mut self, kind: Option<EventKind>) -> Self {
        if let Some(kind) = kind {
            let product = match self.kind {
                Kind::Known(_, product) => product,
                Kind::Other | Kind::Unknown => None,
            };
            self.kind = Kind::Known(kind, product);
        }
        self
    }
}

/// What an event says about its log
#[derive(Default)]
struct Log<'a> {
    channel: Option<Cow<'a, str>>,
    provider: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    /// The day, where the time has none
    date: Option<Cow<'a, str>>,
    /// How good the time is, by the place of its name, and the time
    time: Option<(usize, Cow<'a, str>)>,
}

impl<'a> Log<'a> {
    fn take_time(&mut self, rank: usize, time: Option<Cow<'a, str>>) {
        if let Some(time) = time
            && self.time.as_ref().is_none_or(|(known, _)| rank < *known)
        {
            self.time = Some((rank, time));
        }
    }
}

impl<'a> DeserializeSeed<'a> for &'a Layout {
    type Value = Event<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Event<'a>, D::Error> {
        let mut event = Event {
            layout: self,
            slots: vec![Slot::Missing; self.fields.len()],
            folded: vec![OnceCell::new(); self.subjects.len()],
            kind: Kind::Unknown,
            time: None,
        };
        let mut log = Log::default();
        let inner = self.inner.as_deref();
        deserializer.deserialize_map(Object { event: &mut event, log: &mut log, inner })?;
        event.settle(&log);
        Ok(event)
    }
}

/// Reads the keys of an object into an event
struct Object<'e, 'a> {
    event: &'e mut Event<'a>,
    log: &'e mut Log<'a>,
    inner: Option<&'e str>,
}

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let layout = self.event.layout;
        while let Some(Key(key)) = map.next_key()? {
            let first = |slot: Slot<'a>| slot.values().first().cloned();
            let names_kind = layout.kind_field.as_deref().is_some_and(|field| field == key);
            let time = TIMES.iter().position(|name| *name == key);
            if let Some(inner) = self.inner {
                // Beside the fields stand what the event is and when it was received.
                if key == inner {
                    let object = Object { event: self.event, log: self.log, inner: None };
                    map.next_value_seed(object)?;
                } else if names_kind {
                    self.log.kind = first(map.next_value_seed(SlotSeed)?);
                } else if let Some(rank) = time {
                    // Its own time is better than any outside.
                    self.log.take_time(TIMES.len() + rank, first(map.next_value_seed(SlotSeed)?));
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
                continue;
            }
            let slot = layout.fields.iter().position(|field| field.name() == key);
            if slot.is_none() && !names_kind && time.is_none() && !LOG.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: Slot<'a> = map.next_value_seed(SlotSeed)?;
            if names_kind {
                self.log.kind = first(value.clone());
            }
            match &*key {
                CHANNEL => self.log.channel = first(value.clone()),
                PROVIDER => self.log.provider = first(value.clone()),
                EVENT_ID => self.log.id = first(value.clone()),
                DATE => self.log.date = first(value.clone()),
                _ => {}
            }
            if let Some(rank) = time {
                self.log.take_time(rank, first(value.clone()));
            }
            if let Some(slot) = slot {
                self.event.slots[slot] = value;
            }
        }
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Object<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A key, borrowed from the line where it has no escape
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct SlotSeed;

impl<'a> DeserializeSeed<'a> for SlotSeed {
    type Value = Slot<'a>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Slot<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for SlotSeed {
    type Value = Slot<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Borrowed(if truth { "true" } else { "false" })))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Owned(number.to_string())))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Owned(number.to_string())))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Slot<'a>, E> {
        Ok(Slot::One(Cow::Owned(number.to_string())))
    }
    fn visit_unit<E>(self) -> Result<Slot<'a>, E> {
        Ok(Slot::Null)
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Slot<'a>, A::Error> {
        let mut slot = Slot::Null;
        while let Some(item) = items.next_element_seed(SlotSeed)? {
            slot.add(item);
        }
        Ok(slot)
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Slot<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Slot::Null)
    }
}
