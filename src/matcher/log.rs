//! What an event says about the log that it comes from.
//!
//! In: values that the layout knows by their names. Out: a [`Log`]: channel, provider, number and time,
//! from which the kind of the event follows.

use std::borrow::Cow;

use super::layout::Says;
use super::slot::Slot;
use crate::taxonomy::EventKind;

/// What an event says about its log
#[derive(Default)]
pub(super) struct Log<'a> {
    pub(super) channel: Option<Cow<'a, str>>,
    pub(super) provider: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    /// The day, where the time has none
    pub(super) date: Option<Cow<'a, str>>,
    /// How good the time is, by the place of its name, and the time
    pub(super) time: Option<(usize, Cow<'a, str>)>,
    /// Values that a slot takes when it is empty, on events of a kind
    pub(super) aliases: Vec<(usize, EventKind, Slot<'a>)>,
    /// Slots that a key with dots in its name has filled
    pub(super) flat: Vec<usize>,
}

/// A time outside of the object with the fields is worse than any inside
pub(super) const OUTSIDE: usize = 100;

impl<'a> Log<'a> {
    pub(super) fn take_time(&mut self, rank: usize, time: Option<Cow<'a, str>>) {
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
            Says::Time(rank) => self.take_time(rank, text),
        }
    }
}
