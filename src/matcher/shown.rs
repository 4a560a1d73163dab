//! Fields that matches show beside their evidence.
//!
//! In: the line of an event that matched. Out: the values of the fields that [`Options::shown`] names. The
//! line is read a second time: matches are rare, and an event that matches nothing costs nothing more.

use std::collections::BTreeMap;

use super::layout::Layout;
use super::{Match, Options};
use crate::taxonomy::Field;

/// The fields to show
pub(super) struct Shown {
    layout: Layout,
    /// The slots of the fields; the layout has more, from which fields are derived
    slots: Vec<usize>,
}

impl Shown {
    /// The fields of events of this form; `None` when there are none to show
    pub(super) fn of(options: &Options) -> Option<Shown> {
        if options.shown.is_empty() {
            return None;
        }
        let mut layout = Layout::of(options);
        let slots = options.shown.iter().map(|field| layout.slot(field)).collect();
        Some(Shown { layout, slots })
    }

    /// The fields, and those from which they are derived
    pub(super) fn fields(&self) -> &[Field] {
        &self.layout.fields
    }

    /// Adds the fields of the event in this line to its matches
    pub(super) fn add(&self, line: &str, matches: &mut [Match]) {
        if matches.is_empty() {
            return;
        }
        // INVARIANT: the line is an event, for it has matches.
        let Ok(event) = self.layout.read(line) else { return };
        let slots = self.slots.iter().filter(|slot| !event.slot(**slot).values().is_empty());
        let shown: BTreeMap<Field, Vec<String>> = slots
            .map(|slot| {
                let values = event.slot(*slot).values().iter().map(ToString::to_string);
                (self.layout.fields[*slot].clone(), values.collect())
            })
            .collect();
        matches.iter_mut().for_each(|one| one.shown.clone_from(&shown));
    }
}
