//! Checks that Sigma authors know: valid text that is rarely meant.
//!
//! In: a [`Definition`], after its rule has been lowered. Out: warnings, each explained with its
//! name among pySigma's validators. A rule with warnings compiles as before. Mistakes are errors
//! of the station that reads them; the project makes the checks that need several files.

mod condition;
mod exclusion;
mod hopeless;
mod log_source;
mod metadata;
mod number;
mod tags;
mod text;
mod wildcards;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Definition, Entry, Form, Selection, Signal};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span, Spanned};

/// Warns about valid but unusual parts of a definition
///
/// `diagnostics` must hold the findings of lowering this definition and no other: the check
/// searches all of them.
pub fn check(definition: &Definition, diagnostics: &mut Diagnostics) {
    metadata::check(definition, diagnostics);
    tags::check(definition, diagnostics);
    let source = &definition.source;
    for list in &definition.lists {
        for value in &list.values {
            text::control_characters(source, value, diagnostics);
            wildcards::double(source, value, diagnostics);
        }
    }
    let literal = diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::W0215);
    let literal: HashSet<Span> = literal.map(|diagnostic| diagnostic.primary.span).collect();
    for signal in &definition.signals {
        log_source::check(source, signal, diagnostics);
        if definition.form == Form::Definition {
            hopeless::actions(source, signal, diagnostics);
            hopeless::command_lines(source, signal, diagnostics);
            exclusion::check(definition, signal, diagnostics);
        }
        if let Some(detection) = &signal.detection {
            condition::check(source, detection, diagnostics);
        }
        for entry in entries(signal) {
            wildcards::modifiers(source, entry, diagnostics);
            number::check(source, entry, diagnostics);
            if definition.form == Form::Definition {
                hopeless::values(source, (signal, entry), diagnostics);
            }
            for value in &entry.values.items {
                text::control_characters(source, value, diagnostics);
                if wildcards::expand(&entry.key) {
                    wildcards::double(source, value, diagnostics);
                    // Lowering reports some values as literal (W0215), with a better reason.
                    if definition.form == Form::Sigma && !literal.contains(&value.span) {
                        wildcards::escaped(source, value, diagnostics);
                    }
                }
            }
        }
    }
}

/// Every entry of a signal, in all its selections, exclusions and levels
fn entries(signal: &Signal) -> impl Iterator<Item = &Entry> {
    let named = signal.detection.iter().flat_map(|detection| &detection.selections);
    let selections: Vec<&Selection> = std::iter::once(&signal.selection)
        .chain(named.flat_map(|(_, alternatives)| alternatives))
        .chain(signal.exclusions.iter().map(|exclusion| &exclusion.selection))
        .chain(signal.levels.iter().map(|case| &case.selection))
        .collect();
    selections.into_iter().flat_map(|selection| &selection.entries)
}

/// Reports every repeated text; two texts are the same if their `String` keys are equal
fn repeated<'d>(
    code: Code,
    source: &Arc<SourceText>,
    what: &str,
    texts: impl IntoIterator<Item = (String, &'d Spanned<String>)>,
    diagnostics: &mut Diagnostics,
) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    for (same, text) in texts {
        if let Some(first) = seen.get(&same) {
            let message = format!("{what} `{}` stands here twice", text.value);
            let diagnostic = Diagnostic::new(code, source, text.span, message, "again");
            let diagnostic = diagnostic.also(*first, "first here");
            diagnostics.push(match whole_item(source, text.span) {
                Some(item) => diagnostic.delete(item),
                None => diagnostic,
            });
        } else {
            seen.insert(same, text.span);
        }
    }
}

/// The whole line of a list item, if the line holds nothing else, not even a comment
fn whole_item(source: &SourceText, span: Span) -> Option<Span> {
    let (start, end) = (span.start as usize, span.end as usize);
    let head = source.text().get(..start)?;
    let line = head.rfind('\n').map_or(0, |at| at + 1);
    let rest = source.text().get(end..)?;
    let length = rest.find('\n')? + 1;
    let alone = head[line..].trim() == "-" && rest[..length].trim().is_empty();
    alone.then(|| Span::new(line as u32, (end + length) as u32))
}
