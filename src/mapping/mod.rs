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

mod binding;
mod document;
mod extend;
pub(crate) mod keys;
mod library;
#[cfg(feature = "project")]
mod lookup;
mod place;
mod placement;
mod read;
mod results;
mod schema;
mod stream;
mod stream_document;
mod table;
mod table_document;

use std::sync::{Arc, LazyLock};

use crate::diagnostic::Diagnostics;
use crate::query::kusto::{self, Schema};
use crate::source::{SourceText, Spanned};
use crate::yaml::Node;

pub(crate) use document::own;
pub use library::Mappings;
pub(crate) use library::{Asked, Order};
pub(crate) use place::Holds;
#[cfg(feature = "cli")]
pub(crate) use placement::Placement;
pub(crate) use results::{Entity, ResultRole, Results};
pub(crate) use stream::{FieldKind, Index, IndexField, Stream, Test, Words};
pub(crate) use table::{Column, Kind, Rows, Table, number, real};

/// A target's own side of rules
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Its name
    pub(crate) name: Spanned<String>,
    /// Its file, where the user wrote it
    pub(crate) source: Option<Arc<SourceText>>,
    /// The user's own tables
    pub(crate) schema: Schema,
    /// Whether only those who name it ask it
    pub(crate) on_request: bool,
    /// Tables of Kusto
    pub(crate) tables: Vec<Table>,
    /// Data streams and indices of Elastic
    pub(crate) streams: Vec<Stream>,
    /// The known index patterns of Elastic, by name
    pub(crate) indices: Vec<Index>,
    /// The index fields under `types`
    pub(crate) types: Vec<IndexField>,
    /// Whether these are the fields of the Elastic Common Schema
    pub(crate) is_ecs: bool,
}

impl Mapping {
    /// The Elasticsearch type of an index field, as `required_fields` names it
    pub(crate) fn type_of(&self, name: &str) -> Option<&'static str> {
        let mut fields =
            self.types.iter().chain(self.streams.iter().flat_map(Stream::index_fields));
        if fields.clone().any(|field| field.text && field.analysed() == name) {
            return Some("match_only_text");
        }
        fields.find(|field| field.name == name).map(|field| field.kind.name())
    }
}

/// The documents that rulecast brings along: the file, its text, and whether it has tables of Kusto or
/// streams of Elastic, in the order in which they are asked
const DOCUMENTS: &[(&str, &str, Places)] = &[
    ("defender.yml", include_str!("defender.yml"), Places::Tables),
    ("windows.yml", include_str!("windows.yml"), Places::Tables),
    ("forwarded.yml", include_str!("forwarded.yml"), Places::Tables),
    ("web.yml", include_str!("web.yml"), Places::Tables),
    ("network.yml", include_str!("network.yml"), Places::Tables),
    ("linux.yml", include_str!("linux.yml"), Places::Tables),
    ("cloud.yml", include_str!("cloud.yml"), Places::Tables),
    ("asim.yml", include_str!("asim.yml"), Places::Tables),
    ("ecs.yml", include_str!("ecs.yml"), Places::Streams),
    ("sysmon.yml", include_str!("sysmon.yml"), Places::Streams),
    ("winlog.yml", include_str!("winlog.yml"), Places::Streams),
    ("ecs_linux.yml", include_str!("ecs_linux.yml"), Places::Streams),
    ("ecs_network.yml", include_str!("ecs_network.yml"), Places::Streams),
    ("ecs_cloud.yml", include_str!("ecs_cloud.yml"), Places::Streams),
];

/// The words that keys of mappings take, by the name of their list
pub(crate) fn words(list: &str) -> Option<Vec<&'static str>> {
    Some(match list {
        "mapping" => DOCUMENTS.iter().filter_map(|(file, ..)| file.strip_suffix(".yml")).collect(),
        "platform" => read::PLATFORMS.iter().map(|(word, _)| *word).collect(),
        "kusto type" => kusto::Type::ALL.iter().map(|kind| kind.as_str()).collect(),
        "column type" => table_document::TYPES.iter().map(|(word, _)| *word).collect(),
        "column form" => table_document::WRITTEN.iter().map(|(word, _)| *word).collect(),
        "index type" => FieldKind::words().collect(),
        _ => return None,
    })
}

/// The version of the Elastic Common Schema, from the head of its document
#[cfg(feature = "cli")]
pub(crate) fn ecs_version() -> &'static str {
    let text =
        DOCUMENTS.iter().find(|(file, ..)| *file == "ecs.yml").map_or("", |(_, text, _)| text);
    let behind = text.split_once("ECS ").map_or("", |(_, behind)| behind);
    behind.split(' ').next().unwrap_or("")
}

/// What a document has
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    /// Tables of Kusto
    Tables,
    /// Streams of Elastic
    Streams,
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
