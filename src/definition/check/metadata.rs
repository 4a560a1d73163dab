//! Metadata: an id that is missing, references written twice, text that holds a control character.
//!
//! In: a [`Definition`]. Out: warnings. Invalid values are already reported by the reader.

use super::{repeated, text};
use crate::definition::{Definition, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};

pub(super) fn check(definition: &Definition, diagnostics: &mut Diagnostics) {
    let (source, metadata) = (&definition.source, &definition.metadata);
    if definition.form == Form::Sigma && metadata.id.is_none() && !metadata.id_is_wrong {
        let start = definition.span.start;
        let line = source.slice(definition.span).lines().next().map_or(0, str::len) as u32;
        let span = Span::new(start, start + line);
        let diagnostic =
            Diagnostic::new(Code::W0123, source, span, "the rule has no `id`", "add `id:`");
        diagnostics.push(diagnostic.help("Give it a random UUID, and keep that for ever."));
    }
    let references = metadata.references.iter().map(|one| (one.value.clone(), one));
    repeated(Code::W0122, source, "reference", references, diagnostics);
    for written in texts(definition) {
        text::control_character_of(source, written, diagnostics);
    }
}

/// The texts of a definition that people read, with the titles and notes of its signals
fn texts(definition: &Definition) -> impl Iterator<Item = &Spanned<String>> {
    let metadata = &definition.metadata;
    let titles = definition.signals.iter().filter_map(|signal| signal.title.as_ref());
    let notes = definition.signals.iter().flat_map(|signal| &signal.exclusions);
    std::iter::once(&metadata.title)
        .chain(&metadata.description)
        .chain(&metadata.investigation)
        .chain(&metadata.license)
        .chain(&metadata.author)
        .chain(&metadata.references)
        .chain(&metadata.falsepositives)
        .chain(titles)
        .chain(notes.filter_map(|exclusion| exclusion.note.as_ref()))
}
