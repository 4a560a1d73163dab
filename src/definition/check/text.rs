//! Control characters, which are invisible and rarely intended.
//!
//! In: a value, or a text of the metadata. Out: a warning at the first control character. Most
//! come from double quotes, where YAML reads `\t` as a tab. In a text that people read, invisible
//! characters and marks that change the text direction count as well.

use std::sync::Arc;

use crate::definition::Value;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span, Spanned, is_unprintable};

/// Reports the first control character of a value
pub(super) fn control_characters(
    source: &Arc<SourceText>,
    value: &Value,
    diagnostics: &mut Diagnostics,
) {
    if let Some((at, c)) = value.written.char_indices().find(|(_, c)| c.is_control()) {
        let part = value.part(source, at..at + c.len_utf8());
        let span = if source.slice(part).trim_matches('\n').is_empty() { value.span } else { part };
        diagnostics.push(found(source, span, c, value.span));
    }
}

/// Reports the first control character of a text that may have several lines
pub(super) fn control_character_of(
    source: &Arc<SourceText>,
    text: &Spanned<String>,
    diagnostics: &mut Diagnostics,
) {
    // Joiners are part of the spelling of some languages and of emoji, so they are allowed.
    let odd = |c: &char| is_unprintable(*c) && !"\n\r\t\u{200c}\u{200d}\u{ad}".contains(*c);
    // A line separator written unescaped in the file is already an error.
    let refused = |c: char| "\u{2028}\u{2029}".contains(c) && source.slice(text.span).contains(c);
    if let Some(c) = text.value.chars().find(|c| odd(c) && !refused(*c)) {
        diagnostics.push(found(source, text.span, c, text.span));
    }
}

fn found(source: &Arc<SourceText>, span: Span, c: char, whole: Span) -> Diagnostic {
    let name = match c {
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        '\u{8}' => "a backspace".to_owned(),
        c => format!("U+{:04X}", c as u32),
    };
    let written = source.slice(whole);
    let diagnostic =
        Diagnostic::new(Code::W0220, source, span, "a control character in a text", name);
    match written.chars().next() {
        Some('"') => diagnostic.help("In single quotes a backslash is itself."),
        Some('|' | '>') => diagnostic.help("After `|-` and `>-` the last line has no line break."),
        _ => diagnostic,
    }
}
