//! Maps a range of a scalar's decoded text back to the bytes of the file.
//!
//! In: a scalar's span, its quoting style and a range of its decoded text. Out: the span of that
//! range in the file, through folding, block indentation, `''` and `\x…` escapes. Only blocks and
//! scalars whose text differs from the file's are aligned character by character.

use std::ops::Range;

use crate::source::{SourceText, Span};

/// The quoting style of a scalar
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: may mean a number, a truth value or null
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// The places of the parts of one scalar
pub(crate) enum Places {
    /// The file holds the text unchanged, from this byte on
    Verbatim(u32),
    /// Where each character of the decoded text starts, and the bytes of the file it came from
    Aligned { starts: Vec<u32>, from: Vec<Span>, end: u32 },
}

impl Places {
    /// The places of `text`, the decoded text of the scalar at `span`
    pub(crate) fn new(source: &SourceText, span: Span, text: &str, style: Style) -> Places {
        if let Some(start) = verbatim(source.slice(span), text, style) {
            return Places::Verbatim(span.start + start);
        }
        let starts = text.char_indices().map(|(at, _)| at as u32).collect();
        Places::Aligned { starts, from: align(source.text(), span, text, style), end: span.end }
    }

    /// The place of a range of the decoded text
    pub(crate) fn of(&self, range: Range<usize>) -> Span {
        let (starts, from, end) = match self {
            Places::Verbatim(start) => {
                return Span::new(start + range.start as u32, start + range.end as u32);
            }
            Places::Aligned { starts, from, end } => (starts, from, *end),
        };
        let nth = |byte: usize| starts.partition_point(|start| (*start as usize) < byte);
        let (first, after) = (nth(range.start), nth(range.end));
        let start = from.get(first).map_or(end, |place| place.start);
        let stop = match after.checked_sub(1) {
            Some(last) if after > first => from.get(last).map_or(end, |place| place.end),
            _ => start,
        };
        Span::new(start, stop)
    }
}

/// The place of `text[range]`, where `text` is the decoded text of the scalar at `span`
pub(crate) fn locate(
    source: &SourceText,
    span: Span,
    text: &str,
    style: Style,
    range: Range<usize>,
) -> Span {
    Places::new(source, span, text, style).of(range)
}

/// The offset of `text` within `raw` if the scalar holds it unchanged
fn verbatim(raw: &str, text: &str, style: Style) -> Option<u32> {
    let (raw, start) = match style {
        Style::Plain => (raw, 0),
        Style::Single | Style::Double => (raw.get(1..raw.len().checked_sub(1)?)?, 1),
        Style::Block => return None,
    };
    (raw == text).then_some(start)
}

/// For every character of `text`, the bytes of the file it came from
fn align(file: &str, span: Span, text: &str, style: Style) -> Vec<Span> {
    let raw = file.get(span.range()).unwrap_or("");
    let mut walk = Walk { raw, at: 0, base: span.start, indent: 0, places: Vec::new() };
    match style {
        Style::Single | Style::Double => walk.at = 1,
        Style::Block => walk.enter_block(file, span, text),
        Style::Plain => {}
    }
    let mut wanted = text.chars().peekable();
    while wanted.peek().is_some() && walk.at < raw.len() {
        if walk.line_break_ahead(style) {
            let breaks = walk.skip_breaks(style);
            let from = walk.at;
            match wanted.peek() {
                Some(' ') if breaks == 1 => {
                    wanted.next();
                    walk.push(from, from);
                }
                _ => {
                    for _ in 0..breaks {
                        if wanted.next_if_eq(&'\n').is_some() {
                            walk.push(from, from);
                        }
                    }
                }
            }
            continue;
        }
        let Some(step) = walk.step(style) else { continue };
        wanted.next();
        let end = (walk.at + step).min(raw.len());
        walk.push(walk.at, end);
        walk.at = end;
    }
    walk.places
}

struct Walk<'a> {
    raw: &'a str,
    at: usize,
    base: u32,
    indent: usize,
    places: Vec<Span>,
}

