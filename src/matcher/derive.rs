//! Derives fields that an event lacks from the fields that it has.
//!
//! In: the slots of an event. Out: the same slots, with the derived fields filled: the action on a
//! file or registry key; the registry key, value and data out of Sysmon's `TargetObject` and
//! `Details`; the hash of each algorithm out of `Hashes`; what Windows' auditing says of a process
//! ([`Audited`]); the whole URI of a request out of its path and query. A field that the event has stays as
//! it is, except an empty hash, and the dash that a web log writes for a missing value.

use std::borrow::Cow;

use super::audited::Audited;
use super::slot::{Slot, Slots};
use crate::taxonomy::hash::{Algorithm, Hashes};
use crate::taxonomy::{Field, registry};

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
    /// Slots that hold the hash of one algorithm
    hashed: Vec<(Algorithm, usize)>,
    /// Slots of web log fields, in which a dash means no value
    dashed: Vec<usize>,
    uri: Option<usize>,
    uri_stem: Option<usize>,
    uri_query: Option<usize>,
    audited: Audited,
}

/// Fields that tell whether a registry event is about a key or a value
///
/// All of them are read, so that a verdict does not depend on the fields of other tests.
const REGISTRY: &[&str] =
    &["EventType", "TargetObject", "Details", "RegistryKey", "RegistryValue", "RegistryData"];

impl Derived {
    /// Notes the slot of a field, if the field takes part
    pub(super) fn note(&mut self, field: &Field, slot: usize) {
        self.audited.note(field, slot);
        let place = match field.name() {
            "Action" => &mut self.action,
            "RegistryKey" => &mut self.key,
            "RegistryValue" => &mut self.value,
            "RegistryData" => &mut self.data,
            "EventType" => &mut self.event_type,
            "TargetObject" => &mut self.target,
            "Details" => &mut self.details,
            "Hashes" => &mut self.hashes,
            "cs-uri" => &mut self.uri,
            "cs-uri-stem" => &mut self.uri_stem,
            "cs-uri-query" => {
                self.dashed.push(slot);
                &mut self.uri_query
            }
            "cs-cookie" | "cs-host" | "cs-referer" | "cs-user-agent" | "cs-username" => {
                self.dashed.push(slot);
                return;
            }
            _ => {
                self.hashed.extend(Algorithm::of(field).map(|algorithm| (algorithm, slot)));
                return;
            }
        };
        *place = Some(slot);
    }

    /// The fields that must be read to derive this field
    pub(super) fn sources(field: &Field) -> impl Iterator<Item = Field> + use<> {
        let names: &'static [&str] = match field.name() {
            "Action" | "RegistryKey" | "RegistryValue" | "RegistryData" => REGISTRY,
            "cs-uri" => &["cs-uri-stem", "cs-uri-query"],
            _ if Algorithm::of(field).is_some() => &["Hashes"],
            _ => Audited::sources(field),
        };
        names.iter().map(|name| Field::of_log(name))
    }

    /// The fields of which each alone tells this field
    pub(super) fn tellers(field: &Field) -> Vec<Field> {
        match field.name() {
            "RegistryKey" | "RegistryValue" => vec![Field::of_log("TargetObject")],
            "RegistryData" => vec![Field::of_log("Details")],
            "cs-uri" => vec![Field::of_log("cs-uri-stem")],
            _ => Derived::sources(field).collect(),
        }
    }

    /// Whether every event has this field once the missing fields are filled
    pub(super) fn is_always_there(field: &Field) -> bool {
        field.name() == "Action"
    }

    /// Fills the missing fields; `action` is the action that the event's log and id, or kind, imply
    pub(super) fn fill(&self, slots: &mut Slots<'_>, action: Option<&'static str>) {
        for slot in &self.dashed {
            if matches!(&slots[*slot], Slot::One(text) if text == "-") {
                *slots.at(*slot) = Slot::Missing;
            }
        }
        if !self.hashed.is_empty() {
            self.fill_hashes(slots);
        }
        self.audited.fill(slots);
        self.fill_uri(slots);
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
                *slots.at(slot) = Slot::One(text);
            }
        };
        set(self.action, Some(Cow::Borrowed(action)));
        set(self.key, key.map(Cow::Owned));
        set(self.value, value.map(Cow::Owned));
        set(self.data, details.as_deref().and_then(registry::data).map(Cow::Owned));
    }
}

impl Derived {
    /// Fills the hash of each algorithm out of the text of all; of several texts, the first that has it
    fn fill_hashes(&self, slots: &mut Slots<'_>) {
        let all = self.hashes.map_or(&[][..], |slot| slots[slot].values());
        let all: Vec<(Cow<'_, str>, Hashes)> =
            all.iter().map(|text| (text.clone(), Hashes::of(text))).collect();
        for (algorithm, slot) in &self.hashed {
            let lacks = slots[*slot].values().iter().all(|value| value.is_empty());
            let mut hashes = all.iter().filter_map(|(text, hashes)| {
                let place = hashes.place(*algorithm)?;
                Some(match text {
                    Cow::Borrowed(text) => Cow::Borrowed(&text[place]),
                    Cow::Owned(text) => Cow::Owned(text[place].to_owned()),
                })
            });
            if let (true, Some(hash)) = (lacks, hashes.next()) {
                *slots.at(*slot) = Slot::One(hash);
            }
        }
    }

    /// Fills the whole URI of a request, of which IIS logs the path and the query apart
    fn fill_uri(&self, slots: &mut Slots<'_>) {
        let Some(uri) = self.uri.filter(|slot| matches!(slots[*slot], Slot::Missing)) else {
            return;
        };
        let text = |slot: Option<usize>| {
            let values = slot.map_or(&[][..], |slot| slots[slot].values());
            values.first().map(ToString::to_string)
        };
        let Some(stem) = text(self.uri_stem) else { return };
        let whole = match text(self.uri_query).filter(|query| !query.is_empty()) {
            Some(query) => format!("{stem}?{query}"),
            None => stem,
        };
        *slots.at(uri) = Slot::One(Cow::Owned(whole));
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

    #[test]
    fn a_whole_uri_is_made_of_path_and_query() {
        let mut layout = Layout::new(None, None);
        let slot = layout.slot(&Field::named("cs-uri").unwrap());
        for (event, wanted) in [
            (r#"{"cs-uri-stem":"/a","cs-uri-query":"b=1"}"#, &["/a?b=1"][..]),
            (r#"{"cs-uri-stem":"/a","cs-uri-query":"-"}"#, &["/a"]),
            (r#"{"cs-uri-stem":"/a","cs-uri":"/c"}"#, &["/c"]),
            (r#"{"cs-uri-query":"b=1"}"#, &[]),
        ] {
            assert_eq!(*layout.read(event).unwrap().slot(slot).values(), *wanted, "{event}");
        }
    }
}
