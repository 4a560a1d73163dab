//! Names by which the documents of one run refer to each other.
//!
//! In: definitions. Out: for each name and id, the indices of the definitions that carry it.

use std::collections::HashMap;

use crate::definition::{Definition, Metadata};

/// The indices of the definitions with a given name or id
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

    /// Indices of the definitions with this name or id, ascending; empty when there are none
    pub(super) fn at(&self, name: &str) -> &[usize] {
        self.0.get(name).map_or(&[], |places| places)
    }
}

/// The name, the id and the shared id of a definition, where it has them
pub(super) fn names(metadata: &Metadata) -> impl Iterator<Item = &str> {
    [&metadata.name, &metadata.id, &metadata.family]
        .into_iter()
        .flatten()
        .map(|name| name.value.as_str())
}
