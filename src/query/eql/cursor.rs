//! Walks over the tokens of a query.
//!
//! In: tokens. Out: words, signs and names in their order, or what was expected in their place.

use super::lex::{Token, error, tokens};
use super::quote::KEYWORDS;
use super::tree::FieldName;
use crate::query::Error;
use crate::source::visible;

/// The most conditions, brackets and signs that may be open at once
const MAX_DEPTH: usize = 50;

/// A place between two tokens
pub(super) struct Cursor<'t> {
    text: &'t str,
    tokens: Vec<(Token<'t>, usize)>,
    next: usize,
    depth: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn of(text: &'t str) -> Result<Cursor<'t>, Error> {
        Ok(Cursor { text, tokens: tokens(text)?, next: 0, depth: 0 })
    }

    /// The token `ahead` of the next one; the end never ends
    pub(super) fn look(&self, ahead: usize) -> &Token<'t> {
        self.tokens.get(self.next + ahead).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    /// Whether the next token is this keyword or sign
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self.look(0), Token::Word(own) | Token::Sign(own) if *own == wanted)
    }

    /// Whether the next token is this word with `~` behind it
    pub(super) fn is_folded(&self, wanted: &str) -> bool {
        matches!(self.look(0), Token::Folded(own) if *own == wanted)
    }

    /// Goes past this keyword or sign if it is next
    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let found = self.is(wanted);
        self.next += usize::from(found);
        found
    }

    pub(super) fn need(&mut self, wanted: &str) -> Result<(), Error> {
        if self.take(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    /// Runs a part of the parser one level deeper
    pub(super) fn deeper<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            // Each level takes about 20 kB of the stack in a build without optimisation.
            return Err(self.refuse(format!("the query nests deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let done = part(self);
        self.depth -= 1;
        done
    }

    /// A mistake at the next token
    pub(super) fn refuse(&self, message: impl Into<String>) -> Error {
        self.refuse_before(0, message)
    }

    /// A mistake `back` tokens before the next one
    pub(super) fn refuse_before(&self, back: usize, message: impl Into<String>) -> Error {
        let token = self.tokens.get(self.next.saturating_sub(back));
        error(self.text, token.map_or(self.text.len(), |(_, at)| *at), message)
    }

    /// The next token is something else than what was expected
    pub(super) fn expected(&self, wanted: &str) -> Error {
        let stray = match self.look(0) {
            Token::End => {
                return self.refuse(format!("the query ends too early, expected {wanted}"));
            }
            Token::Word(word) | Token::Number(word) => (*word).to_owned(),
            Token::Folded(word) => format!("{word}~"),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Name(text) | Token::Text(text) => text.chars().take(40).collect(),
        };
        self.refuse(format!("`{}` cannot stand here, expected {wanted}", visible(&stray)))
    }

    /// The next token as a part of a name
    fn word(&mut self) -> Result<String, Error> {
        let word = match self.look(0) {
            Token::Word(word) if KEYWORDS.contains(word) => {
                let message = format!("`{word}` is a keyword; a name like it stands in backticks");
                return Err(self.refuse(message));
            }
            Token::Word(word) => (*word).to_owned(),
            Token::Name(name) => name.clone(),
            Token::Folded(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) | Token::End => {
                return Err(self.expected("a field"));
            }
        };
        self.skip();
        Ok(word)
    }

    /// The name of a field
    pub(super) fn field(&mut self) -> Result<FieldName, Error> {
        let optional = self.take("?");
        let mut name = self.word()?;
        while self.take(".") {
            name.push('.');
            name.push_str(&self.word()?);
        }
        if self.is("[") && matches!(self.look(1), Token::Number(_)) {
            return Err(self.refuse("a field has no numbered values"));
        }
        Ok(FieldName { name, optional })
    }

    /// A category of events, or `any`
    pub(super) fn category(&mut self) -> Result<Option<String>, Error> {
        if self.take("any") {
            return Ok(None);
        }
        if let Token::Text(text) = self.look(0) {
            let text = text.clone();
            self.skip();
            return Ok(Some(text));
        }
        match self.look(0) {
            Token::Word(word) if !KEYWORDS.contains(word) => self.word().map(Some),
            Token::Word(_)
            | Token::Folded(_)
            | Token::Name(_)
            | Token::Text(_)
            | Token::Number(_)
            | Token::Sign(_)
            | Token::End => Err(self.expected("a category of events or `any`")),
        }
    }

    /// A whole number
    pub(super) fn whole<N: std::str::FromStr>(&mut self) -> Result<N, Error> {
        let Token::Number(digits) = self.look(0) else {
            return Err(self.expected("a whole number"));
        };
        let number = digits.parse().map_err(|_| self.refuse("expected a whole number"))?;
        self.skip();
        Ok(number)
    }
}
