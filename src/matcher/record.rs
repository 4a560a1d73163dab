//! Reads all fields of an event, as the engine reads them.
//!
//! In: an event of some kind. Out: a [`Record`]: every field of that kind with its values,
//! aliases resolved and derived fields filled in, as texts. Used to compare the engine with
//! another engine; the engine itself reads only the fields that its rules test.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeSeed;
use serde_json::Value;

use super::event::Kind;
use super::layout::Layout;
use super::novelty;
use super::slot::Slot;
use crate::taxonomy::{EventKind, Field, Product};

pub use super::part::{arguments, base_name};

/// An event with all fields of its kind
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its kinds; `None` when the event does not tell its kind
    pub kinds: Option<Vec<EventKind>>,
    /// Its operating system, when its log tells
    pub product: Option<Product>,
    /// Its time; `None` when it has no readable time
    pub time: Option<Timestamp>,
    /// The values of each field present; an empty list when the field is null
    pub fields: BTreeMap<Field, Vec<String>>,
}

/// Reads events with all fields of one kind, or with those that are asked for
#[derive(Debug)]
pub struct Recorder {
    layout: Layout,
}

impl Recorder {
    /// A reader of all fields of this kind
    pub fn new(kind: &EventKind) -> Recorder {
        let fields: Vec<Field> = kind.field_names().into_iter().map(Field::of_log).collect();
        Recorder::of(&fields)
    }

    /// A reader of these fields
    pub fn of<'f>(fields: impl IntoIterator<Item = &'f Field>) -> Recorder {
        let mut layout = Layout::new(None, None);
        for field in fields {
            layout.slot(field);
        }
        Recorder { layout }
    }

    /// Reads an event; `kind`, when given, replaces the kind that the event names
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn read(&self, event: &Value, kind: Option<&EventKind>) -> serde_json::Result<Record> {
        let event = (&self.layout).deserialize(event)?.given(kind);
        let there = |slot: usize| !matches!(event.slot(slot), Slot::Missing);
        let texts = |slot: usize| event.slot(slot).values().iter().map(|v| v.to_string()).collect();
        let fields = self.layout.fields.iter().enumerate();
        let fields =
            fields.filter(|(slot, _)| there(*slot)).map(|(slot, f)| (f.clone(), texts(slot)));
        let (kinds, product) = match event.kind() {
            Kind::Known(kinds, systems) => (Some(kinds.to_vec()), systems.one()),
            Kind::Unknown => (None, None),
        };
        let time = event.time().and_then(novelty::timestamp);
        Ok(Record { kinds, product, time, fields: fields.collect() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_holds_what_is_written_and_what_follows_from_it() {
        let event = json!({
            "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 13, "ProcessId": 4,
            "TargetObject": r"HKLM\SYSTEM\a", "Details": "DWORD (0x00000010)",
        });
        let record = Recorder::new(&EventKind::RegistryEvent).read(&event, None).unwrap();
        assert!(record.kinds.unwrap().contains(&EventKind::RegistryEvent));
        assert_eq!(record.product, Some(Product::Windows));
        let of = |name: &str| record.fields[&Field::named(name).unwrap()].clone();
        assert_eq!(of("RegistryKey"), [r"HKEY_LOCAL_MACHINE\SYSTEM"]);
        assert_eq!(of("RegistryData"), ["16"]);
        assert_eq!(of("ProcessId"), ["4"]);
        assert!(!record.fields.contains_key(&Field::named("Image").unwrap()));
    }
}
