//! Reads a line of JSON as most producers write it, several times as fast as a reader of all JSON.
//!
//! In: a line that is valid UTF-8. Out: what the visitor makes of the values in it, the same as
//! `serde_json` would; or [`Unsure`], which says nothing about the line. Then `serde_json` reads the line
//! again: it decides whether the line is JSON, and words the error. Whatever is rare is left to it: numbers
//! that are no short whole numbers, and escapes by number, are given to it one by one.
//!
//! INVARIANT: a line is never taken for JSON that `serde_json` refuses.

mod text;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
            b'{' | b'[' => self.visit(SkipVisitor),
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
            b'{' => self.inside(|plain| {
                let value = visitor.visit_map(Items { plain, is_first: true })?;
                plain.take(b'}').map(|()| value)
            }),
            b'[' => self.inside(|plain| {
                let value = visitor.visit_seq(Items { plain, is_first: true })?;
                plain.take(b']').map(|()| value)
            }),
            _ => Err(Unsure),
        }
    }

    /// Reads what a bracket encloses
    fn inside<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unsure>,
    ) -> Result<T, Unsure> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Unsure);
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// Reads over an object or a list
struct SkipVisitor;

impl<'a> Visitor<'a> for SkipVisitor {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// The items of an object or a list
struct Items<'p, 'a> {
    plain: &'p mut Plain<'a>,
    is_first: bool,
}

impl Items<'_, '_> {
    /// Goes to the next item; false at the closing bracket
    fn advance(&mut self, close: u8) -> Result<bool, Unsure> {
        let next = self.plain.peek().ok_or(Unsure)?;
        if next == close {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.plain.take(b',')?;
        }
        Ok(true)
    }
}

impl<'a> MapAccess<'a> for Items<'_, 'a> {
    type Error = Unsure;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unsure> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        if self.plain.peek() != Some(b'"') {
            return Err(Unsure);
        }
        let key = seed.deserialize(&mut *self.plain)?;
        self.plain.take(b':')?;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unsure> {
        seed.deserialize(&mut *self.plain)
    }
}

impl<'a> SeqAccess<'a> for Items<'_, 'a> {
    type Error = Unsure;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unsure> {
        if self.advance(b']')? { seed.deserialize(&mut *self.plain).map(Some) } else { Ok(None) }
    }
}

impl<'a> Deserializer<'a> for &mut Plain<'a> {
    type Error = Unsure;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unsure> {
        self.visit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unsure> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unsure> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

#[cfg(test)]
mod tests;
