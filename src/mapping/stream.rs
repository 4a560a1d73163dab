//! Data streams and indices of Elastic.
//!
//! In: what a mapping says. Out: a [`Stream`] for each log source: its indices, the tests that select
//! its documents, and the index field of each field with its type and its quirks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::place::Holds;
use crate::taxonomy::{EventKind, Field, Log, Product};

/// The documents of a log source
#[derive(Debug)]
pub(crate) struct Stream {
    /// The mapping that it belongs to
    pub(crate) mapping: Arc<str>,
    pub(crate) events: EventKind,
    /// The log that wrote all its documents, when it is one
    pub(super) log: Option<Log>,
    /// The word behind `Domain:` in the tags of a rule
    pub(crate) domain: String,
    /// Whether only rules about one of its products use it
    pub(super) of_product: bool,
    /// The products of its documents; any when empty
    pub(super) products: Vec<Product>,
    /// The operating systems of its documents where a rule names none
    pub(crate) systems: Vec<Product>,
    /// The tests that select its documents, in the order of a query
    pub(crate) rows: Vec<(String, Test)>,
    /// The patterns of its indices
    pub(crate) indices: Vec<Index>,
    /// The patterns of indices that a rule searches only on request
    pub(crate) on_request: Vec<Index>,
    /// The fields that keywords are searched in
    pub(crate) keywords: Vec<IndexField>,
    /// How its documents name processes, so that the start of a parent can be found
    pub(crate) ancestry: Option<Ancestry>,
    pub(super) fields: BTreeMap<Field, Vec<(Holds, IndexField)>>,
}

/// The index fields by which the start of a process is told from any other start
#[derive(Debug, Clone)]
pub(crate) struct Ancestry {
    /// The id of the process that started, which is never used again
    pub(crate) process: String,
    /// The id of its parent
    pub(crate) parent: String,
}

/// A test that selects documents
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// The field has one of these values
    Is(Vec<String>),
    /// The field has the product that the rule asks for, if any
    Product,
    /// A field has one of its words, unless a clause of the rule asks for it
    With(Field),
}

/// An index pattern and the metadata that detection-rules requires for it
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) pattern: String,
    /// The integration package; empty for a Beat
    pub(crate) package: String,
    /// The name of the data source; empty for a Beat
    pub(crate) source: String,
    /// The products whose events it holds; any product when empty
    pub(crate) products: Vec<Product>,
    /// Whether names and paths in the index have an analysed sub-field
    pub(crate) text: bool,
    /// Whether they have a sub-field in lower case
    pub(crate) caseless: bool,
    /// Whether its documents have the ids of [`Ancestry`]
    pub(crate) process_ids: bool,
}

impl Index {
    /// Whether it holds events of a product; true without a product
    pub(crate) fn holds(&self, product: Option<Product>) -> bool {
        self.products.is_empty() || product.is_none_or(|one| self.products.contains(&one))
    }
}

/// A field of an index
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexField {
    pub(crate) name: String,
    pub(crate) kind: FieldKind,
    /// How it says the values of the rule's field
    pub(crate) words: Words,
    /// Whether every index has the sub-field `<name>.text`
    pub(crate) text: bool,
    /// Whether an index may have the sub-field `<name>.caseless`, with values in lower case
    pub(crate) caseless: bool,
    /// The longest value that is indexed, in characters; `None` when no longer values occur
    pub(crate) long: Option<usize>,
    /// The patterns of the indices whose pipeline decodes values before they are indexed
    pub(crate) decoded: Vec<String>,
    /// Whether it is an extension after the last dot of the whole path, even a dot in a directory
    pub(crate) path_dot: bool,
    /// Whether events about a registry key fill the field too
    pub(crate) of_keys: bool,
    /// Whether an index maps it only once a document has it
    pub(crate) dynamic: bool,
    /// The texts that it holds in place of a value that the event does not tell
    pub(crate) substitutes: Vec<String>,
    /// Why it holds more than the values of the field, as a clause without a period
    pub(crate) wider: Option<String>,
}

/// The type of an index field
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Compares whole values, with their case
    Keyword,
    /// Like a keyword, for long values; Kibana's query language splits its wildcards at blanks
    Wildcard,
    Ip,
    Long,
    Boolean,
    /// The values under a name of any depth; each compares like a keyword
    Flattened,
    /// Text that is indexed by its words
    Text,
    /// Text that is indexed by its words, without the order of the words
    MatchOnlyText,
}

/// How an index field says the values of a rule's field
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Words {
    /// It holds the value itself
    Own,
    /// It holds a word for each value
    Of(Vec<(String, String)>),
    /// It exists only in documents with this value
    ExistsFor(String),
    /// It holds one of these words where the field is false, another word where it is true
    False(Vec<String>),
}

