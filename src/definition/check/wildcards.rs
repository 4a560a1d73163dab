//! Wildcards that are redundant, that are escaped, or that a modifier should replace.
//!
//! In: a key with its values, as written. Out: warnings. The token list of a value does not keep
//! the notation of its wildcards, so these checks read the text again, to find places only.

use std::sync::Arc;

use crate::definition::vocabulary::Word;
use crate::definition::{Entry, Key, Modifier, Scalar, Value};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pattern::Token;
use crate::source::{SourceText, Span};

/// Whether the values of a key are text with wildcards: no regex, network, truth value or field
pub(super) fn expand(key: &Key) -> bool {
    let other = [Modifier::Re, Modifier::Cidr, Modifier::Exists, Modifier::FieldRef];
    !other.iter().any(|modifier| key.modifier(*modifier).is_some())
}

/// Reports `**`, which means the same as `*`
pub(super) fn double(source: &Arc<SourceText>, value: &Value, diagnostics: &mut Diagnostics) {
    let Scalar::Text(_) = value.scalar else { return };
    let marks = marks(&value.written);
    let stars = |at: usize| value.written[at..].starts_with("**");
    if let Some((at, _)) = marks.iter().find(|(at, escaped)| !escaped && stars(*at)) {
        let run = value.written[*at..].bytes().take_while(|b| *b == b'*').count();
        let span = value.part(source, *at..at + run);
        let message = "several wildcards where one says the same";
        let diagnostic =
            Diagnostic::new(Code::W0221, source, span, message, "any run of characters");
        diagnostics.push(diagnostic.replace(span, "*"));
    }
}

/// Reports `\*` or `\?` where the backslash looks like the end of a directory or a drive
///
/// Elsewhere, as in `\*.exe` or `\\\*`, the escape is deliberate: every such value among
/// SigmaHQ's rules means the literal star.
pub(super) fn escaped(source: &Arc<SourceText>, value: &Value, diagnostics: &mut Diagnostics) {
    let Scalar::Text(_) = value.scalar else { return };
    let marks = marks(&value.written);
    let Some((at, _)) = marks.iter().find(|(_, escaped)| *escaped) else { return };
    let before = value.written[..*at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || ":)]}_".contains(c)) {
        let span = value.part(source, *at..at + 2);
        let star = &value.written[at + 1..at + 2];
        let message = format!("the value looks for a literal `{star}`");
        let label = "escaped by the backslash";
        let diagnostic = Diagnostic::new(Code::W0222, source, span, message, label);
        diagnostics.push(diagnostic.replace(span, format!(r"\\{star}")));
    }
}

/// The offset of every `*` and `?`, or of the backslash that escapes it
fn marks(written: &str) -> Vec<(usize, bool)> {
    let mut marks = Vec::new();
    let mut rest = written.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next_if(|(_, next)| matches!(next, '\\' | '*' | '?'));
                if escaped.is_some_and(|(_, next)| next != '\\') {
                    marks.push((at, true));
                }
            }
            '*' | '?' => marks.push((at, false)),
            _ => {}
        }
    }
    marks
}

/// Reports a key whose values all have their wildcards where a modifier would put them
pub(super) fn modifiers(source: &Arc<SourceText>, entry: &Entry, diagnostics: &mut Diagnostics) {
    let key = &entry.key;
    // A vocabulary word has its own comparison, which a modifier would change; keywords have no key
    // that could take a modifier.
    let fixed = Word::named(&key.name.value).is_some() || key.is_keywords();
    if !key.modifiers.is_empty() || fixed {
        return;
    }
    let mut shapes = entry.values.items.iter().map(shape);
    let Some(Some(first)) = shapes.next() else { return };
    if !shapes.all(|other| other == Some(first)) {
        return;
    }
    let (modifier, head, tail) = match first {
        (true, true) => (Modifier::Contains, 1, 1),
        (true, false) => (Modifier::EndsWith, 1, 0),
        (false, true) => (Modifier::StartsWith, 0, 1),
        (false, false) => return,
    };
    let name = modifier.name();
    let mut edits = vec![(Span::new(key.span.end, key.span.end), format!("|{name}"))];
    // Inserts the modifier before the closing quote of a quoted key.
    if source.slice(key.span).ends_with(['\'', '"']) {
        edits[0].0 = Span::new(key.span.end - 1, key.span.end - 1);
    }
    for value in &entry.values.items {
        let end = value.written.len();
        for range in [0..head, end - tail..end] {
            if !range.is_empty() {
                edits.push((value.part(source, range), String::new()));
            }
        }
    }
    let message = format!("wildcards do what `|{name}` says");
    let label = format!("`{}|{name}`", key.name.value);
    let diagnostic = Diagnostic::new(Code::W0224, source, key.span, message, label);
    diagnostics.push(diagnostic.fix(format!("say `|{name}` and leave the wildcards out"), edits));
}

/// Whether a value begins and ends with a star; `None` without such a star or with other wildcards
fn shape(value: &Value) -> Option<(bool, bool)> {
    let Scalar::Text(pattern) = &value.scalar else { return None };
    // `**` has a report of its own, and removing one star would leave the other.
    if value.written.starts_with("**") || value.written.ends_with("**") {
        return None;
    }
    match pattern.tokens() {
        [Token::Any, Token::Literal(_), Token::Any] => Some((true, true)),
        [Token::Any, Token::Literal(_)] => Some((true, false)),
        [Token::Literal(_), Token::Any] => Some((false, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_escapes_the_next_wildcard_only() {
        assert_eq!(marks(r"a\*b*"), [(1, true), (4, false)]);
        assert_eq!(marks(r"dir\\*"), [(5, false)]);
        assert_eq!(marks(r"\\\?"), [(2, true)]);
    }
}
