//! Reads one text by itself.
//!
//! In: a [`Text`] and the values of placeholders. Out: its documents, lowered as far as possible
//! without the other texts, and their diagnostics.

use std::sync::Arc;

use super::names::Head;
use super::text::{Content, Role, Text};
use crate::definition::{self, Definition, Form, Placeholders, Suppressions};
use crate::diagnostic::{Diagnostics, Severity};
use crate::ir::{self, Rule};
use crate::mapping::{self, Mapping};
use crate::source::{SourceText, Span};

/// A document of a text, before documents are joined
pub(super) struct Document {
    pub(super) definition: Definition,
    pub(super) rule: Option<Rule>,
    pub(super) folder: String,
    pub(super) stem: String,
    pub(super) role: Role,
}

/// The documents and diagnostics of one text
#[derive(Default)]
pub(super) struct ReadText {
    pub(super) documents: Vec<Document>,
    pub(super) heads: Vec<Head>,
    pub(super) diagnostics: Diagnostics,
    pub(super) suppressions: Suppressions,
    pub(super) mappings: Vec<Mapping>,
    /// Number of refused documents that are missing from `documents`
    pub(super) lost: usize,
    /// The text, if a filter may be among the refused documents
    pub(super) lost_filter: Option<Arc<SourceText>>,
}

pub(super) fn read(text: &Text, placeholders: &Placeholders) -> ReadText {
    let mut diagnostics = Diagnostics::default();
    let source = match &text.content {
        Content::Readable(source) => source,
        Content::Unreadable(why) => {
            diagnostics.push((**why).clone());
            let lost_filter = (text.role == Role::Filters).then(|| Arc::clone(&why.source));
            return ReadText { diagnostics, lost: 1, lost_filter, ..ReadText::default() };
        }
    };
    let mut mappings = Vec::new();
    let definitions = definition::parse_with(source, &mut diagnostics, &mut |node, findings| {
        mappings.extend(mapping::own(source, node, findings));
    });
    let suppressions = Suppressions::read(source, &mut diagnostics);
    let errors = Errors::of(&diagnostics);
    let lost = usize::from(errors.lie_outside(&definitions));
    let (mut documents, mut heads) = (Vec::new(), Vec::new());
    for (at, mut definition) in definitions.into_iter().enumerate() {
        let stem = match at {
            0 => text.stem.clone(),
            at => format!("{}_{}", text.stem, at + 1),
        };
        let mut own = Diagnostics::default();
        let rule = ir::lower_with(&definition, placeholders, &mut own);
        let mut places = std::iter::once(&definition.span).chain(&definition.shared);
        let is_right = places.all(|place| errors.within(*place).is_empty());
        let rule = rule.filter(|_| is_right);
        definition::check(&definition, &mut own);
        diagnostics.extend(own);
        heads.push(Head::of(&definition));
        // `rule` holds signals and lists in lowered form; joining reads the originals only of a
        // filter with an error, to find the rules of its log source.
        definition.lists = Vec::new();
        if rule.is_some() || definition.form != Form::Filter {
            definition.signals = Vec::new();
        }
        let folder = text.folder.clone();
        documents.push(Document { definition, rule, folder, stem, role: text.role });
    }
    let filter = text.role == Role::Filters || source.text().lines().any(is_filter);
    let lost_filter = (lost > 0 && filter).then(|| Arc::clone(source));
    ReadText { documents, heads, diagnostics, suppressions, mappings, lost, lost_filter }
}

/// Whether a line of a text that is no YAML looks like the start of a filter
fn is_filter(line: &str) -> bool {
    line.starts_with("filter") && line.contains(':')
}

/// The start offsets of a text's errors, sorted
struct Errors(Vec<u32>);

impl Errors {
    fn of(diagnostics: &Diagnostics) -> Errors {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let mut errors: Vec<u32> = errors.map(|diagnostic| diagnostic.primary.span.start).collect();
        errors.sort_unstable();
        Errors(errors)
    }

    /// The index range of the errors inside a document
    fn within(&self, document: Span) -> std::ops::Range<usize> {
        let from = self.0.partition_point(|error| *error < document.start);
        let to = self.0.partition_point(|error| *error <= document.end);
        from..to
    }

    /// Whether some error lies outside every document
    fn lie_outside(&self, documents: &[Definition]) -> bool {
        let mut told = 0;
        let mut outside = false;
        let places = |one: &Definition| [&[one.span], &*one.shared].concat();
        let mut places: Vec<Span> = documents.iter().flat_map(places).collect();
        places.sort_unstable();
        for place in places {
            let within = self.within(place);
            outside |= within.start > told;
            told = told.max(within.end);
        }
        outside || told < self.0.len()
    }
}
