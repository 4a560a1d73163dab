//! Rows and documents of the targets, read through the mappings backwards.
//!
//! In: a row of Sentinel or Defender, or a document of Elastic, and the mappings that rules are compiled
//! with. Out: [`Told`]: the event in Sigma's names, with its log sources. The block of YAML that says where a
//! target keeps a field also says which field a column holds, so a user's own table is read as well.
//!
//! A part of a value that alone is kept stands for the whole: the name of a program becomes a path without
//! its folder, of which a test of a name holds and a test of a folder does not.

mod documents;
mod held;
mod part;
mod returned;
mod rows;

use std::collections::HashSet;
use std::fmt;
use std::sync::OnceLock;

use documents::Documents;
use held::Held;
pub use held::Unheld;
use returned::{Returned, Signals};
use rows::Tables;

use super::shape::Object;
use super::systems::Systems;
use crate::ir::Rule;
use crate::mapping::Mappings;
use crate::taxonomy::{EventKind, Field, FieldType, Log, Product};

/// What a row or a document says of an event
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Values by the name of the field
    pub(super) fields: Vec<(String, Vec<String>)>,
    /// The log sources whose event it is; none when no mapping knows it
    pub(super) kinds: Vec<EventKind>,
    /// The operating systems that it may be of
    pub(super) systems: Systems,
}

impl Told {
    /// Adds a log source, and the log that its events are written to
    fn is_of(&mut self, kind: &EventKind, log: Option<&Log>, product: Option<Product>) {
        for kind in [Some(kind.clone()), log.cloned().map(EventKind::Log)].into_iter().flatten() {
            if !self.kinds.contains(&kind) {
                self.kinds.push(kind);
            }
        }
        self.systems = self.systems.or(product.into());
    }

    /// The paths of files and programs that it has
    fn paths(&self) -> impl Iterator<Item = &str> {
        let of_path = |field: Field| field.kind() == FieldType::Path;
        let is_path = move |name: &str| Field::named(name).is_some_and(of_path);
        let fields = self.fields.iter().filter(move |(name, _)| is_path(name));
        // The path of a request is none of a file.
        let fields = fields.filter(|_| !self.kinds.contains(&EventKind::Webserver));
        fields.flat_map(|(_, values)| values).map(String::as_str)
    }

    /// Adds the values of a field, unless another log source has told them
    fn add(&mut self, name: &str, values: Vec<String>) {
        if !values.is_empty() && !self.fields.iter().any(|(known, _)| known == name) {
            self.fields.push((name.to_owned(), values));
        }
    }
}

/// Reads what the targets keep
pub(super) struct Mapped {
    mappings: Mappings,
    /// The fields that rules read; `None` for every field
    asked: Option<HashSet<Field>>,
    /// The signals whose rows a query may have returned
    signals: Signals,
    returned: OnceLock<Returned>,
    tables: OnceLock<Tables>,
    documents: OnceLock<Documents>,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Mapped {
    /// Reads these fields through these mappings, every field without `asked`
    ///
    /// `rules` are those whose queries may have returned a row.
    pub(super) fn new(mappings: Mappings, asked: Option<HashSet<Field>>, rules: &[Rule]) -> Mapped {
        Mapped {
            mappings,
            asked,
            signals: returned::signals(rules),
            returned: OnceLock::new(),
            tables: OnceLock::new(),
            documents: OnceLock::new(),
        }
    }

    /// The event of a row; `None` when no mapping knows its table
    pub(super) fn row(&self, record: &str) -> Option<Told> {
        let asked = self.asked.as_ref();
        let tables = || Tables::of(&self.mappings, asked);
        let returned = || Returned::of(&self.signals, &self.mappings, asked);
        let tables = self.tables.get_or_init(tables);
        tables.read(record, || self.returned.get_or_init(returned))
    }

    /// The event of a document; `None` when no mapping knows documents like it
    ///
    /// `hit` is what stands around the document, if anything does. `alone` says that nothing else tells
    /// what its names mean.
    pub(super) fn document(
        &self,
        (document, hit): (&Object<'_>, &Object<'_>),
        alone: bool,
    ) -> Option<Told> {
        let documents =
            self.documents.get_or_init(|| Documents::of(&self.mappings, self.asked.as_ref()));
        documents.read((document, hit), alone)
    }

    /// What the rows and documents read so far do not hold of what these rules ask for
    pub(super) fn unheld(&self, rules: &[Rule]) -> Unheld {
        let mut held = Held::default();
        self.returned.get().into_iter().for_each(|returned| returned.add_held(&mut held));
        self.tables.get().into_iter().for_each(|tables| tables.add_held(&mut held));
        self.documents.get().into_iter().for_each(|documents| documents.add_held(&mut held));
        held.unheld(rules)
    }
}
