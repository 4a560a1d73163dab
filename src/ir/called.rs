//! What the documents of a run call each other by.
//!
//! In: definitions. Out: the places of those that have a name or an id.

use std::collections::HashMap;

use crate::definition::{Definition, Metadata};

/// Which documents a name or an id stands for
pub(super) struct Called<'d>(HashMap<&'d str, Vec<usize>>);

impl<'d> Called<'d> {
    pub(super) fn of(definitions: &[&'d Definition]) -> Called<'d> {
        let mut called: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, definition) in definitions.iter().enumerate() {
            for name in names(&definition.metadata) {
                let places = called.entry(name).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        Called(called)
    }

    /// The places of those that are called so, in their order
    pub(super) fn at(&self, name: &str) -> &[usize] {
        self.0.get(name).map_or(&[], |places| places)
    }
}

/// What other documents may call one
pub(super) fn names(metadata: &Metadata) -> impl Iterator<Item = &str> {
    [&metadata.name, &metadata.id].into_iter().flatten().map(|name| name.value.as_str())
}
