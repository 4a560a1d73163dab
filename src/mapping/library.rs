//! All mappings of a run, in the order in which they are asked.
//!
//! In: the mappings that rulecast brings along, and those of the user. Out: [`Mappings`], which gives
//! the tables and streams of a log source in an [`Order`]. The user's own mappings come first.

use std::sync::{Arc, OnceLock};

use super::{DOCUMENTS, Index, Mapping, Places, Stream, Table, document};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::query::kusto::{Platform, Schema};
use crate::source::SourceText;
use crate::taxonomy::{EventKind, Log, Product};

/// In place of a name: every mapping that is not named, as usual
const REST: &str = "*";

/// The mappings of a run
#[derive(Debug, Clone, Default)]
pub struct Mappings {
    /// The mappings of the user
    pub(super) own: Arc<Vec<Mapping>>,
}

/// The mappings that a rule asks, the first one first
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Every mapping but those on request: the user's own, then the built-in ones
    Usual,
    /// The mappings with these names; [`REST`] stands for every other in its usual place
    Named(Vec<String>),
}

/// The events that a rule asks for
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) events: &'a EventKind,
    /// The log that they must be in as well, when limited
    pub(crate) log: Option<&'a Log>,
    pub(crate) product: Option<Product>,
}

/// The documents that were asked for so far, in the order of [`DOCUMENTS`]: to read one takes longer
/// than a rule
static READ: [OnceLock<Vec<Mapping>>; DOCUMENTS.len()] =
    [const { OnceLock::new() }; DOCUMENTS.len()];

/// The mappings of the documents that fit, each read when it is asked for
fn read_where<'m>(
    fits: impl Fn(&str, Places) -> bool + 'm,
) -> impl Iterator<Item = &'m Mapping> + 'm {
    let all = DOCUMENTS.iter().zip(&READ);
    let meant = all.filter(move |((file, _, places), _)| fits(file, *places));
    meant.flat_map(|((file, text, _), read)| {
        // A test reads every document without a finding.
        read.get_or_init(|| {
            let source = Arc::new(SourceText::new(*file, *text));
            document::mappings(&source, &mut Diagnostics::default())
        })
    })
}

/// The mappings that rulecast brings along
pub(super) fn built_in<'m>() -> impl Iterator<Item = &'m Mapping> {
    read_where(|_, _| true)
}

/// The built-in mapping with this name, which is that of its file
fn built_in_named<'m>(name: &str) -> Option<&'m Mapping> {
    let name = format!("{name}.yml");
    read_where(move |file, _| file == name).next()
}

impl Mappings {
    /// The built-in mappings and those of the user; reports a name that is taken
    pub(crate) fn with_own(own: Vec<Mapping>, findings: &mut Diagnostics) -> Mappings {
        let mut kept: Vec<Mapping> = Vec::new();
        for mapping in own {
            let name = &mapping.name;
            let taken = kept.iter().any(|known| known.name.value == name.value)
                || built_in_named(&name.value).is_some();
            match (&mapping.source, taken) {
                (Some(source), true) => {
                    let message = format!("another mapping is called `{}`", name.value);
                    let diagnostic =
                        Diagnostic::new(Code::E0112, source, name.span, message, "taken");
                    findings.push(
                        diagnostic
                            .help("Give it a name of its own; `extends:` names the other one."),
                    );
                }
                (_, _) => kept.push(mapping),
            }
        }
        Mappings { own: Arc::new(kept) }
    }

    /// Every mapping, the user's own first
    pub(crate) fn all(&self) -> impl Iterator<Item = &Mapping> {
        self.own.iter().chain(built_in())
    }

    /// The mapping with this name
    pub(crate) fn named(&self, name: &str) -> Option<&Mapping> {
        let own = self.own.iter().find(|mapping| mapping.name.value == name);
        own.or_else(|| built_in_named(name))
    }

    /// Whether a name stands for every mapping that is not named
    pub(crate) fn is_rest(name: &str) -> bool {
        name == REST
    }

