//! Reads documents with `mapping:`.
//!
//! In: a document, built in or written by the user. Out: a [`Mapping`], and a diagnostic for every
//! mistake. Parts without mistakes are kept. A document of the user is joined with the one that it
//! `extends`, and every column that it names is looked up in the schema of its table.

use std::sync::Arc;

use super::read::{flag, text_of};
use super::results::ResultColumn;
use super::{Mapping, binding, extend, keys, results, schema, stream_document, table_document};
use crate::diagnostic::Diagnostics;
use crate::source::SourceText;
use crate::yaml::{self, Kind, Node, Reader};

/// Reads every mapping of a built-in file
pub(super) fn mappings(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Vec<Mapping> {
    let documents = yaml::parse(source, diagnostics);
    let mut reader = Reader { source, diagnostics, has_lists: false, lenient: false };
    documents.iter().filter_map(|document| mapping(&mut reader, document)).collect()
}

/// Reads a mapping of the user
pub(crate) fn own(
    source: &Arc<SourceText>,
    document: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<Mapping> {
    let mut reader = Reader { source, diagnostics, has_lists: false, lenient: false };
    let own = document;
    let document = extend::extended(&mut reader, own)?;
    let mut mapping = mapping(&mut reader, &document)?;
    mapping.source = Some(Arc::clone(source));
    leave_out_unknown_entities(own, &mut mapping);
    binding::check(&mut reader, &document, &mapping);
    Some(mapping)
}

/// Leaves out columns that only identify an entity, where a mapping inherits them and the user's table
/// has no such columns
fn leave_out_unknown_entities(own: &Node, mapping: &mut Mapping) {
    let written = |name: &str| {
        let blocks = own.get("tables").into_iter().chain(own.get("shared"));
        let parts = blocks.flat_map(|block| match &block.kind {
            Kind::List(items) => items.iter().collect::<Vec<_>>(),
            Kind::Map(entries) => entries.iter().map(|(_, entry)| entry).collect(),
            Kind::Scalar(..) => Vec::new(),
        });
        parts.filter_map(|part| part.get("result")).any(|result| result.get(name).is_some())
    };
    let entities = || results().columns.iter().filter(|column| column.entity);
    for at in 0..mapping.tables.len() {
        let table = &mapping.tables[at];
        let fails = |column: &&ResultColumn| {
            let value = table.result(&column.name);
            value.is_some_and(|value| {
                binding::value_of((mapping, table), value, &[column.kind]).is_err()
            })
        };
        let unknown: Vec<&str> = entities()
            .filter(|column| !written(&column.name))
            .filter(fails)
            .map(|column| column.name.as_str())
            .collect();
        mapping.tables[at].result.retain(|name, _| !unknown.contains(&name.as_str()));
    }
}

fn mapping(reader: &mut Reader<'_>, document: &Node) -> Option<Mapping> {
    reader.known_keys(document, "a mapping", keys::names("mapping"));
    let name = text_of(reader, document, "mapping")?;
    let shared = document.get("shared").map(|node| reader.map(node, "`shared`"));
    for (_, entry) in shared.into_iter().flatten() {
        reader.known_keys(entry, "a shared entry", keys::names("shared"));
    }
    let schema = schema::read(reader, document);
    let tables = table_document::tables(reader, document, (&name.value, &schema));
    let indices = stream_document::indices(reader, document);
    let types = stream_document::types(reader, document);
    let streams = stream_document::streams(reader, (document, &name.value), &indices, &types);
    let (types, is_ecs) = (types.into_values().collect(), flag(reader, document, "common_schema"));
    let on_request = flag(reader, document, "on_request");
    let source = None;
    Some(Mapping { name, source, on_request, schema, tables, streams, indices, types, is_ecs })
}
