//! Shows a finding to a person on one line.
//!
//! In: one [`Diagnostic`]. Out: a line without its line break. Very long remarks are shortened,
//! and no character of the user's text controls the terminal or changes the text direction.

use super::Diagnostic;
use super::json::within;
use crate::source::is_unprintable;

/// The most characters shown of a message, a label or a note
const REMARK: usize = 1_000;

/// The finding on one line: `path:line:col: error[E0201]: message (label)`
pub fn concise(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, message, source, primary, .. } = diagnostic;
    let (line, column) = source.line_column(within(source, primary.span).start);
    let label = if primary.text.is_empty() { "" } else { &format!(" ({})", remark(&primary.text)) };
    let (path, severity, code) = (remark(source.name()), severity.as_str(), code.as_str());
    format!("{path}:{line}:{column}: {severity}[{code}]: {}{label}", remark(message))
}

/// A message, label or note as shown: shortened, with unprintable characters replaced
pub(super) fn remark(text: &str) -> String {
    let harmless = |c| if is_unprintable(c) { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(REMARK).map(harmless).collect();
    if text.chars().nth(REMARK).is_some() {
        shown.push('…');
    }
    shown
}
