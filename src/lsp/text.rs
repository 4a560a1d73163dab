//! The text of an open document, and places in it as the protocol counts them.
//!
//! In: the text that the editor sends, and its edits. Out: the text without a byte order mark, byte
//! offsets, and lines with columns in UTF-16 units. A line ends at `\n`, `\r\n` or a single `\r`, as the
//! protocol says. A place outside the text is moved to the nearest place inside.

use std::sync::Arc;

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

use crate::source::{SourceText, Span};

/// The byte order mark, which counts as one unit of the first line
const MARK: char = '\u{feff}';

/// A text with the offsets of its lines
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The text as rules are read from it
    pub(super) source: Arc<SourceText>,
    /// The version that the editor has given it
    pub(super) version: i32,
    /// Whether a byte order mark stands before the text
    marked: bool,
    /// The offset of the first byte of each line
    lines: Vec<usize>,
}

impl Document {
    /// A document as an editor opens it
    pub(super) fn new(name: &str, text: &str, version: i32) -> Document {
        let (marked, text) = match text.strip_prefix(MARK) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let source = Arc::new(SourceText::new(name, text));
        Document { lines: lines(text), source, version, marked }
    }

    /// The text
    pub(super) fn text(&self) -> &str {
        self.source.text()
    }

    /// Carries out edits one after another
    pub(super) fn edit(&mut self, changes: &[TextDocumentContentChangeEvent], version: i32) {
        for change in changes {
            let text = match change.range {
                None => change.text.clone(),
                Some(range) => {
                    let start = self.offset(range.start);
                    let end = self.offset(range.end).max(start);
                    let mut text = self.text().to_owned();
                    text.replace_range(start..end, &change.text);
                    if self.marked { format!("{MARK}{text}") } else { text }
                }
            };
            *self = Document::new(self.source.name(), &text, version);
        }
        self.version = version;
    }

    /// The offset of a place
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.lines.get(line) else { return self.text().len() };
        let mut units = position.character as usize;
        if line == 0 && self.marked {
            units = units.saturating_sub(1);
        }
        let mut at = start;
        for c in self.line(line).chars() {
            if units < c.len_utf16() || matches!(c, '\r' | '\n') {
                break;
            }
            units -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    }

    /// The place of an offset
    pub(super) fn position(&self, offset: usize) -> Position {
        let mut at = offset.min(self.text().len());
        while !self.text().is_char_boundary(at) {
            at -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= at) - 1;
        let start = self.lines.get(line).copied().unwrap_or(0);
        let units: usize = self.text()[start..at].chars().map(char::len_utf16).sum();
        let mark = usize::from(line == 0 && self.marked);
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position::new(narrow(line), narrow(units + mark))
    }

    /// The range of a span
    pub(super) fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start as usize), self.position(span.end as usize))
    }

    /// The number of lines
    pub(super) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// A line with its end
    pub(super) fn line(&self, line: usize) -> &str {
        let start = self.lines.get(line).copied().unwrap_or(self.text().len());
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text().len());
        &self.text()[start..end]
    }

    /// The line of an offset, and the offset of its first byte
    pub(super) fn line_at(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset) - 1;
        (line, self.lines.get(line).copied().unwrap_or(0))
    }
}

/// The offset of the first byte of each line
fn lines(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = (0..bytes.len()).filter(|at| match bytes[*at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_units_of_utf_16() {
        let document = Document::new("a.yml", "a: 😀ä!\r\nb: 1\rc: 2\n", 1);
        let bang = document.text().find('!').unwrap();
        assert_eq!(document.position(bang), Position::new(0, 6));
        assert_eq!(document.offset(Position::new(0, 6)), bang);
        let c = document.text().find("c:").unwrap();
        assert_eq!(document.position(c), Position::new(2, 0));
        assert_eq!(document.offset(Position::new(2, 0)), c);
        assert_eq!(document.offset(Position::new(0, 99)), document.text().find('\r').unwrap());
        assert_eq!(document.offset(Position::new(99, 0)), document.text().len());
        // In the middle of a pair of surrogates: before the character.
        assert_eq!(document.offset(Position::new(0, 4)), 3);
    }

    #[test]
    fn a_byte_order_mark_counts_on_the_first_line_only() {
        let mut document = Document::new("a.yml", "\u{feff}ab: 1\ncd: 2", 1);
        assert_eq!((document.text(), document.position(1)), ("ab: 1\ncd: 2", Position::new(0, 2)));
        assert_eq!(document.offset(Position::new(0, 2)), 1);
        assert_eq!(document.offset(Position::new(1, 1)), 7);
        let range = Some(Range::new(Position::new(0, 1), Position::new(0, 3)));
        let change = TextDocumentContentChangeEvent { range, range_length: None, text: "x".into() };
        document.edit(&[change], 2);
        assert_eq!((document.text(), document.position(0)), ("x: 1\ncd: 2", Position::new(0, 1)));
    }
}
