//! Writes a finding as a workflow command, which GitHub Actions shows beside the changed line.
//!
//! In: one [`Diagnostic`]. Out: one line without a newline. A line break inside the message is
//! escaped; the user's text can neither end the command nor begin another.

use super::Diagnostic;
use super::json::Place;
use crate::source::is_unprintable;

/// The finding as one workflow command: `::error file=…,line=…::message`
pub fn github(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, message, source, primary, notes, help, .. } = diagnostic;
    let place = Place::of(source, primary.span);
    // GitHub drops the whole place if a span of several lines has columns.
    let columns = if place.line == place.end_line {
        format!(",col={},endColumn={}", place.column, place.end_column)
    } else {
        String::new()
    };

    let mut text = message.clone();
    if !primary.text.is_empty() {
        text += &format!(" ({})", primary.text);
    }
    for note in notes {
        text += &format!("\nnote: {note}");
    }
    if let Some(help) = help {
        text += &format!("\nhelp: {help}");
    }

    format!(
        "::{} file={},line={},endLine={}{columns},title={}::{}",
        severity.as_str(),
        property(source.name()),
        place.line,
        place.end_line,
        property(&format!("{}: {}", code.as_str(), code.title())),
        escape(&text),
    )
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

fn escape(text: &str) -> String {
    let harmless = |c| if is_unprintable(c) && !"\r\n".contains(c) { '\u{fffd}' } else { c };
    let text: String = text.chars().map(harmless).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Code, Severity};
    use crate::source::{SourceText, Span};

    fn about(name: &str, span: Span) -> Diagnostic {
        let source = Arc::new(SourceText::new(name, "a: 1\nb: 2\n"));
        let mut diagnostic = Diagnostic::new(Code::ALL[0], &source, span, "100% wrong", "");
        diagnostic.severity = Severity::Warning;
        diagnostic
    }

    #[test]
    fn github_escapes_commas_and_colons_in_properties() {
        let line = github(&about("a,b:c%.yml", Span::new(5, 6)));
        let head = "::warning file=a%2Cb%3Ac%25.yml,line=2,endLine=2,col=1,endColumn=2,title=";
        assert!(line.starts_with(head), "{line}");
    }

    #[test]
    fn github_escapes_percent_and_newlines_in_the_message() {
        let line = github(&about("a.yml", Span::new(0, 1)).note("a: b, c").help("look"));
        assert!(line.ends_with("::100%25 wrong%0Anote: a: b, c%0Ahelp: look"), "{line}");
    }

    #[test]
    fn a_span_over_two_lines_has_no_columns() {
        let line = github(&about("a.yml", Span::new(0, 6)));
        assert!(line.contains("line=1,endLine=2,title="), "{line}");
    }

    #[test]
    fn hostile_text_stays_on_one_line() {
        let line = github(&about("a\n::error::x\r\u{1b}.yml", Span::new(0, 1)));
        assert!(line.contains("file=a%0A%3A%3Aerror%3A%3Ax%0D\u{fffd}.yml"), "{line}");
    }
}
