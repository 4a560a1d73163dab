//! Objects of JSON of which only the asked parts are read, and flat objects made of them.
//!
//! In: the text of an object. Out: its entries, with values left as the text that they are written in.
//! No tree is built: a value is copied into the flat event as it stands.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A key with its value
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    /// The value as written
    pub(super) value: &'a str,
    /// The object that the value is, once it was asked for
    inside: OnceCell<Option<Rc<Object<'a>>>>,
}

/// The entries of an object in their order
#[derive(Clone)]
pub(in crate::matcher) struct Object<'a> {
    /// The object as written; empty when its keys were written out
    text: &'a str,
    pub(super) entries: Vec<Entry<'a>>,
    /// A bit for the length of each key: most questions are about keys that are not there
    lengths: u64,
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    entries.push(Entry::new(key, value.get()));
                }
                Ok(Object::of("", entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A key; borrowed unless it contains escapes
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Entry<'a> {
    fn new(key: Cow<'a, str>, value: &'a str) -> Entry<'a> {
        Entry { key, value, inside: OnceCell::new() }
    }

    /// The object that the value is; read once, however often it is asked for
    pub(super) fn object(&self) -> Option<&Rc<Object<'a>>> {
        self.inside.get_or_init(|| Object::read(self.value).map(Rc::new)).as_ref()
    }
}

impl<'a> Object<'a> {
    fn of(text: &'a str, entries: Vec<Entry<'a>>) -> Object<'a> {
        let lengths = entries.iter().fold(0, |bits, entry| bits | bit(entry.key.len()));
        Object { text, entries, lengths }
    }

    /// The object that this text is; `None` for any other text
    pub(super) fn read(text: &'a str) -> Option<Object<'a>> {
        let object = text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok())?;
        object.map(|object: Object<'a>| Object { text, ..object })
    }

    /// The object as written
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The entry of a key
    fn entry(&self, name: &str) -> Option<&Entry<'a>> {
        if self.lengths & bit(name.len()) == 0 {
            return None;
        }
        self.entries.iter().find(|entry| entry.key == name)
    }

    /// The entry at a path: of the key with this name, else inside objects, keys joined by dots
    fn find(&self, path: &str) -> Option<&Entry<'a>> {
        self.entry(path).or_else(|| {
            path.match_indices('.')
                .find_map(|(dot, _)| self.entry(&path[..dot])?.object()?.find(&path[dot + 1..]))
        })
    }

    /// The value at a path
    pub(in crate::matcher) fn at(&self, path: &str) -> Option<&'a str> {
        self.find(path).map(|entry| entry.value)
    }

    /// The object at a path, also where its keys are written out with the path before them
    pub(super) fn inside(&self, path: &str) -> Option<Rc<Object<'a>>> {
        if let Some(object) = self.find(path).and_then(Entry::object) {
            return Some(Rc::clone(object));
        }
        let below = self.entries.iter().filter_map(|entry| {
            let rest = entry.key.strip_prefix(path)?.strip_prefix('.')?;
            Some(Entry::new(Cow::Owned(rest.to_owned()), entry.value))
        });
        let below: Vec<_> = below.collect();
        (!below.is_empty()).then(|| Rc::new(Object::of("", below)))
    }
}

fn bit(length: usize) -> u64 {
    1 << (length % 64)
}

/// The text that a JSON string holds; `None` for any other value
pub(super) fn text(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// A text as a JSON string
pub(in crate::matcher) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A flat event in the making
#[derive(Default)]
pub(super) struct Flat<'a> {
    /// Names with their values, as JSON
    pub(super) fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Flat<'a> {
    /// Adds a field
    pub(super) fn add(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.fields.push((name, value));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// Whether some field has this value
    pub(super) fn holds(&self, value: &str) -> bool {
        self.fields.iter().any(|(_, known)| known == value)
    }

    /// Adds what the record says beside its fields
    ///
    /// A field of that name keeps its value, behind the other: in event 104 `Channel` is the log that
    /// was cleared, and the channel tells which log the event is of.
    pub(super) fn say(&mut self, name: &'static str, value: Cow<'a, str>) {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            None => self.add(Cow::Borrowed(name), value),
            Some((_, own)) if *own == value => {}
            Some((_, own)) if own.starts_with(['[', '{']) => *own = value,
            Some((_, own)) => *own = Cow::Owned(format!("[{value},{own}]")),
        }
    }

    /// The event as a line of JSON
    pub(super) fn line(&self) -> String {
        let length: usize = self.fields.iter().map(|(k, v)| k.len() + v.len() + 4).sum();
        let mut line = String::with_capacity(length + 2);
        line.push('{');
        for (at, (name, value)) in self.fields.iter().enumerate() {
            if at > 0 {
                line.push(',');
            }
            let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
            if name.bytes().all(is_plain) {
                line.push('"');
                line.push_str(name);
                line.push('"');
            } else {
                line.push_str(&quoted(name));
            }
            line.push(':');
            line.push_str(value);
        }
        line.push('}');
        line
    }
}
