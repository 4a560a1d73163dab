//! Reads a JSON object into an [`Event`].
//!
//! In: a line, or a parsed value. Out: an [`Event`] with the values that the layout has a place
//! for; all other values are skipped without being built. A field with dots in its name is read
//! from the key of that name, else from nested objects. A keyword test reads every value.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::event::Event;
use super::layout::{Layout, Place, Says};
use super::log::{Log, OUTSIDE};
use super::plain::{Items, Plain, Unsure};
use super::slot::Slot;

impl Layout {
    /// Reads an event from a line of JSON
    pub(super) fn read<'a>(&'a self, line: &'a str) -> serde_json::Result<Event<'a>> {
        if let Ok(event) = self.read_plain(line) {
            return Ok(event);
        }
        let mut json = serde_json::Deserializer::from_str(line);
        let event = self.deserialize(&mut json)?;
        json.end()?;
        Ok(event)
    }

    /// The same event, from a line that most producers would write so
    fn read_plain<'a>(&'a self, line: &'a str) -> Result<Event<'a>, Unsure> {
        let mut plain = Plain::of(line);
        let event = self.event(|object| {
            plain.members(|members| {
                while let Some(key) = members.key()? {
                    object.member(&key, members)?;
                }
                Ok(())
            })
        })?;
        if plain.is_at_end() { Ok(event) } else { Err(Unsure) }
    }

    /// The event that holds what `read` finds
    fn event<'a, E>(
        &'a self,
        read: impl FnOnce(&mut Object<'_, 'a>) -> Result<(), E>,
    ) -> Result<Event<'a>, E> {
        let mut event = Event::new(self);
        let mut log = Log::default();
        read(&mut Object { event: &mut event, log: &mut log, inner: self.inner.as_deref() })?;
        event.settle(log);
        Ok(event)
    }
}

impl<'a> DeserializeSeed<'a> for &'a Layout {
    type Value = Event<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Event<'a>, D::Error> {
        self.event(|object| deserializer.deserialize_map(object))
    }
}

/// Reads the keys of an event
struct Object<'e, 'a> {
    event: &'e mut Event<'a>,
    log: &'e mut Log<'a>,
    /// The path of the object that holds the fields, keys joined by dots
    inner: Option<&'e str>,
}

impl<'a> Visitor<'a> for &mut Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match self.inner {
                Some(inner) => self.outside(&key, inner, &mut map)?,
                None => match self.wanted(&key) {
                    Some(wanted) => self.field(&key, wanted, &mut map)?,
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
        }
        Ok(())
    }
}

/// What the value of a key is read for; it may also stand for objects that hold fields
#[derive(Clone, Copy)]
struct Wanted<'a> {
    place: Option<&'a Place>,
    /// The user says that it names the kind of the event
    is_kind: bool,
}

impl Wanted<'_> {
    /// Whether it is no field: what the user says of an event is no text of it, which keywords would find
    fn is_kind_alone(self) -> bool {
        self.is_kind && self.place.is_none()
    }
}

