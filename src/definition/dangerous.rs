//! Texts and references that would run or load something where they are shown.
//!
//! In: a [`Definition`]. Out: an error at the tag, the link or the reference. In a Sigma document
//! it is only a warning, because every output makes the markup inert first (see [`live`]).

use super::live::{self, is_foreign, scheme};
use super::{Definition, Form, Setting, Settings};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::yaml;
use crate::yaml::Reader;
use crate::yaml::Style;

/// Reports every dangerous reference, tag and link of a definition
pub(super) fn report(reader: &mut Reader<'_>, definition: &Definition) {
    let ours = definition.form == Form::Definition;
    let code = if ours { Code::E0133 } else { Code::W0134 };
    for reference in &definition.metadata.references {
        let (what, label) = match scheme(&reference.value) {
            Some(scheme) => (format!("`{scheme}:` in a reference"), "no web page"),
            None if ours && is_foreign(&reference.value) => {
                ("this reference is no web page".to_owned(), "neither `http` nor `https`")
            }
            None => continue,
        };
        let diagnostic = Diagnostic::new(code, reader.source, reference.span, what, label);
        reader
            .report(diagnostic.help("Name an `https:` address, or say in words where it stands."));
    }
    for text in texts(definition) {
        for range in live::live(&text.value) {
            let span = place(reader, text, range);
            let message = "a tag or link that would run where the text is shown";
            let diagnostic = Diagnostic::new(code, reader.source, span, message, "this would run");
            reader.report(diagnostic.help("Write it between backticks, or leave it out."));
        }
    }
}

fn place(reader: &Reader<'_>, text: &Spanned<String>, range: std::ops::Range<usize>) -> Span {
    let style = match reader.source.slice(text.span).chars().next() {
        Some('"') => Style::Double,
        Some('\'') => Style::Single,
        Some('|' | '>') => Style::Block,
        _ => Style::Plain,
    };
    yaml::locate(reader.source, text.span, &text.value, style, range)
}

/// Every text that an output shows to people
fn texts(definition: &Definition) -> Vec<&Spanned<String>> {
    let metadata = &definition.metadata;
    let signals = definition.signals.iter();
    let notes = signals.clone().flat_map(|signal| &signal.exclusions);
    let mut texts: Vec<&Spanned<String>> = std::iter::once(&metadata.title)
        .chain(&metadata.description)
        .chain(&metadata.investigation)
        .chain(&metadata.license)
        .chain(&metadata.author)
        .chain(&metadata.falsepositives)
        .chain(signals.filter_map(|signal| signal.title.as_ref()))
        .chain(notes.filter_map(|exclusion| exclusion.note.as_ref()))
        .chain(definition.correlations.iter().filter_map(|one| one.title.as_ref()))
        .collect();
    for target in &definition.targets {
        settings(&target.settings, &mut texts);
    }
    texts
}

fn settings<'s>(of: &'s Settings, texts: &mut Vec<&'s Spanned<String>>) {
    for (_, setting) in &of.entries {
        match setting {
            Setting::Text(text) => texts.push(text),
            Setting::Texts(several) => texts.extend(several),
            Setting::Settings(inner) => settings(inner, texts),
        }
    }
}
