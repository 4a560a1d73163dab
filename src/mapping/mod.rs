//! Mappings: where a target keeps the events and fields that rules ask for.
//!
//! In: documents with `mapping:`; those of the targets that rulecast knows are embedded. Out: per
//! log source the [`Table`]s of Kusto or the [`Stream`]s of Elastic that hold its events, the test
//! that selects them, the column or index field of each field with its type and its quirks, and the
//! [`Results`] that an alert shows. A log source may have several tables. Mistakes in a document are
//! diagnostics at their words.
//!
//! INVARIANT: nothing outside the documents depends on the log source of a table: adding a log
//! source to a target is a block of YAML.

mod document;
mod place;
mod read;
mod results;
mod stream;
mod stream_document;
mod table;
mod table_document;

use std::sync::{Arc, LazyLock};

use crate::diagnostic::Diagnostics;
use crate::source::SourceText;

pub(crate) use place::Holds;
pub(crate) use results::{Entity, ResultRole, Results};
pub(crate) use stream::{FieldKind, Index, IndexField, Stream, Test, Words};
pub(crate) use table::{Column, Kind, Rows, Table};

/// A target's own side of rules
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Its name
    pub(crate) name: String,
    /// Tables of Kusto
    pub(crate) tables: Vec<Table>,
    /// Data streams and indices of Elastic
    pub(crate) streams: Vec<Stream>,
    /// The known index patterns of Elastic, by name
    pub(crate) indices: Vec<Index>,
}

impl Mapping {
    /// The Elasticsearch type of an index field, as `required_fields` names it
    pub(crate) fn type_of(&self, name: &str) -> Option<&'static str> {
        let mut fields = self.streams.iter().flat_map(Stream::index_fields);
        if fields.clone().any(|field| field.text && field.analysed() == name) {
            return Some("match_only_text");
        }
        fields.find(|field| field.name == name).map(|field| field.kind.name())
    }
}

/// The documents that rulecast brings along, by the name of the file
const DOCUMENTS: &[(&str, &str)] = &[
    ("asim.yml", include_str!("asim.yml")),
    ("defender.yml", include_str!("defender.yml")),
    ("ecs.yml", include_str!("ecs.yml")),
    ("web.yml", include_str!("web.yml")),
];

static BUILT_IN: LazyLock<Vec<Mapping>> = LazyLock::new(|| {
    // A test reads every document without a finding.
    let mut findings = Diagnostics::default();
    let read = |(name, text): &(&str, &str)| {
        document::mappings(&Arc::new(SourceText::new(*name, *text)), &mut findings)
    };
    DOCUMENTS.iter().flat_map(read).collect()
});

/// The built-in mapping with this name
pub(crate) fn built_in(name: &str) -> Option<&'static Mapping> {
    BUILT_IN.iter().find(|mapping| mapping.name == name)
}

/// The columns of results and the entities of alerts in Microsoft Sentinel and Defender XDR
pub(crate) fn results() -> &'static Results {
    static RESULTS: LazyLock<Results> = LazyLock::new(|| {
        let source = Arc::new(SourceText::new("results.yml", include_str!("results.yml")));
        results::read(&source, &mut Diagnostics::default())
    });
    &RESULTS
}

#[cfg(test)]
mod tests;
