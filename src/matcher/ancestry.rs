//! The process tree, built from process creations.
//!
//! In: process creations in the order of the stream. Out: `GrandparentImage`, when the event lacks
//! it: the parent image in the creation of the event's parent. A process is identified by its GUID,
//! or by host and id. Ids are reused, so a match by id alone also compares the image.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::event::{Event, Kind};
use super::group::short_host;
use super::layout::Layout;
use super::slot::Slot;
use crate::pattern::fold_text;
use crate::taxonomy::{EventKind, Field};

/// The most processes to remember, counted by GUID and by id; the oldest go first
const MOST: usize = 1 << 18;

/// Slots of the fields that the process tree reads and fills
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    grandparent: usize,
    image: usize,
    parent: usize,
    host: usize,
    guid: usize,
    parent_guid: usize,
    id: usize,
    parent_id: usize,
    /// The id of the new process where Windows' auditing reports a start: `ProcessId` is that of its creator
    new_id: usize,
}

impl Places {
    /// The slots in a layout; `None` when no rule reads the grandparent
    pub(super) fn of(layout: &mut Layout) -> Option<Places> {
        let grandparent = Field::named("GrandparentImage")?;
        let grandparent = layout.fields.iter().position(|field| *field == grandparent)?;
        let mut place = |name: &str| Field::named(name).map(|field| layout.slot(&field));
        Some(Places {
            grandparent,
            image: place("Image")?,
            parent: place("ParentImage")?,
            host: place("Computer")?,
            guid: place("ProcessGuid")?,
            parent_guid: place("ParentProcessGuid")?,
            id: place("ProcessId")?,
            parent_id: place("ParentProcessId")?,
            new_id: layout.slot(&Field::of_log("NewProcessId")),
        })
    }
}

/// Processes seen so far, with their parents
#[derive(Debug, Default)]
pub(super) struct ProcessTree {
    started: HashMap<(String, String), Started>,
    order: VecDeque<(String, String)>,
}

#[derive(Debug, Clone)]
struct Started {
    guid: Option<String>,
    image: String,
    parent: String,
}

impl ProcessTree {
    /// Takes the next event of the stream: fills its grandparent and records its process
    pub(super) fn follow(&mut self, places: Places, event: &mut Event<'_>) {
        if matches!(event.kind(), Kind::Known(kinds, _) if !kinds.contains(&EventKind::ProcessCreation))
        {
            return;
        }
        let text = |slot: usize| {
            let values = event.slot(slot).values();
            values.first().filter(|value| !value.is_empty()).map(|value| value.to_string())
        };
        let host = text(places.host).map_or_else(String::new, |host| short_host(&host));
        let (id, parent_id) = match (text(places.new_id), text(places.parent_id)) {
            (Some(new), None) => (Some(new), text(places.id)),
            (_, parent) => (text(places.id), parent),
        };
        // A GUID is unique across hosts: its key has no host.
        let key = |guid: usize, id: &Option<String>| {
            let guid = text(guid).map(|guid| (String::new(), guid.to_ascii_lowercase()));
            guid.into_iter().chain(id.as_deref().map(|id| (host.clone(), decimal(id))))
        };
        let (image, parent) = (text(places.image), text(places.parent));
        let mut above = None;
        if let Some(parent) = &parent
            && matches!(event.slot(places.grandparent), Slot::Missing)
        {
            let guid = text(places.parent_guid).map(|guid| guid.to_ascii_lowercase());
            // Ids are reused: a process with another GUID is another process.
            let same = |started: &&Started| match (&guid, &started.guid) {
                (Some(guid), Some(other)) => guid == other,
                (None, _) | (_, None) => fold_text(&started.image) == fold_text(parent),
            };
            let started = key(places.parent_guid, &parent_id)
                .find_map(|key| self.started.get(&key).filter(same));
            above = started.map(|started| started.parent.clone());
        }
        if let (Some(image), Some(parent)) = (image, parent) {
            let guid = text(places.guid).map(|guid| guid.to_ascii_lowercase());
            let started = Started { guid, image, parent };
            for key in key(places.guid, &id) {
                if self.started.insert(key.clone(), started.clone()).is_none() {
                    self.order.push_back(key);
                }
            }
        }
        while self.order.len() > MOST {
            self.order.pop_front().map(|key| self.started.remove(&key));
        }
        if let Some(above) = above {
            event.fill(places.grandparent, Slot::One(Cow::Owned(above)));
        }
    }
}

/// An id as Sysmon writes it; Windows' auditing writes it in hexadecimal
fn decimal(id: &str) -> String {
    let number = id.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.map_or_else(|| id.to_owned(), |number| number.to_string())
}
