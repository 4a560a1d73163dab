//! Text and places in it.
//!
//! In: the bytes of a file as somebody wrote them. Out: [`SourceText`], [`Span`] and
//! [`Spanned`], which every later room uses to say *where*. Nothing here knows YAML or rules.

use std::fmt;
use std::sync::OnceLock;

/// A half-open range of bytes in one [`SourceText`]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte
    pub start: u32,
    /// One past the last byte
    pub end: u32,
}

impl Span {
    /// A span from `start` up to, not including, `end`
    pub fn new(start: u32, end: u32) -> Self {
        Span { start, end: end.max(start) }
    }

    /// The smallest span that covers both
    pub fn cover(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The same range for indexing text
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place it was written at
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written
    pub value: T,
    /// Where
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
    /// Where lines start; made when the first place is asked for
    lines: OnceLock<Vec<usize>>,
}

impl PartialEq for SourceText {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for SourceText {}

impl SourceText {
    /// Text that is reported as `name`, which is a path as the user gave it, with `/`
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        SourceText { name: name.into(), text: text.into(), lines: OnceLock::new() }
    }

    /// The name diagnostics show
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at `span`, empty when it lies outside
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset, both from 1, columns in characters
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut at = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let starts = self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let line = starts.partition_point(|start| *start <= at);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        (line, self.text[start..at].chars().count() + 1)
    }
}

impl fmt::Debug for SourceText {
    // The text itself would drown every dump that holds a source.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({:?})", self.name)
    }
}

/// Whether a character controls the terminal, the line or the direction of text instead of
/// showing something
///
/// Noncharacters count: YAML refuses a file that holds U+FFFE. So do tags and the variation
/// selectors beyond the first sixteen, which hide a text inside another.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Text with every unprintable character replaced: safe on a terminal and in one line
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}

/// JSON with its unprintable characters escaped: the same to a program, visible to a reviewer
///
/// Line breaks between values stay. So that the runner of a GitHub step takes no part of a line for
/// a command, `##[` is escaped as well.
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
    }
}
