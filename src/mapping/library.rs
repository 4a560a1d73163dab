//! All mappings of a run, in the order in which they are asked.
//!
//! In: the mappings that rulecast brings along, and those of the user. Out: [`Mappings`], which gives
//! the tables and streams of a log source in an [`Order`]. The user's own mappings come first.

use std::sync::{Arc, LazyLock};

use super::{DOCUMENTS, Index, Mapping, Stream, Table, document};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::query::kusto::Platform;
use crate::source::SourceText;
use crate::taxonomy::{EventKind, Log, Product};

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
    /// The mappings with these names
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

static BUILT_IN: LazyLock<Vec<Mapping>> = LazyLock::new(|| {
    // A test reads every document without a finding.
    let mut findings = Diagnostics::default();
    let read = |(name, text): &(&str, &str)| {
        document::mappings(&Arc::new(SourceText::new(*name, *text)), &mut findings)
    };
    DOCUMENTS.iter().flat_map(read).collect()
});

/// The mappings that rulecast brings along
pub(super) fn built_in() -> &'static [Mapping] {
    &BUILT_IN
}

impl Mappings {
    /// The built-in mappings and those of the user; reports a name that is taken
    pub(crate) fn with_own(own: Vec<Mapping>, findings: &mut Diagnostics) -> Mappings {
        let mut kept: Vec<Mapping> = Vec::new();
        for mapping in own {
            let name = &mapping.name;
            let taken = kept.iter().chain(built_in()).any(|known| known.name.value == name.value);
            match (&mapping.source, taken) {
                (Some(source), true) => {
                    let message = format!("another mapping is called `{}`", name.value);
                    let found = Diagnostic::new(Code::E0112, source, name.span, message, "taken");
                    findings.push(
                        found.help("Give it a name of its own; `extends:` names the other one."),
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
        self.all().find(|mapping| mapping.name.value == name)
    }

    fn in_order(&self, order: &Order) -> Vec<&Mapping> {
        match order {
            Order::Usual => self.all().filter(|mapping| !mapping.on_request).collect(),
            Order::Named(names) => names.iter().filter_map(|name| self.named(name)).collect(),
        }
    }

    /// The tables of a platform that hold the events; those of a log are never looked for in a table
    /// of several logs
    pub(crate) fn tables(
        &self,
        order: &Order,
        platform: Platform,
        asked: Asked<'_>,
    ) -> Vec<&Table> {
        let tables = self.in_order(order).into_iter().flat_map(|mapping| &mapping.tables);
        let fits = |table: &&Table| {
            asked.is_held(&table.events, table.log.as_ref())
                && table.platforms.contains(&platform)
                && table.has_rows_of(asked.product)
        };
        tables.filter(fits).collect()
    }

    /// The streams that hold the events; those of a log are never looked for in a stream of several
    /// logs
    pub(crate) fn streams(&self, order: &Order, asked: Asked<'_>) -> Vec<&Stream> {
        let streams = self.in_order(order).into_iter().flat_map(|mapping| &mapping.streams);
        let fits = |stream: &&Stream| {
            asked.is_held(&stream.events, stream.log.as_ref())
                && stream.has_documents_of(asked.product)
        };
        streams.filter(fits).collect()
    }

    /// The index with this pattern, and that of every other mapping that knows it
    pub(crate) fn indices<'m>(&'m self, pattern: &'m str) -> impl Iterator<Item = &'m Index> {
        let all = self.all().flat_map(|mapping| &mapping.indices);
        all.filter(move |index| index.pattern == pattern)
    }

    /// Whether a field belongs to the Elastic Common Schema
    pub(crate) fn is_ecs(&self, name: &str) -> bool {
        let schema = built_in().iter().filter(|mapping| mapping.is_ecs);
        schema
            .flat_map(|mapping| &mapping.types)
            .any(|field| field.name == name || field.text && field.analysed() == name)
    }

    /// The Elasticsearch type of an index field, as `required_fields` names it
    pub(crate) fn type_of(&self, name: &str) -> &'static str {
        self.all().find_map(|mapping| mapping.type_of(name)).unwrap_or("keyword")
    }
}

impl Asked<'_> {
    /// Whether a place with events of this kind, all from one log if it names one, holds them
    fn is_held(self, events: &EventKind, log: Option<&Log>) -> bool {
        events == self.events && (self.log.is_none() || self.log == log)
    }
}