impl FieldKind {
    const WORDS: &[(&str, FieldKind)] = &[
        ("keyword", FieldKind::Keyword),
        ("wildcard", FieldKind::Wildcard),
        ("ip", FieldKind::Ip),
        ("long", FieldKind::Long),
        ("boolean", FieldKind::Boolean),
        ("flattened", FieldKind::Flattened),
        ("text", FieldKind::Text),
        ("match_only_text", FieldKind::MatchOnlyText),
    ];

    /// Whether it is indexed by its words only
    pub(crate) fn is_analysed(self) -> bool {
        matches!(self, FieldKind::Text | FieldKind::MatchOnlyText)
    }

    /// Its name in Elasticsearch
    pub(crate) fn name(self) -> &'static str {
        let known = Self::WORDS.iter().find(|(_, kind)| *kind == self);
        known.map_or("", |(word, _)| word)
    }

    /// The names of all types
    pub(super) fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }

    /// The type with this name
    pub(super) fn named(name: &str) -> Option<FieldKind> {
        Self::WORDS.iter().find(|(word, _)| *word == name).map(|(_, kind)| *kind)
    }
}

/// The suffix of the analysed sub-field, which indexes the words of a text
const WORDS: &str = ".text";

/// The end of the name of a sub-field with values in lower case
const CASELESS: &str = ".caseless";

impl IndexField {
    /// A field that holds the value itself
    pub(super) fn new(name: String, kind: FieldKind, long: Option<usize>) -> IndexField {
        IndexField {
            name,
            kind,
            words: Words::Own,
            text: false,
            caseless: false,
            long,
            decoded: Vec::new(),
            path_dot: false,
            of_keys: false,
            dynamic: false,
            substitutes: Vec::new(),
            wider: None,
        }
    }

    /// The name of the analysed sub-field; it exists only when `text` is true
    pub(crate) fn analysed(&self) -> String {
        [&self.name, WORDS].concat()
    }

    /// The sub-field with values in lower case
    pub(crate) fn lowered(&self) -> String {
        [&self.name, CASELESS].concat()
    }

    /// The words for these values of the rule's field, each once, sorted
    pub(crate) fn words_for(&self, values: &[&str]) -> Vec<&str> {
        let Words::Of(words) = &self.words else { return Vec::new() };
        let asked = words.iter().filter(|(value, _)| values.contains(&value.as_str()));
        let mut words: Vec<&str> = asked.map(|(_, word)| word.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Every word for a value of the rule's field, each once, sorted
    pub(crate) fn all_words(&self) -> Vec<&str> {
        let Words::Of(words) = &self.words else { return Vec::new() };
        self.words_for(&words.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>())
    }

    /// Whether the word for one of these values is also that for another value
    pub(crate) fn confuses(&self, values: &[&str]) -> bool {
        let Words::Of(words) = &self.words else { return false };
        let asked = self.words_for(values);
        let other = |(value, word): &(String, String)| {
            !values.contains(&value.as_str()) && asked.contains(&word.as_str())
        };
        words.iter().any(other)
    }
}

impl Stream {
    /// Whether it can have documents of a product
    pub(crate) fn has_documents_of(&self, product: Option<Product>) -> bool {
        let is_meant = match product {
            Some(product) => self.products.is_empty() || self.products.contains(&product),
            None => !self.of_product,
        };
        is_meant && self.indices.iter().any(|index| index.holds(product))
    }

    /// The log that wrote all its documents, when it is one
    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// The products of its documents; any when empty
    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    /// Each field with the index fields that hold it or a part of it
    pub(crate) fn places(&self) -> impl Iterator<Item = (&Field, &[(Holds, IndexField)])> {
        self.fields.iter().map(|(field, parts)| (field, parts.as_slice()))
    }

    /// The index field that holds this part of a field
    pub(crate) fn field(&self, field: &Field, holds: Holds) -> Option<&IndexField> {
        let parts = self.fields.get(field)?;
        parts.iter().find(|(part, _)| *part == holds).map(|(_, field)| field)
    }

    /// The index fields of a field, each with the part that it holds
    pub(crate) fn parts(&self, field: &Field) -> &[(Holds, IndexField)] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// The index fields of which each document has the value of a field in one
    pub(crate) fn alternatives(&self, field: &Field) -> impl Iterator<Item = &IndexField> {
        let parts = self.fields.get(field).into_iter().flatten();
        parts.filter(|(part, _)| *part == Holds::Whole).map(|(_, field)| field)
    }

    /// The index fields that it has, also those that keywords are searched in, with repetitions
    pub(crate) fn index_fields(&self) -> impl Iterator<Item = &IndexField> + Clone {
        self.fields.values().flatten().map(|(_, field)| field).chain(&self.keywords)
    }
}
