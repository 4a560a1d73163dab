//! Reads documents with `mapping:`.
//!
//! In: the text of a file. Out: a [`Mapping`] for each document, and a diagnostic for every mistake.
//! Parts without mistakes are kept.

use std::sync::Arc;

use super::read::text_of;
use super::{Mapping, stream_document, table_document};
use crate::diagnostic::Diagnostics;
use crate::source::SourceText;
use crate::yaml::{self, Node, Reader};

const KEYS: &[&str] = &[
    "mapping",
    "platforms",
    "connector",
    "unknown_product",
    "shared",
    "tables",
    "types",
    "indices",
    "streams",
];

/// Reads every mapping of a file
pub(super) fn mappings(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Vec<Mapping> {
    let documents = yaml::parse(source, diagnostics);
    let mut reader = Reader { source, diagnostics, has_lists: false, lenient: false };
    documents.iter().filter_map(|document| mapping(&mut reader, document)).collect()
}

fn mapping(reader: &mut Reader<'_>, document: &Node) -> Option<Mapping> {
    reader.known_keys(document, "a mapping", KEYS);
    let name = text_of(reader, document, "mapping")?;
    let shared = document.get("shared").map(|node| reader.map(node, "`shared`"));
    for (_, entry) in shared.into_iter().flatten() {
        reader.known_keys(entry, "a shared entry", &["fields", "result"]);
    }
    let tables = table_document::tables(reader, document);
    let indices = stream_document::indices(reader, document);
    let streams = stream_document::streams(reader, document);
    Some(Mapping { name: name.value, tables, streams, indices })
}