impl<'a> Object<'_, 'a> {
    /// Reads a key beside the fields: the kind of the event, or the time when it was received
    fn outside<A: MapAccess<'a>>(
        &mut self,
        key: &str,
        inner: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let layout = self.event.layout();
        let says = layout.at(key).and_then(|place| place.says);
        let deeper = inner.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
        if key == inner || deeper.is_some() {
            self.log.has_object |= deeper.is_none();
            map.next_value_seed(&mut Object { event: self.event, log: self.log, inner: deeper })
        } else if layout.kind_field.as_deref() == Some(key) {
            self.log.has_kind = true;
            self.log.kind = text(map.next_value()?);
            Ok(())
        } else if let Some(Says::Time(rank)) = says {
            self.log.take_time(OUTSIDE + rank, text(map.next_value()?));
            Ok(())
        } else {
            map.next_value::<IgnoredAny>().map(|_| ())
        }
    }

    /// Reads a member of a plain object, where most values are texts
    fn member(&mut self, key: &str, mut members: &mut Items<'_, 'a>) -> Result<(), Unsure> {
        if let Some(inner) = self.inner {
            return self.outside(key, inner, &mut members);
        }
        let Some(wanted) = self.wanted(key) else { return members.skip() };
        let Some(text) = members.text()? else { return self.field(key, wanted, &mut members) };
        let value = if wanted.is_kind_alone() { Slot::One(text) } else { self.one(text) };
        self.take(key, wanted, value);
        Ok(())
    }

    /// What the value of a key is read for; `None` when neither it nor anything in it is read
    fn wanted(&self, key: &str) -> Option<Wanted<'a>> {
        let layout = self.event.layout();
        let place = layout.at(key);
        let is_kind = layout.kind_field.as_deref() == Some(key);
        let is_read = place.is_some() || is_kind || layout.every.is_some() || layout.is_object(key);
        is_read.then_some(Wanted { place, is_kind })
    }

    /// Reads a key that may be a field, contain fields, or tell the event's kind, log or time
    fn field<A: MapAccess<'a>>(
        &mut self,
        key: &str,
        wanted: Wanted<'a>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let mut value = Slot::Missing;
        if wanted.is_kind_alone() {
            value = text(map.next_value()?).map_or(Slot::Null, Slot::One);
        } else {
            let (object, path) = (&mut *self, &mut String::new());
            map.next_value_seed(Deep { object, key, path, value: &mut value })?;
        }
        self.take(key, wanted, value);
        Ok(())
    }

    /// The value that is this text; keywords find it too
    fn one(&mut self, text: Cow<'a, str>) -> Slot<'a> {
        if let Some(every) = self.event.layout().every {
            self.event.add(every, Slot::One(text.clone()));
        }
        Slot::One(text)
    }

    /// Takes the value of a key
    fn take(&mut self, key: &str, Wanted { place, is_kind }: Wanted<'a>, value: Slot<'a>) {
        if is_kind {
            self.log.has_kind = true;
            self.log.kind = value.values().first().cloned();
        }
        let Some(place) = place else { return };
        if let Some(says) = place.says {
            self.log.take(says, &value);
        }
        for (slot, on) in &place.aliases {
            self.log.aliases.push((*slot, on, value.clone()));
        }
        if let Some(slot) = place.slot {
            if key.contains('.') {
                self.log.flat.push(slot);
            }
            self.event.fill(slot, value);
        }
    }

    /// Adds a value inside an object to the field of its path, unless a flat key has filled it
    fn nested(&mut self, path: &str, value: Slot<'a>) {
        let place = self.event.layout().at(path);
        let Some(place) = place else { return };
        if let Some(says) = place.says {
            self.log.take(says, &value);
        }
        if let Some(slot) = place.slot
            && !self.log.flat.contains(&slot)
        {
            self.event.add(slot, value);
        }
    }
}

impl<'a> DeserializeSeed<'a> for &mut Object<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A key; borrowed from the line unless it contains escapes
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a value, and the values inside it when a rule reads them
struct Deep<'d, 'o, 'e, 'a> {
    object: &'d mut Object<'e, 'a>,
    /// The key of the event that the value stands under
    key: &'d str,
    /// Path of the value, keys joined by dots; empty until an object is read, since few values need it
    path: &'d mut String,
    /// Receives the texts of the value itself
    value: &'o mut Slot<'a>,
}

impl<'a> Deep<'_, '_, '_, 'a> {
    fn one(self, text: Cow<'a, str>) {
        let text = self.object.one(text);
        self.value.add(text);
    }
}

impl<'a> DeserializeSeed<'a> for Deep<'_, '_, '_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Deep<'_, '_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        self.one(Cow::Borrowed(text));
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.one(Cow::Owned(text.to_owned()));
        Ok(())
    }
    fn visit_string<E>(self, text: String) -> Result<(), E> {
        self.one(Cow::Owned(text));
        Ok(())
    }
    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.one(Cow::Borrowed(if truth { "true" } else { "false" }));
        Ok(())
    }
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.one(Cow::Owned(number.to_string()));
        Ok(())
    }
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.one(Cow::Owned(number.to_string()));
        Ok(())
    }
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.one(Cow::Owned(number.to_string()));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.value.add(Slot::Null);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        self.value.add(Slot::Null);
        let Deep { object, key, path, value } = self;
        while items.next_element_seed(Deep { object, key, path, value })?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        self.value.add(Slot::Null);
        let Deep { object, key: first, path, .. } = self;
        if path.is_empty() {
            path.push_str(first);
        }
        let layout = object.event.layout();
        if layout.every.is_none() && !layout.is_object(path) {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let length = path.len();
        while let Some(Key(key)) = map.next_key()? {
            path.push('.');
            path.push_str(&key);
            let mut value = Slot::Missing;
            map.next_value_seed(Deep { object, key: first, path, value: &mut value })?;
            object.nested(path, value);
            path.truncate(length);
        }
        Ok(())
    }
}

/// The text of a string or a number; `None` for other values
fn text<'a>(value: serde_json::Value) -> Option<Cow<'a, str>> {
    match value {
        serde_json::Value::String(text) => Some(Cow::Owned(text)),
        serde_json::Value::Number(number) => Some(Cow::Owned(number.to_string())),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    }
}
