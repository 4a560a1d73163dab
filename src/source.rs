//! Text and places in it.
//!
//! In: the text of a file, unchanged. Out: [`SourceText`], [`Span`] and [`Spanned`], which every
//! later room uses to name a place in the file. Nothing here knows YAML or rules.

use std::fmt;
use std::sync::OnceLock;

/// A half-open range of bytes in one [`SourceText`]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte
    pub start: u32,
    /// The byte after the last one
    pub end: u32,
}

impl Span {
    /// A span from `start` up to, not including, `end`
    pub fn new(start: u32, end: u32) -> Self {
        Span { start, end: end.max(start) }
    }

    /// The smallest span that covers both spans
    pub fn cover(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The span as a range that indexes text
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place it was written at
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value
    pub value: T,
    /// Its place in the source text
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Ties `value` to `span`
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The text of one file with the name it is reported under
pub struct SourceText {
    name: String,
    text: String,
    /// Computed on the first request for a line or a column
    places: OnceLock<Places>,
}

/// Tables for the line and the column of an offset: no look-up reads the text from its start
struct Places {
    /// The offset of every line's first byte
    lines: Vec<u32>,
    /// Characters before each multiple of [`STEP`] bytes, for a column far along a very long line
    characters: Vec<u32>,
}

/// Bytes between two entries of [`Places::characters`]
const STEP: usize = 1024;

impl Places {
    fn of(text: &str) -> Places {
        let breaks = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(_, next)| next)).collect();
        let mut characters = vec![0];
        if text.len() >= STEP {
            let mut before = 0;
            for bytes in text.as_bytes().chunks_exact(STEP) {
                before += count(bytes);
                characters.push(before);
            }
        }
        Places { lines, characters }
    }

    /// The number of characters that start before the byte `at`
    fn before(&self, text: &str, at: usize) -> usize {
        let step = at / STEP;
        let known = self.characters.get(step).copied().unwrap_or(0);
        (known + count(&text.as_bytes()[step * STEP..at])) as usize
    }
}

/// The number of characters that start in `bytes`; UTF-8 continuation bytes do not count
fn count(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(byte & 0xc0 != 0x80)).sum()
}

impl PartialEq for SourceText {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for SourceText {}

impl SourceText {
    /// Text of the file `name`: the path that the user gave, with `/` as the separator
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        SourceText { name: name.into(), text: text.into(), places: OnceLock::new() }
    }

    /// The name that diagnostics show
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at `span`; empty when the span lies outside the text
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset, both from 1, columns in characters
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut at = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let places = self.places();
        let (line, start) = self.line(at);
        (line, places.before(&self.text, at) - places.before(&self.text, start) + 1)
    }

    /// The whole lines that a range touches, the last with its line break
    pub fn lines(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let (_, start) = self.line(range.start);
        let (last, _) = self.line(range.end);
        let next = self.places().lines.get(last).map_or(self.text.len(), |next| *next as usize);
        start..next
    }

    /// The number of the line that holds a byte, from 1, and the offset of the line's first byte
    fn line(&self, at: usize) -> (usize, usize) {
        let starts = &self.places().lines;
        let line = starts.partition_point(|start| *start as usize <= at);
        (line, starts.get(line - 1).map_or(0, |start| *start as usize))
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(&self.text))
    }
}

impl fmt::Debug for SourceText {
    // Leaves the text out: it would fill every debug dump that holds a source.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({:?})", self.name)
    }
}

/// Whether a character shows nothing and controls the terminal, the line or the text direction
///
/// Noncharacters count: YAML refuses a file that holds U+FFFE. Tag characters and the variation
/// selectors beyond the first sixteen count too: they can hide one text inside another.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Replaces every unprintable character by U+FFFD: the result is safe on a terminal, in one line
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}

/// Escapes the unprintable characters of JSON: programs read the same values, reviewers see them
///
/// Line breaks between values stay. `##[` is escaped as well: the runner of a GitHub step would
/// read it as the start of a command.
pub fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) && c != '\n' {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|u| out.push_str(&format!("\\u{u:04x}")));
        } else {
            out.push(c);
        }
    }
    out.replace("##[", r"#\u0023[")
}

/// Text between double quotes, as Kusto, JSON and TOML all write it
///
/// They differ in unprintable characters, so `escape` spells these.
pub(crate) fn quoted(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_unprintable(c) => out.push_str(&escape(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noncharacters_and_tags_are_not_printed() {
        for c in ['\u{fffe}', '\u{ffff}', '\u{fdd0}', '\u{1fffe}', '\u{10ffff}', '\u{e0041}'] {
            assert!(is_unprintable(c), "{c:?}");
        }
        assert!(!['\u{fffd}', '\u{fe0f}', '\u{1f600}'].into_iter().any(is_unprintable));
        assert_eq!(visible_json("\"\u{1fffe}\""), r#""\ud83f\udffe""#);
        assert_eq!(visible_json("\"##[error]\""), r##""#\u0023[error]""##);
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let source = SourceText::new("a.yml", "x: ä\ny: öö!\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(6), (2, 1));
        let bang = source.text().find('!').unwrap() as u32;
        assert_eq!(source.line_column(bang), (2, 6));
        assert_eq!(source.line_column(9_999), (3, 1));
        assert_eq!((source.lines(0..0), source.lines(6..8)), (0..6, 6..15));
    }

    #[test]
    fn a_column_far_along_a_line_is_counted_from_its_start() {
        let source = SourceText::new("a.yml", format!("ä\n{}!", "ä-".repeat(3_000)));
        assert_eq!(source.line_column(source.text().len() as u32), (2, 6_002));
        assert_eq!(source.line_column(3 * 1_024), (2, 2_047));
    }
}
