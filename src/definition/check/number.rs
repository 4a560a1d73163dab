//! Numbers in quotes, and `all` where there is one value.
//!
//! In: a key with its values. Out: warnings, each with the edit that resolves it.

use std::sync::Arc;

use crate::definition::value::whole_number;
use crate::definition::vocabulary::{Reading, Word};
use crate::definition::{Entry, Key, Modifier, Scalar};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};
use crate::taxonomy::{Field, FieldType};

pub(super) fn check(source: &Arc<SourceText>, entry: &Entry, diagnostics: &mut Diagnostics) {
    all_of_one(source, entry, diagnostics);
    if !holds_numbers(&entry.key) {
        return;
    }
    for value in &entry.values.items {
        let is_text = matches!(value.scalar, Scalar::Text(_));
        if is_text && whole_number(&value.written).is_some() {
            let message = format!("`{}` is text in quotes", value.written);
            let diagnostic = Diagnostic::new(Code::W0223, source, value.span, message, "a number");
            diagnostics.push(diagnostic.replace(value.span, value.written.clone()));
        }
    }
}

fn all_of_one(source: &Arc<SourceText>, entry: &Entry, diagnostics: &mut Diagnostics) {
    let (Some(all), [only]) = (entry.key.modifier(Modifier::All), &*entry.values.items) else {
        return;
    };
    // A named list may hold several values.
    if matches!(only.scalar, Scalar::List(_)) {
        return;
    }
    let message = format!("`all` of the single value `{}`", only.written);
    let diagnostic = Diagnostic::new(Code::W0226, source, all, message, "joins several values");
    diagnostics.push(diagnostic.delete(Span::new(all.start.saturating_sub(1), all.end)));
}

/// Whether the values of the key are compared as numbers
fn holds_numbers(key: &Key) -> bool {
    // These modifiers compare a number as text.
    let text = [Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith, Modifier::Re];
    if text.iter().any(|modifier| key.modifier(*modifier).is_some()) {
        return false;
    }
    match (Word::named(&key.name.value), Field::named(&key.name.value)) {
        (Some(word), _) => word.reading == Reading::Numbers,
        (None, Some(field)) => field.kind() == FieldType::Number,
        (None, None) => key.name.value == "EventID",
    }
}
