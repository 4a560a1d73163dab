//! Collects what an event tells about its log.
//!
//! In: the values of keys that the layout marks. Out: a [`Log`]: channel, provider, id and time.
//! The kind of the event follows from channel, provider and id.

use std::borrow::Cow;

use super::layout::{GIVEN, Says};
use super::slot::Slot;
use super::systems::Systems;
use crate::taxonomy::EventKind;

/// Channel, provider, id, kind and time of an event, as its keys give them
#[derive(Default)]
pub(super) struct Log<'a> {
    pub(super) channel: Option<Cow<'a, str>>,
    pub(super) provider: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    /// The date, for logs whose time has no date
    pub(super) date: Option<Cow<'a, str>>,
    /// The operating systems, where its shape tells them
    pub(super) systems: Systems,
    /// Whether the object with the fields is there, and the field that names the kind
    pub(super) has_object: bool,
    pub(super) has_kind: bool,
    /// Rank of the time's key, and the time; the lowest rank wins
    pub(super) time: Option<(usize, Cow<'a, str>)>,
    /// Values that a slot takes when it is empty and the event is of the kind
    pub(super) aliases: Vec<(usize, &'static EventKind, Slot<'a>)>,
    /// Slots filled from a key with dots in its name; nested values do not add to them
    pub(super) flat: Vec<usize>,
}

/// Added to the rank of a time outside the object with the fields, so that any time inside wins
pub(super) const OUTSIDE: usize = 100;

impl<'a> Log<'a> {
    /// Whether the event has the field that the user names for the time
    pub(super) fn has_time_field(&self) -> bool {
        self.time.as_ref().is_some_and(|(rank, _)| rank % OUTSIDE == GIVEN)
    }

    pub(super) fn take_time(&mut self, rank: usize, time: Option<Cow<'a, str>>) {
        // The user's word for the time holds wherever the field stands.
        let rank = if rank % OUTSIDE == GIVEN { GIVEN } else { rank };
        if let Some(time) = time
            && self.time.as_ref().is_none_or(|(known, _)| rank < *known)
        {
            self.time = Some((rank, time));
        }
    }

    pub(super) fn take(&mut self, says: Says, value: &Slot<'a>) {
        let text = value.values().first().cloned();
        match says {
            Says::Channel => self.channel = text,
            Says::Provider => self.provider = text,
            Says::Id => self.id = text,
            Says::Date => self.date = text,
            Says::Systems => {
                self.systems = text.map_or(Systems::Any, |word| Systems::named(&word));
            }
            Says::Time(rank) => self.take_time(rank, text),
        }
    }
}