impl Walk<'_> {
    fn push(&mut self, from: usize, to: usize) {
        self.places.push(Span::new(self.base + from as u32, self.base + to as u32));
    }

    fn rest(&self) -> &str {
        self.raw.get(self.at..).unwrap_or("")
    }

    /// Skips a block's header and computes its indentation: the leading blanks of the first line in
    /// the file, minus those in the value.
    fn enter_block(&mut self, file: &str, span: Span, text: &str) {
        if self.raw.starts_with(['|', '>']) {
            self.at = self.raw.find('\n').map_or(self.raw.len(), |n| n + 1);
        }
        let from = span.start as usize + self.at;
        let line = file[..from].rfind('\n').map_or(0, |n| n + 1);
        let lead = |s: &str| {
            let first = s.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
            first.len() - first.trim_start_matches(' ').len()
        };
        self.indent = lead(&file[line..]).saturating_sub(lead(text));
        if self.at > 0 {
            self.skip_indent();
        }
    }

    fn skip_indent(&mut self) {
        let blanks = self.rest().bytes().take(self.indent).take_while(|b| *b == b' ').count();
        self.at += blanks;
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn line_break_ahead(&self, style: Style) -> bool {
        let rest = match style {
            Style::Block => self.rest(),
            Style::Plain | Style::Single | Style::Double => {
                self.rest().trim_start_matches([' ', '\t'])
            }
        };
        rest.starts_with(['\n', '\r'])
    }

    fn skip_breaks(&mut self, style: Style) -> usize {
        if style != Style::Block {
            self.skip_blanks();
        }
        let mut breaks = 0;
        loop {
            let rest = self.rest();
            self.at += match () {
                () if rest.starts_with("\r\n") => 2,
                () if rest.starts_with(['\n', '\r']) => 1,
                () => return breaks,
            };
            breaks += 1;
            if style == Style::Block { self.skip_indent() } else { self.skip_blanks() }
        }
    }

    /// The number of bytes that encode the next character; `None` after an escaped line break.
    fn step(&mut self, style: Style) -> Option<usize> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if style == Style::Single && rest.starts_with("''") {
            return Some(2);
        }
        if style != Style::Double || first != '\\' {
            return Some(first.len_utf8());
        }
        match rest[1..].chars().next() {
            Some('x') => Some(4),
            Some('u') => Some(6),
            Some('U') => Some(10),
            Some('\n' | '\r') => {
                let tail = rest[1..].trim_start_matches([' ', '\t', '\n', '\r']);
                self.at += rest.len() - tail.len();
                None
            }
            Some(other) => Some(1 + other.len_utf8()),
            None => Some(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::yaml::{Node, parse};

    /// The source text of `word` in the value of the first key.
    fn found<'a>(source: &'a Arc<SourceText>, word: &str) -> &'a str {
        let documents = parse(source, &mut Diagnostics::default());
        let node: &Node = documents[0].get("a").unwrap();
        let at = node.text().unwrap().find(word).unwrap();
        source.slice(node.part(source, at..at + word.len()))
    }

    fn source(text: &str) -> Arc<SourceText> {
        Arc::new(SourceText::new("t.yml", text))
    }

    #[test]
    fn words_are_found_in_every_style() {
        for text in [
            "a: one two three\n",
            "a: 'it''s two three'\n",
            "a: \"\\x41 two\\n three\"\n",
            "a: |\n    one\n      two three\n",
            "a: >\n  one\n  two\n  three\n",
            "a: one\n  two\n  three\n",
        ] {
            assert_eq!(found(&source(text), "two"), "two", "{text}");
            assert_eq!(found(&source(text), "three"), "three", "{text}");
        }
    }

    #[test]
    fn an_escape_is_one_place() {
        assert_eq!(found(&source("a: \"x\\u00e9y\"\n"), "é"), "\\u00e9");
        assert_eq!(found(&source("a: 'x''y'\n"), "'"), "''");
    }
}
