//! Derives fields that an event lacks from the fields that it has.
//!
//! In: the slots of an event. Out: the same slots, with the derived fields filled: the action on a
//! file or registry key; the registry key, value and data out of Sysmon's `TargetObject` and
//! `Details`; the hash of each algorithm out of `Hashes`. A field that the event has stays as it
//! is, except an empty hash, and the dash that a web log writes for a missing value.

use std::borrow::Cow;

use super::slot::Slot;
use crate::taxonomy::{Field, hash, registry};

/// Slots of the fields that take part; `None` when the layout does not hold the field
#[derive(Debug, Default)]
pub(super) struct Derived {
    action: Option<usize>,
    key: Option<usize>,
    value: Option<usize>,
    data: Option<usize>,
    event_type: Option<usize>,
    target: Option<usize>,
    details: Option<usize>,
    hashes: Option<usize>,
    /// Fields that hold the hash of one algorithm, with their slots
    hashed: Vec<(Field, usize)>,
    /// Slots of web log fields, in which a dash means no value
    dashed: Vec<usize>,
}

/// Fields that tell whether a registry event is about a key or a value
///
/// All of them are read, so that a verdict does not depend on the fields of other tests.
const REGISTRY: &[&str] =
    &["EventType", "TargetObject", "Details", "RegistryKey", "RegistryValue", "RegistryData"];

impl Derived {
    /// Notes the slot of a field, if the field takes part
    pub(super) fn note(&mut self, field: &Field, slot: usize) {
        let place = match field.name() {
            "Action" => &mut self.action,
            "RegistryKey" => &mut self.key,
            "RegistryValue" => &mut self.value,
            "RegistryData" => &mut self.data,
            "EventType" => &mut self.event_type,
            "TargetObject" => &mut self.target,
            "Details" => &mut self.details,
            "Hashes" => &mut self.hashes,
            "cs-host" | "cs-referer" | "cs-uri-query" | "cs-user-agent" | "cs-username" => {
                self.dashed.push(slot);
                return;
            }
            _ => {
                if hash::fields().any(|known| known == *field) {
                    self.hashed.push((field.clone(), slot));
                }
                return;
            }
        };
        *place = Some(slot);
    }

    /// The fields that must be read to derive this field
    pub(super) fn sources(field: &Field) -> impl Iterator<Item = Field> + use<> {
        let names: &'static [&str] = match field.name() {
            "Action" | "RegistryKey" | "RegistryValue" | "RegistryData" => REGISTRY,
            _ if hash::fields().any(|known| known == *field) => &["Hashes"],
            _ => &[],
        };
        names.iter().filter_map(|name| Field::named(name))
    }

    /// Fills the missing fields; `action` is the action that the event's log and id, or kind, imply
    pub(super) fn fill(&self, slots: &mut [Slot<'_>], action: Option<&'static str>) {
        for slot in &self.dashed {
            if matches!(&slots[*slot], Slot::One(text) if text == "-") {
                slots[*slot] = Slot::Missing;
            }
        }
        for (field, slot) in &self.hashed {
            let all = self.hashes.map_or(&[][..], |slot| slots[slot].values());
            let found = all.iter().find_map(|hashes| hash::of(field, hashes));
            let found = found.map(ToOwned::to_owned);
            let lacks = slots[*slot].values().iter().all(|value| value.is_empty());
            if let (true, Some(hash)) = (lacks, found) {
                slots[*slot] = Slot::One(Cow::Owned(hash));
            }
        }
        if [self.action, self.key, self.value, self.data].iter().all(Option::is_none) {
            return;
        }
        let text = |slot: Option<usize>| {
            let values = slot.map_or(&[][..], |slot| slots[slot].values());
            values.first().map(|value| value.to_string())
        };
        let (target, details) = (text(self.target), text(self.details));
        let told = text(self.event_type).and_then(|word| registry::event_type(&word));
        let of_value = [self.value, self.data].iter().any(|slot| text(*slot).is_some());
        let about_value = match (told, action) {
            (Some((_, about_value)), _) => about_value,
            (None, Some(action)) => action == "modified" || details.is_some(),
            (None, None) => details.is_some() || of_value,
        };
        let registry = target.is_some() || text(self.key).is_some() || of_value;
        // Sigma's `file_event` means that the file was created: the default for file events.
        let action = told.map(|(action, _)| action).or(action).unwrap_or(match registry {
            true if about_value => "modified",
            _ => "created",
        });
        let split = target.map(|target| registry::split(&target, about_value));
        let (key, value) = split.map_or((None, None), |(key, value)| (Some(key), value));
        let mut set = |slot: Option<usize>, text: Option<Cow<'static, str>>| {
            if let (Some(slot), Some(text)) = (slot, text)
                && matches!(slots[slot], Slot::Missing)
            {
                slots[slot] = Slot::One(text);
            }
        };
        set(self.action, Some(Cow::Borrowed(action)));
        set(self.key, key.map(Cow::Owned));
        set(self.value, value.map(Cow::Owned));
        set(self.data, details.as_deref().and_then(registry::data).map(Cow::Owned));
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::*;

    #[test]
    fn what_happened_does_not_depend_on_what_else_is_asked() {
        let action = Field::named("Action").unwrap();
        let mut layout = Layout::new(None, None);
        let slot = layout.slot(&action);
        let line =
            r#"{"RegistryKey":"HKEY_LOCAL_MACHINE\\A","RegistryValue":"b","RegistryData":"1"}"#;
        let event = layout.read(line).unwrap();
        assert_eq!(*event.slot(slot).values(), ["modified"]);
    }
}
