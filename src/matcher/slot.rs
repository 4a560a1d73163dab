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
