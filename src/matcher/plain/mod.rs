//! Reads a line of JSON as most producers write it, several times as fast as a reader of all JSON.
//!
//! In: a line that is valid UTF-8. Out: what the visitor makes of the values in it, the same as
//! `serde_json` would; or [`Unsure`], which says nothing about the line. Then `serde_json` reads the line
//! again: it decides whether the line is JSON, and words the error. Whatever is rare is left to it: numbers
//! that are no short whole numbers, and escapes by number, are given to it one by one.
//!
//! INVARIANT: a line is never taken for JSON that `serde_json` refuses.

mod text;
mod visit;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use text::{escape, short, special, unescaped};

/// The deepest value: below the limit of `serde_json`
const DEEPEST: usize = 100;

/// Why a line was left to another reader; carries nothing
#[derive(Debug)]
pub(super) struct Unsure;

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain")
    }
}

impl std::error::Error for Unsure {}

impl de::Error for Unsure {
    fn custom<T: fmt::Display>(_: T) -> Unsure {
        Unsure
    }
}

/// A place in a line
pub(super) struct Plain<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Plain<'a> {
    pub(super) fn of(text: &'a str) -> Plain<'a> {
        Plain { text, at: 0, depth: 0 }
    }

    /// Whether nothing but white space is left
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is no white space
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Result<(), Unsure> {
        if self.peek() != Some(wanted) {
            return Err(Unsure);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Unsure> {
        let is_here = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        if is_here { Ok(()) } else { Err(Unsure) }
    }

    /// The text of a number; nothing is said about its form
    fn number(&mut self) -> &'a str {
        let rest = &self.text.as_bytes()[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = &self.text[self.at..self.at + length];
        self.at += length;
        number
    }

    /// Skips a string; `at` is after the opening quote
    fn skip_string(&mut self) -> Result<(), Unsure> {
        let bytes = self.text.as_bytes();
        loop {
            self.at = special(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += escape(&bytes[self.at..]).ok_or(Unsure)?,
                Some(_) | None => return Err(Unsure),
            }
        }
    }

    /// A string; `at` is after the opening quote
    fn string(&mut self) -> Result<Cow<'a, str>, Unsure> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let end = special(bytes, start);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        self.skip_string()?;
        let inside = &self.text[start..self.at - 1];
        unescaped(inside, end - start).map(Cow::Owned).ok_or(Unsure)
    }

    /// Skips a value
    fn skip(&mut self) -> Result<(), Unsure> {
        match self.peek().ok_or(Unsure)? {
            b'"' => {
                self.at += 1;
                self.skip_string()
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' => {
                let number = self.number();
                let is_one = || serde_json::from_str::<IgnoredAny>(number).is_ok();
                if short(number).is_some() || is_one() { Ok(()) } else { Err(Unsure) }
            }
            b'{' => self.members(|members| {
                while members.key()?.is_some() {
                    members.skip()?;
                }
                Ok(())
            }),
            b'[' => self.items(b']', |items| {
                while items.advance()? {
                    items.skip()?;
                }
                Ok(())
            }),
            _ => Err(Unsure),
        }
    }

    /// Gives the next value to the visitor
    fn visit<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Unsure> {
        match self.peek().ok_or(Unsure)? {
            b'"' => {
                self.at += 1;
                match self.string()? {
                    Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                    Cow::Owned(text) => visitor.visit_string(text),
                }
            }
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            b'-' | b'0'..=b'9' => {
                let number = self.number();
                match short(number) {
                    Some(number) => visitor.visit_u64(number),
                    // Only the text of the number decides how it is read.
                    None => {
                        let mut json = serde_json::Deserializer::from_str(number);
                        let value = json.deserialize_any(visitor).map_err(|_| Unsure)?;
                        json.end().map(|()| value).map_err(|_| Unsure)
                    }
                }
            }
            b'{' => self.members(|members| visitor.visit_map(members)),
            b'[' => self.items(b']', |items| visitor.visit_seq(items)),
            _ => Err(Unsure),
        }
    }

    /// Reads the members of an object, which is next
    pub(super) fn members<T>(
        &mut self,
        read: impl FnOnce(&mut Items<'_, 'a>) -> Result<T, Unsure>,
    ) -> Result<T, Unsure> {
        if self.peek() == Some(b'{') { self.items(b'}', read) } else { Err(Unsure) }
    }

    /// Reads what is between an opening bracket, which is next, and the closing one
    fn items<T>(
        &mut self,
        close: u8,
        read: impl FnOnce(&mut Items<'_, 'a>) -> Result<T, Unsure>,
    ) -> Result<T, Unsure> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Unsure);
        }
        let value = read(&mut Items { plain: self, close, is_first: true })?;
        self.take(close)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// The items of an object or a list, read in their order
pub(super) struct Items<'p, 'a> {
    plain: &'p mut Plain<'a>,
    close: u8,
    is_first: bool,
}

impl<'a> Items<'_, 'a> {
    /// Goes to the next item; false at the closing bracket
    fn advance(&mut self) -> Result<bool, Unsure> {
        let next = self.plain.peek().ok_or(Unsure)?;
        if next == self.close {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.plain.take(b',')?;
        }
        Ok(true)
    }

    /// The key of the next member, whose value is next; `None` at the closing bracket
    pub(super) fn key(&mut self) -> Result<Option<Cow<'a, str>>, Unsure> {
        if !self.advance()? {
            return Ok(None);
        }
        self.plain.take(b'"')?;
        let key = self.plain.string()?;
        self.plain.take(b':')?;
        Ok(Some(key))
    }

    /// Skips the value
    pub(super) fn skip(&mut self) -> Result<(), Unsure> {
        self.plain.skip()
    }

    /// The text of the value, where it is a string or a short whole number; any other is still to be read
    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, Unsure> {
        match self.plain.peek() {
            Some(b'"') => {
                self.plain.at += 1;
                self.plain.string().map(Some)
            }
            Some(b'0'..=b'9') => {
                let start = self.plain.at;
                let number = self.plain.number();
                if short(number).is_some() {
                    return Ok(Some(Cow::Borrowed(number)));
                }
                self.plain.at = start;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
