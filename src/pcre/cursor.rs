//! A place in the text of a pattern.
//!
//! In: a pattern. Out: its characters one by one, and refusals with the bytes they are about.

use super::Refusal;

#[derive(Debug, Clone)]
pub(super) struct Cursor<'p> {
    pub(super) text: &'p str,
    pub(super) at: usize,
}

impl<'p> Cursor<'p> {
    pub(super) fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Skips a text that stands here
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes the characters that fit, at most so many
    pub(super) fn take(&mut self, most: usize, fits: impl Fn(char) -> bool) -> &'p str {
        let rest = self.rest();
        let end = rest.char_indices().take_while(|(_, c)| fits(*c)).take(most).last();
        let end = end.map_or(0, |(at, c)| at + c.len_utf8());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn since(&self, start: usize) -> &'p str {
        self.text.get(start..self.at).unwrap_or("")
    }

    /// What PCRE cannot read either
    pub(super) fn wrong(&self, start: usize, reason: impl Into<String>) -> Refusal {
        self.refusal(start, false, reason.into())
    }

    /// What has no equivalent
    pub(super) fn beyond(&self, start: usize, reason: impl Into<String>) -> Refusal {
        self.refusal(start, true, reason.into())
    }

    fn refusal(&self, start: usize, reads: bool, reason: String) -> Refusal {
        Refusal { range: start..self.at.max(start), reads, reason }
    }
}
