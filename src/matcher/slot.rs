//! The values that an event holds for one field.
//!
//! In: a JSON value. Out: a [`Slot`]: missing, null, one text, or several texts in their order.

use std::borrow::Cow;

/// The values of a field; `Missing` when the event does not have the field
#[derive(Debug, Default, Clone)]
pub(super) enum Slot<'a> {
    #[default]
    Missing,
    /// Present without a text: null, an object or an empty list
    Null,
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

/// The slots of an event, of which few are filled
#[derive(Debug, Clone, Default)]
pub(super) struct Slots<'a> {
    /// By slot, one more than its place in `filled`; zero when it is missing
    places: Vec<u32>,
    filled: Vec<Slot<'a>>,
}

impl<'a> Slots<'a> {
    /// Empty slots
    pub(super) fn new(number: usize) -> Slots<'a> {
        Slots { places: vec![0; number], filled: Vec::with_capacity(number.min(FILLED)) }
    }

    /// The slot, to fill it
    pub(super) fn at(&mut self, slot: usize) -> &mut Slot<'a> {
        let place = &mut self.places[slot];
        if *place == 0 {
            self.filled.push(Slot::Missing);
            *place = u32::try_from(self.filled.len()).unwrap_or(u32::MAX);
        }
        &mut self.filled[*place as usize - 1]
    }

    /// The slots that are filled, or were
    pub(super) fn filled(&self) -> impl Iterator<Item = usize> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(slot, place)| (*place != 0).then_some(slot))
    }
}

impl<'a> std::ops::Index<usize> for Slots<'a> {
    type Output = Slot<'a>;

    fn index(&self, slot: usize) -> &Slot<'a> {
        match self.places[slot] {
            0 => &Slot::Missing,
            place => &self.filled[place as usize - 1],
        }
    }
}

/// So many slots of an event are filled as a rule
const FILLED: usize = 24;

impl<'a> Slot<'a> {
    pub(super) fn values(&self) -> &[Cow<'a, str>] {
        match self {
            Slot::Missing | Slot::Null => &[],
            Slot::One(value) => std::slice::from_ref(value),
            Slot::Many(values) => values,
        }
    }

    pub(super) fn add(&mut self, other: Slot<'a>) {
        match (&mut *self, other) {
            (Slot::Missing, other) => *self = other,
            (_, Slot::Missing | Slot::Null) => {}
            (Slot::Null, other) => *self = other,
            (Slot::One(mine), Slot::One(other)) => {
                *self = Slot::Many(vec![std::mem::take(mine), other]);
            }
            (Slot::One(mine), Slot::Many(others)) => {
                let mine = std::mem::take(mine);
                *self = Slot::Many(std::iter::once(mine).chain(others).collect());
            }
            (Slot::Many(values), Slot::One(other)) => values.push(other),
            (Slot::Many(values), Slot::Many(others)) => values.extend(others),
        }
    }
}