    /// The mappings that are asked, one after another
    fn in_order<'m>(
        &'m self,
        order: Order,
        places: Places,
    ) -> Box<dyn Iterator<Item = &'m Mapping> + 'm> {
        match order {
            Order::Usual => {
                let all = self.own.iter().chain(read_where(move |_, have| have == places));
                Box::new(all.filter(|mapping| !mapping.on_request))
            }
            Order::Named(names) => {
                let is_other = {
                    let names = names.clone();
                    move |mapping: &&Mapping| !names.contains(&mapping.name.value)
                };
                Box::new(names.into_iter().flat_map(move |name| {
                    let rest = Self::is_rest(&name).then(|| self.in_order(Order::Usual, places));
                    let rest = rest.into_iter().flatten().filter(is_other.clone());
                    self.named(&name).into_iter().chain(rest)
                }))
            }
        }
    }

    /// The tables of a platform that hold the events; those of a log are never looked for in a table
    /// of several logs
    pub(crate) fn tables<'m>(
        &'m self,
        order: Order,
        platform: Platform,
        asked: Asked<'m>,
    ) -> impl Iterator<Item = &'m Table> {
        let tables = self.in_order(order, Places::Tables).flat_map(|mapping| &mapping.tables);
        tables.filter(move |table| {
            asked.is_held(&table.events, table.log.as_ref())
                && table.platforms.contains(&platform)
                && table.has_rows_of(asked.product)
        })
    }

    /// The tables of every mapping, the user's own first
    pub(crate) fn all_tables(&self) -> impl Iterator<Item = &Table> {
        let built_in = read_where(|_, have| have == Places::Tables);
        self.own.iter().chain(built_in).flat_map(|mapping| &mapping.tables)
    }

    /// The streams of every mapping, the user's own first
    pub(crate) fn all_streams(&self) -> impl Iterator<Item = &Stream> {
        let built_in = read_where(|_, have| have == Places::Streams);
        self.own.iter().chain(built_in).flat_map(|mapping| &mapping.streams)
    }

    /// Whether a connector fills a table of the mapping with this name
    pub(crate) fn has_connector(&self, mapping: &str, table: &str) -> bool {
        let tables = self.named(mapping).into_iter().flat_map(|mapping| &mapping.tables);
        tables.filter(|known| known.name == table).any(|known| !known.connector.is_empty())
    }

    /// The streams that hold the events; those of a log are never looked for in a stream of several
    /// logs
    pub(crate) fn streams<'m>(
        &'m self,
        order: Order,
        asked: Asked<'m>,
    ) -> impl Iterator<Item = &'m Stream> {
        let streams = self.in_order(order, Places::Streams).flat_map(|mapping| &mapping.streams);
        streams.filter(move |stream| {
            asked.is_held(&stream.events, stream.log.as_ref())
                && stream.has_documents_of(asked.product)
        })
    }

    /// The index with this pattern, and that of every other mapping that knows it
    pub(crate) fn indices<'m>(&'m self, pattern: &'m str) -> impl Iterator<Item = &'m Index> {
        let all = self.in_order(Order::Usual, Places::Streams).flat_map(|mapping| &mapping.indices);
        all.filter(move |index| index.pattern == pattern)
    }

    /// The user's own tables
    pub(crate) fn schema(&self) -> Schema {
        let mut schema = Schema::default();
        for (table, columns) in self.own.iter().flat_map(|mapping| &mapping.schema.tables) {
            schema.tables.entry(table.clone()).or_default().extend(columns.iter().cloned());
        }
        schema
    }

    /// Whether a field belongs to the Elastic Common Schema
    pub(crate) fn is_ecs(&self, name: &str) -> bool {
        let schema = built_in_named("ecs").filter(|mapping| mapping.is_ecs);
        schema
            .into_iter()
            .flat_map(|mapping| &mapping.types)
            .any(|field| field.name == name || field.text && field.analysed() == name)
    }

    /// The Elasticsearch type of an index field, as `required_fields` names it
    pub(crate) fn type_of(&self, name: &str) -> &'static str {
        let mut all = self.in_order(Order::Usual, Places::Streams);
        all.find_map(|mapping| mapping.type_of(name)).unwrap_or("keyword")
    }
}

impl Asked<'_> {
    /// Whether a place with events of this kind, all from one log if it names one, holds them
    fn is_held(self, events: &EventKind, log: Option<&Log>) -> bool {
        events == self.events && (self.log.is_none() || self.log == log)
    }
}
