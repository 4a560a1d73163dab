//! Writes findings as JSON for programs.
//!
//! In: the findings of a run. Out: one object with a version, which grows only by new keys.
//! Lines and columns count from 1, columns in characters; `start` and `end` are byte offsets, so
//! that an edit can be applied without counting. [`Place`] does the counting for every format.

use serde_json::{Value, json};

use super::{Diagnostic, Fix};
use crate::source::{SourceText, Span, visible_json};

/// The findings as one versioned object
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let findings: Vec<Value> = diagnostics.iter().map(finding).collect();
    print(&json!({ "version": 1, "findings": findings }))
}

/// The lines, columns and offsets of a span, as every format for programs counts them
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    pub(super) fn of(source: &SourceText, span: Span) -> Self {
        let Span { start, end } = within(source, span);
        let (line, column) = source.line_column(start);
        let (end_line, end_column) = source.line_column(end);
        Place { line, column, end_line, end_column, start, end }
    }
}

/// The part of a span inside the text, with both ends on character boundaries
pub(super) fn within(source: &SourceText, span: Span) -> Span {
    let text = source.text();
    let floor = |offset: u32| {
        let mut at = text.len().min(offset as usize);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at as u32
    };
    Span::new(floor(span.start), floor(span.end))
}

/// The document, indented, with a final newline
///
/// Serde does not escape direction marks and control characters above ASCII. Escaped, they mean
/// the same to a program and have no effect on a terminal.
pub(super) fn print(document: &Value) -> String {
    visible_json(&format!("{document:#}\n"))
}

fn finding(diagnostic: &Diagnostic) -> Value {
    let source = &diagnostic.source;
    let place = Place::of(source, diagnostic.primary.span);
    let related = diagnostic.secondary.iter().map(|label| text_at(source, label.span, &label.text));
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "path": source.name(),
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "start": place.start,
        "end": place.end,
        "label": diagnostic.primary.text,
        "related": related.collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().map(|fix| change(source, fix)),
    })
}

fn change(source: &SourceText, fix: &Fix) -> Value {
    let edits = fix.edits.iter().map(|(span, text)| text_at(source, *span, text));
    json!({ "title": fix.title, "edits": edits.collect::<Vec<_>>() })
}

fn text_at(source: &SourceText, span: Span, text: &str) -> Value {
    let place = Place::of(source, span);
    json!({
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "start": place.start,
        "end": place.end,
        "text": text,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Code;

    fn about(text: &str, span: Span) -> Diagnostic {
        let source = Arc::new(SourceText::new("rules/a.yml", text));
        Diagnostic::new(Code::ALL[0], &source, span, "unknown field `ä`", "not a field")
    }

    fn first(diagnostic: Diagnostic) -> Value {
        let document: Value = serde_json::from_str(&json(&[diagnostic])).unwrap();
        document["findings"][0].clone()
    }

    #[test]
    fn no_finding_is_an_empty_list() {
        assert_eq!(json(&[]), "{\n  \"version\": 1,\n  \"findings\": []\n}\n");
    }

    #[test]
    fn columns_are_characters_and_offsets_are_bytes() {
        let finding = first(about("ö: 1\nöä: 2\n", Span::new(8, 10)));
        let [line, column, start] = ["line", "column", "start"].map(|key| finding[key].clone());
        assert_eq!((line, column, start), (json!(2), json!(2), json!(8)));
        assert_eq!((&finding["end_column"], &finding["end"]), (&json!(3), &json!(10)));
    }

    #[test]
    fn what_is_absent_is_null() {
        let finding = first(about("a: 1\n", Span::new(0, 1)));
        assert_eq!((&finding["help"], &finding["fix"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_fix_carries_its_edits() {
        let finding = first(about("ab: 1\n", Span::new(0, 2)).replace(Span::new(0, 2), "c"));
        let edit = json!({
            "line": 1, "column": 1, "end_line": 1, "end_column": 3, "start": 0, "end": 2, "text": "c",
        });
        assert_eq!(finding["fix"]["edits"], json!([edit]));
    }

    #[test]
    fn a_span_past_the_end_is_cut() {
        let finding = first(about("a: 1", Span::new(2, 999)));
        assert_eq!(finding["end"], json!(4));
    }

    #[test]
    fn direction_marks_are_escaped_and_read_back() {
        let mut diagnostic = about("a: 1", Span::new(0, 1));
        diagnostic.message = "a\u{202e}\u{9b}b".to_owned();
        let text = json(std::slice::from_ref(&diagnostic));
        assert!(text.contains(r"a\u202e\u009bb"));
        assert_eq!(first(diagnostic)["message"], "a\u{202e}\u{9b}b");
    }
}
